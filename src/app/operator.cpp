#include "restate/app/operator.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "restate/admin/node_client.h"
#include "restate/app/kinds.h"
#include "restate/app/state.h"
#include "restate/app/web.h"
#include "restate/base/error.h"
#include "restate/cloud/cloud.h"
#include "restate/cluster/cluster.h"
#include "restate/deployment/deployment.h"
#include "restate/json/text.h"

namespace restate::app {
namespace {

using std::chrono::seconds;

constexpr Clock::Duration kGrace = seconds(4);  // for running passes; with the events' second, 5 s in all
constexpr absl::Duration kEventGrace = absl::Seconds(1);
constexpr std::size_t kWaitingShown = 1000;  // objects on the diagnostics page

// The first fatal error, or a request to stop: whatever comes first ends the wait.
class End {
 public:
  void Fail(absl::Status status) {
    std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = std::move(status);
    failed_ = true;
    changed_.notify_all();
  }
  absl::Status Wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return failed_; });
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool failed_ GUARDED_BY(mutex_) = false;
  absl::Status status_ GUARDED_BY(mutex_);
};

json::Value PodOf(const Settings& settings) {
  if (!settings.operator_pod_name) return {};
  return json::Obj({{"apiVersion", "v1"},
                    {"kind", "Pod"},
                    {"metadata", json::Obj({{"name", *settings.operator_pod_name},
                                            {"namespace", settings.operator_namespace},
                                            {"uid", settings.operator_pod_uid}})}});
}

// An operator in a pod is never sent to loopback: that would be its own pod.
plan::Config ConfigOf(const Settings& settings, const kube::Environment& environment) {
  return {.cluster_dns = settings.cluster_dns,
          .allow_loopback = environment("KUBERNETES_SERVICE_HOST") == nullptr,
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

absl::StatusOr<std::unique_ptr<kube::HttpClient>> AdminHttp(const std::string& origin) {
  kube::HttpSettings http;
  http.base_url = origin;
  http.max_in_flight = 4;
  return kube::NewHttpClient(std::move(http));
}

Reply JsonReply(int status, const json::Value& value) { return {status, "application/json", json::Dump(value)}; }

using Controllers = std::vector<std::reference_wrapper<KindController>>;

json::Value Diagnosed(const KindController& controller) {
  return json::Obj({{"name", controller.name()}, {"ready", controller.Ready()}, {"trouble", controller.Trouble()}});
}

Routes MakeRoutes(State& state, const Controllers& controllers, const std::atomic<bool>& stopping) {
  const auto pending = [&stopping, controllers] {
    json::Array names;
    for (const KindController& controller : controllers) {
      if (stopping || !controller.Ready()) names.push_back(controller.name());
    }
    return names;
  };
  Routes routes;
  routes["/health"] = [] { return JsonReply(200, "healthy"); };
  routes["/ready"] = [pending] {
    const json::Array names = pending();
    return JsonReply(names.empty() ? 200 : 503, json::Obj({{"ready", names.empty()}, {"pendingControllers", names}}));
  };
  routes["/metrics"] = [&state, controllers] {
    for (KindController& controller : controllers) controller.Measure();
    return Reply{200, std::string(Metrics::kContentType), state.metrics.Text()};
  };
  routes["/"] = [&state, controllers] {
    json::Value page = state.diagnostics.ToJson(kWaitingShown);
    page["version"] = RESTATE_OPERATOR_VERSION;
    json::Array list;
    for (const KindController& controller : controllers) list.push_back(Diagnosed(controller));
    page["controllers"] = std::move(list);
    return JsonReply(200, page);
  };
  return routes;
}

}  // namespace

absl::Status RunOperator(const Settings& settings, const kube::Environment& environment, std::stop_token stop) {
  if (settings.watch_namespaces.size() > 1) {
    return MakeError(Reason::kInvalidSpec,
                     "more than one namespace to watch is not supported yet; give one, or none for all");
  }
  auto access = kube::FindAccess(environment);
  if (!access.ok()) return access.status();
  spdlog::info("using {} at {}", access->origin, access->http.base_url);
  access->http.user_agent = absl::StrCat("restate-operator/", RESTATE_OPERATOR_VERSION);
  auto http = kube::NewHttpClient(access->http);
  if (!http.ok()) return http.status();

  Clock& clock = Clock::Real();
  End end;
  State state{.config = ConfigOf(settings, environment), .metrics = {}, .diagnostics = {}};
  kube::Client client(**http, &state.metrics.ApiRequests());
  const auto events =
      kube::NewEventRecorder(client, clock, settings.operator_pod_name.value_or(std::string(kube::kManager)));
  runtime::WorkQueue deployment_keys(clock, &state.metrics.Queue(deployment::Kind::kName));
  runtime::WorkQueue cluster_keys(clock, &state.metrics.Queue(cluster::Kind::kName));
  runtime::WorkQueue cloud_keys(clock, &state.metrics.Queue(cloud::Kind::kName));
  admin::AdminClient admin(AdminHttp, &state.metrics.AdminRequests());
  admin::Usage usage(admin, clock, [&](const kube::Key& key) { deployment_keys.Add(key); });
  admin::NodeClient node_client;
  admin::Nodes nodes(node_client, clock, [&](const kube::Key& key) { cluster_keys.Add(key); });
  plan::Secrets secrets(client);

  const Shared shared{state, clock, client, *events, admin, usage, node_client, nodes, secrets};
  const ControllerSettings controller_settings{
      .workers = settings.workers,
      .ns = settings.watch_namespaces.empty() ? std::string() : settings.watch_namespaces.front(),
      .pod = PodOf(settings)};
  const auto fatal = [&end](absl::Status status) { end.Fail(std::move(status)); };
  KindController deployments(shared, deployment_keys, RestateDeployments(state, deployment_keys), controller_settings,
                             fatal);
  KindController clusters(shared, cluster_keys, RestateClusters(state, controller_settings.ns), controller_settings,
                          fatal);
  ControllerSettings cloud_settings = controller_settings;
  cloud_settings.ns = settings.operator_namespace;
  KindController environments(shared, cloud_keys, RestateCloudEnvironments(), cloud_settings, fatal);
  const Controllers controllers{deployments, clusters, environments};

  std::atomic<bool> stopping = false;
  auto web = WebServer::Start({.port = settings.http_port}, MakeRoutes(state, controllers, stopping));
  if (!web.ok()) return web.status();
  spdlog::info("restate-operator {} serves diagnostics on port {}", RESTATE_OPERATOR_VERSION, (*web)->port());

  for (KindController& controller : controllers) controller.Start();
  const absl::Status ended = end.Wait(stop);
  stopping = true;
  spdlog::info("stopping");
  for (KindController& controller : controllers) controller.RequestStop();
  const auto deadline = clock.Now() + kGrace;
  for (KindController& controller : controllers) {
    const auto left = std::max<Clock::Duration>(deadline - clock.Now(), Clock::Duration::zero());
    if (!controller.Join(left)) spdlog::warn("{}: a pass is abandoned: it did not end in time", controller.name());
  }
  events->Flush(kEventGrace);
  return ended;
}

}  // namespace restate::app
