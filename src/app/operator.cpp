#include "restate/app/operator.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "absl/strings/str_cat.h"
#include "restate/admin/node_client.h"
#include "restate/app/kinds.h"
#include "restate/app/routes.h"
#include "restate/base/error.h"
#include "restate/cli/gather.h"
#include "restate/cloud/cloud.h"
#include "restate/cluster/cluster.h"
#include "restate/deployment/deployment.h"
#include "restate/json/text.h"

namespace restate::app {
namespace {

using std::chrono::seconds;

// How long running passes and queued events are waited for at the end: 5 s in all, or 2 s where somebody else waits for
// the Lease (guarantees LV6: 3 s with the release).
struct Grace {
  Clock::Duration passes;
  absl::Duration events;
};
constexpr Grace kGrace{seconds(4), absl::Seconds(1)};
constexpr Grace kHandOverGrace{std::chrono::milliseconds(1500), absl::Milliseconds(500)};
constexpr std::size_t kServicesShown = 500;  // RestateDeployments on the page for people

// Why the operator ended.
struct Ended {
  absl::Status status;         // ok: it was asked to
  bool leads_no_more = false;  // then there is no grace (client-rules G3)
  bool again = false;          // somebody else leads: it is to stand by
};

// Who could not renew may have been asleep for long, and ends: Kubernetes starts it anew (client-rules L5). Who sees
// that somebody else leads knows how things stand, and stands by (L9).
Ended EndedBy(const runtime::EndOfTerm& end) {
  using Why = runtime::EndOfTerm::Why;
  return {.status = MakeError(end.why == Why::kForbidden ? Reason::kApiForbidden : Reason::kStopped, end.message),
          .leads_no_more = end.why != Why::kForbidden,
          .again = end.why == Why::kTaken};
}

// The first fatal error, or a request to stop: whatever comes first ends the wait.
class End {
 public:
  void Fail(Ended ended) {
    std::lock_guard lock(mutex_);
    if (!ended_) ended_ = std::move(ended);
    changed_.notify_all();
  }
  Ended Wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return ended_.has_value(); });
    return ended_.value_or(Ended{});
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Ended> ended_ GUARDED_BY(mutex_);
};

json::Value PodOf(const Settings& settings) {
  if (!settings.operator_pod_name) return {};
  return json::Obj({{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"metadata", json::Obj({{"name", *settings.operator_pod_name},
                                            {"namespace", settings.operator_namespace},
                                            {"uid", settings.operator_pod_uid}})}});
}

bool InCluster(const kube::Environment& environment) { return environment("KUBERNETES_SERVICE_HOST") != nullptr; }

absl::StatusOr<std::unique_ptr<kube::HttpClient>> AdminHttp(const std::string& origin, const Leadership& leadership) {
  kube::HttpSettings settings;
  settings.base_url = origin;
  settings.max_in_flight = 4;
  auto http = kube::NewHttpClient(std::move(settings));
  if (!http.ok()) return http.status();
  return leadership.Fenced(*std::move(http));
}

ControllerSettings SettingsOf(const Settings& settings, std::string ns) {
  return {.workers = settings.workers, .ns = std::move(ns), .pod = PodOf(settings)};
}

// No new work; what runs ends in time or is abandoned, and the Lease goes to whoever waits for it.
void Finish(const Controllers& controllers, Leadership& leadership, kube::EventRecorder& events, Clock& clock) {
  const Grace grace = leadership.Elects() ? kHandOverGrace : kGrace;
  const auto deadline = clock.Now() + grace.passes;
  for (KindController& controller : controllers) {
    const auto left = std::max<Clock::Duration>(deadline - clock.Now(), Clock::Duration::zero());
    if (!controller.Join(left)) spdlog::warn("{}: a pass is abandoned: it did not end in time", controller.name());
  }
  events.Flush(grace.events);
  leadership.Release();
}

// One life: until it is asked to end, must end, or leads no more.
Ended RunOnce(const Settings& settings, const kube::Environment& environment, const kube::HttpSettings& api,
              std::stop_token stop) {
  Clock& clock = Clock::Real();
  End end;
  State state{.config = ConfigOf(settings, environment), .metrics = {}, .diagnostics = {}};
  const auto leadership = Leadership::New(settings, InCluster(environment), api, state.metrics, clock,
                                          [&end](const runtime::EndOfTerm& over) { end.Fail(EndedBy(over)); });
  if (!leadership.ok()) return {leadership.status()};
  auto plain_http = kube::NewHttpClient(api);
  if (!plain_http.ok()) return {plain_http.status()};
  const auto http = (*leadership)->Fenced(*std::move(plain_http));
  kube::Client client(*http, &state.metrics.ApiRequests());
  const auto events =
      kube::NewEventRecorder(client, clock, settings.operator_pod_name.value_or(std::string(kube::kManager)));
  runtime::WorkQueue deployment_keys(clock, &state.metrics.Queue(deployment::Kind::kName));
  runtime::WorkQueue cluster_keys(clock, &state.metrics.Queue(cluster::Kind::kName));
  runtime::WorkQueue cloud_keys(clock, &state.metrics.Queue(cloud::Kind::kName));
  admin::AdminClient admin([&](const std::string& origin) { return AdminHttp(origin, **leadership); },
                           &state.metrics.AdminRequests());
  admin::Usage usage(admin, clock, [&](const kube::Key& key) { deployment_keys.Add(key); });
  const auto node_client = (*leadership)->Fenced(std::make_unique<admin::NodeClient>());
  admin::Nodes nodes(*node_client, clock, [&](const kube::Key& key) { cluster_keys.Add(key); });
  plan::Secrets secrets(client);

  const Shared shared{state, **leadership, clock, client, *events, admin, usage, *node_client, nodes, secrets};
  const auto ns = settings.watch_namespaces.empty() ? std::string() : settings.watch_namespaces.front();
  const auto fatal = [&end](absl::Status status) { end.Fail({std::move(status)}); };
  KindController deployments(shared, deployment_keys, RestateDeployments(state, deployment_keys),
                             SettingsOf(settings, ns), fatal);
  KindController clusters(shared, cluster_keys, RestateClusters(state, ns), SettingsOf(settings, ns), fatal);
  KindController environments(shared, cloud_keys, RestateCloudEnvironments(),
                              SettingsOf(settings, settings.operator_namespace), fatal);
  const Controllers controllers{deployments, clusters, environments};

  std::atomic<bool> stopping = false;
  const auto objects = [&] {
    return cli::GatherObjects({deployments.cache(), clusters.cache(), environments.cache()}, kServicesShown);
  };
  auto web =
      WebServer::Start({.port = settings.http_port}, MakeRoutes({state, **leadership, controllers, stopping, objects}));
  if (!web.ok()) return {web.status()};
  spdlog::info("restate-operator {} serves diagnostics on port {}", RESTATE_OPERATOR_VERSION, (*web)->port());

  (*leadership)->Start();
  for (KindController& controller : controllers) controller.Start();
  Ended ended = end.Wait(stop);
  stopping = true;
  spdlog::info("stopping");
  for (KindController& controller : controllers) controller.RequestStop();
  if (!ended.leads_no_more) Finish(controllers, **leadership, *events, clock);
  return ended;
}

}  // namespace

// An operator in a pod is never sent to loopback: that would be its own pod.
plan::Config ConfigOf(const Settings& settings, const kube::Environment& environment) {
  return {.cluster_dns = settings.cluster_dns,
          .allow_loopback = !InCluster(environment),
          .operator_namespace = settings.operator_namespace,
          .operator_label_name = settings.operator_label_name.value_or(""),
          .operator_label_value = settings.operator_label_value.value_or(""),
          .tunnel_image = settings.tunnel_client_default_image,
          .canary_image = settings.canary_image,
          .aws_pod_identity_association_cluster = settings.aws_pod_identity_association_cluster.value_or(""),
          .gcp_workload_identity = settings.gcp_workload_identity,
          .manage_network_policies = settings.manage_network_policies,
          .manage_secret_provider_classes = settings.manage_secret_provider_classes};
}

absl::Status RunOperator(const Settings& settings, const kube::Environment& environment, std::stop_token stop) {
  if (settings.watch_namespaces.size() > 1) {
    return MakeError(Reason::kInvalidSpec,
                     "more than one namespace to watch is not supported yet; give one, or none for all");
  }
  auto access = kube::FindAccess(environment);
  if (!access.ok()) return access.status();
  spdlog::info("using {} at {}", access->origin, access->http.base_url);
  access->http.user_agent = absl::StrCat("restate-operator/", RESTATE_OPERATOR_VERSION);
  for (;;) {
    const Ended ended = RunOnce(settings, environment, access->http, stop);
    if (!ended.again) return ended.status;
    spdlog::warn("{}; standing by", std::string(MessageOf(ended.status)));
  }
}

}  // namespace restate::app
