#include "restate/app/leadership.h"

#include <unistd.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "fenced_nodes.h"

namespace restate::app {
namespace {

constexpr Clock::Duration kReleaseLimit = std::chrono::seconds(1);

// The pod, or the machine, and what tells this life of the process from others: a container that is started anew keeps
// its pod.
std::string NewIdentity(const Settings& settings) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::random_device random;
  return absl::StrCat(settings.operator_pod_name.value_or(host), "_", absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8));
}

bool Wanted(const Settings& settings, bool in_cluster) {
  if (settings.leader_elect == Settings::LeaderElect::kAuto) return in_cluster;
  return settings.leader_elect == Settings::LeaderElect::kOn;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Leadership>> Leadership::New(const Settings& settings, bool in_cluster,
                                                            const kube::HttpSettings& api, Metrics& metrics,
                                                            Clock& clock, Ended ended) {
  std::unique_ptr<Leadership> made(new Leadership());
  if (!Wanted(settings, in_cluster)) return made;
  auto http = kube::NewHttpClient(api);
  if (!http.ok()) return http.status();
  made->identity_ = NewIdentity(settings);
  made->lease_ = {settings.operator_namespace, settings.lease_name};
  made->http_ = *std::move(http);
  made->client_ =
      std::make_unique<kube::Client>(*made->http_, &metrics.ApiRequests(),
                                     absl::FromChrono(settings.lease_times.RequestLimit()));
  made->election_ = std::make_unique<runtime::LeaderElection>(
      runtime::LeaderElectionOptions{
          .lease = made->lease_,
          .identity = made->identity_,
          .times = settings.lease_times,
          .alone_if_forbidden = settings.leader_elect == Settings::LeaderElect::kAuto,
      },
      *made->client_, clock, std::move(ended));
  return made;
}

void Leadership::Start() {
  if (election_) election_->Start();
}

bool Leadership::Leads() const { return !election_ || election_->standing().leads; }

bool Leadership::Await(std::stop_token stop) const { return !election_ || election_->AwaitLeading(std::move(stop)); }

void Leadership::Release() {
  if (election_) election_->Release(kReleaseLimit);
}

json::Value Leadership::Diagnosed() const {
  if (!election_) return json::Obj({{"election", false}, {"leads", true}});
  const auto standing = election_->standing();
  return json::Obj({{"election", true},
                    {"leads", standing.leads},
                    {"identity", identity_},
                    {"lease", lease_.ToString()},
                    {"holder", standing.holder},
                    {"since", standing.since},
                    {"trouble", standing.trouble}});
}

std::unique_ptr<kube::HttpClient> Leadership::Fenced(std::unique_ptr<kube::HttpClient> http) const {
  return election_ ? kube::NewFencedHttp(std::move(http), *election_) : std::move(http);
}

std::unique_ptr<admin::NodeApi> Leadership::Fenced(std::unique_ptr<admin::NodeApi> nodes) const {
  if (!election_) return nodes;
  return std::make_unique<FencedNodes>(std::move(nodes), *election_);
}

}  // namespace restate::app
