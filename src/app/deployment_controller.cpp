#include "restate/app/deployment_controller.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/triggers.h"
#include "restate/deployment/version_status.h"

namespace restate::app {
namespace {

using deployment::kRestateDeployments;

constexpr Clock::Duration kCachePoll = std::chrono::milliseconds(50);

}  // namespace

DeploymentController::DeploymentController(Shared shared, ControllerSettings settings,
                                           std::function<void(absl::Status)> fatal)
    : shared_(shared),
      settings_(std::move(settings)),
      fatal_(std::move(fatal)),
      queue_(shared_.clock, &shared_.state.metrics.Queue(deployment::Kind::kName)),
      usage_(shared_.admin, shared_.clock, [this](const kube::Key& key) { queue_.Add(key); }),
      controller_(
          {.name = std::string(deployment::Kind::kName), .workers = settings_.workers}, queue_, shared_.clock,
          [this](const kube::Key& key, std::stop_token stop) { return Pass(key, stop); },
          &shared_.state.metrics.Passes(deployment::Kind::kName)) {
  // Children are watched by the label the operator gives them: a cluster is full of other people's ReplicaSets.
  const std::string ours =
      absl::StrCat(std::string(deployment::kManagedByLabel), "=", std::string(deployment::kManager));
  const auto one = [](auto key_of) {
    return [key_of](const runtime::Change& change) {
      const auto key = key_of(change);
      return key ? std::vector{*key} : std::vector<kube::Key>();
    };
  };
  Watch(kRestateDeployments, "", one([this](const runtime::Change& change) {
          // A pass that holds the key may be the one that let it go: the event can overtake the answer to its write.
          if (deployment::WasTakenAway(change) && !queue_.held(change.before->key())) {
            spdlog::warn(
                "RestateDeployment {}: its finalizer was taken away; what is registered for it in Restate stays",
                change.before->key().ToString());
          }
          return plan::KeyOfChange(change);
        }));
  Watch(kube::kReplicaSets, ours, one(deployment::KeyOfChildChange));
  Watch(kube::kServices, ours, one(deployment::KeyOfChildChange));
  Watch(kube::kAutoscalers, ours, one(deployment::KeyOfSpecChange));
  // Not every installation has RestateClusters: no object waits for them but those that name one.
  const auto dependents = [this](const runtime::Change& c) {
    return deployment::KeysOfClusterChange(c, shared_.cache);
  };
  Watch(deployment::kRestateClusters, "", dependents, Need::kOptional);
}

DeploymentController::~DeploymentController() {
  RequestStop();
  // Reflectors and usage add to the queue: they end before it.
  starter_ = {};
  reflectors_.clear();
}

std::string_view DeploymentController::name() const { return deployment::Kind::kName; }

void DeploymentController::Watch(const kube::Resource& resource, std::string selector, KeysOf keys_of, Need need) {
  const auto enqueue = [this, keys_of](const std::vector<runtime::Change>& changes, bool initial) {
    using Priority = runtime::WorkQueue::Priority;
    for (const runtime::Change& change : changes) {
      for (const kube::Key& key : keys_of(change)) queue_.Add(key, initial ? Priority::kBackground : Priority::kLive);
    }
  };
  if (need == Need::kRequired) resources_.push_back(resource);
  reflectors_.push_back(std::make_unique<runtime::Reflector>(
      runtime::ReflectorOptions{.resource = resource,
                                .ns = resource.namespaced ? settings_.ns : std::string(),
                                .selector = std::move(selector)},
      shared_.client, shared_.cache, shared_.clock, enqueue, &shared_.state.metrics.Watches()));
}

void DeploymentController::Start() {
  starter_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void DeploymentController::Run(std::stop_token stop) {
  const CrdGate gate{kRestateDeployments, settings_.pod};
  const absl::Status served = gate.Wait(shared_.client, shared_.clock, shared_.state.metrics, shared_.events, stop);
  if (!served.ok()) {
    if (!stop.stop_requested()) fatal_(served);
    return;
  }
  for (const auto& reflector : reflectors_) reflector->Start();
  if (!WaitForCaches(stop)) return;
  controller_.Start();
  ready_ = true;
  spdlog::info("{}: ready", name());
}

// No pass before every cache it reads has its first complete list (client-rules W19).
bool DeploymentController::WaitForCaches(std::stop_token stop) {
  for (const kube::Resource& resource : resources_) {
    while (!shared_.cache.Synced(resource)) {
      if (!shared_.clock.Sleep(kCachePoll, stop)) return false;
    }
  }
  return true;
}

runtime::Next DeploymentController::Pass(const kube::Key& key, std::stop_token stop) {
  const plan::World world{shared_.state.config,
                          shared_.clock,
                          shared_.cache,
                          shared_.client,
                          shared_.applier,
                          shared_.events,
                          shared_.admin,
                          usage_,
                          shared_.statuses,
                          shared_.state.diagnostics,
                          stop};
  runtime::Next next = plan::Reconcile<deployment::Kind>(key, world);
  if (const auto object = shared_.cache.Get(kRestateDeployments, key)) {
    const auto counts = deployment::CountVersions(object->Body());
    shared_.state.metrics.SetVersions(key, counts.by_phase, counts.invocations);
  } else {
    shared_.state.metrics.Forget(name(), key);
  }
  return next;
}

void DeploymentController::RequestStop() {
  ready_ = false;
  starter_.request_stop();
  controller_.RequestStop();
}

bool DeploymentController::Join(Clock::Duration limit) { return controller_.Join(limit); }

std::string DeploymentController::Trouble() const {
  for (const auto& reflector : reflectors_) {
    if (std::string trouble = reflector->Trouble(); !trouble.empty()) return trouble;
  }
  return ready_ ? "" : "waiting for its CRD and its first lists";
}

void DeploymentController::Measure() {
  for (const kube::Resource& resource : resources_) {
    shared_.state.metrics.SetCacheObjects(resource, shared_.cache.Size(resource));
  }
  shared_.state.metrics.SetLoad(name(), controller_.load());
}

}  // namespace restate::app
