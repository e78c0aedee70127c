#include "restate/deployment/current_version.h"

#include "absl/strings/str_cat.h"
#include "restate/deployment/gates.h"
#include "restate/deployment/knative.h"
#include "restate/deployment/objects.h"

namespace restate::deployment {
namespace {

// Adopted again after a rollback: its removal is off.
void CancelRemoval(const Version& current, DeploymentPlan& plan) {
  if (current.HasAnnotation(kRemoveVersionAtAnnotation)) {
    plan.steps.push_back(Annotate(current, json::Object(), kRemoveVersion));
  }
}

// The plan goes on from what is there; what these steps change, it has to see first.
bool WaitsForFront(const Version& current, DeploymentPlan& plan) {
  if (!current.front) plan.again = true;
  return current.front == nullptr;
}

bool MakeReplicaSet(const Observed& seen, DeploymentPlan& plan) {
  const Version* current = seen.Current();
  if (!current) {
    plan.steps.push_back(plan::Create{kube::kReplicaSets, ReplicaSetFor(seen), std::string(kManager)});
    plan.again = true;
    return false;
  }
  // One left from when it drained; the wanted version is scaled by spec.replicas alone.
  if (current->autoscaler) {
    plan.steps.push_back(plan::Delete{kube::kAutoscalers, current->autoscaler->key(), current->autoscaler->uid()});
  }
  for (plan::Step& step : UpdatesOf(seen, *current)) plan.steps.push_back(std::move(step));
  return true;
}

bool MakeService(const Observed& seen, DeploymentPlan& plan) {
  const Version& current = *seen.Current();
  plan.steps.push_back(
      plan::Apply{kube::kServices, ServiceFor(seen, current), std::string(kManager), "", current.front});
  // Both are written with the registration; a crash between the two, or somebody's edit, leaves one without.
  if (current.front && !current.deployment_id.empty()) plan.steps.push_back(RecordOnService(current));
  CancelRemoval(current, plan);
  return !WaitsForFront(current, plan);
}

// An apply that changes its template makes a Revision of it, and the status speaks of the old one until then.
bool MakeConfiguration(const Observed& seen, DeploymentPlan& plan) {
  const Version* current = seen.Current();
  if (current && current->object->deleting()) {
    plan.wait = VersionNotReady(seen, *current);
    return false;
  }
  plan.steps.push_back(plan::Apply{.resource = kConfigurations,
                                   .body = ConfigurationFor(seen),
                                   .manager = std::string(kManager),
                                   .live = current ? current->object : nullptr,
                                   .ends_plan = true,
                                   .must_be_new = true});
  plan.again = true;
  return current != nullptr;
}

bool MakeRoute(const Observed& seen, DeploymentPlan& plan) {
  const Version& current = *seen.Current();
  plan.steps.push_back(plan::Apply{.resource = kRoutes,
                                   .body = RouteFor(seen, current),
                                   .manager = std::string(kManager),
                                   .live = current.front,
                                   .ends_plan = true,
                                   .must_be_new = true});
  CancelRemoval(current, plan);
  return !WaitsForFront(current, plan);
}

}  // namespace

bool MakeCurrentVersion(const Observed& seen, DeploymentPlan& plan) {
  if (seen.in_knative_mode()) {
    if ((plan.wait = KnativeMissing(seen))) return false;
  }
  if (HashCollides(seen)) {
    plan.collided = true;
    plan.failure =
        MakeError(Reason::kHashCollision, absl::StrCat(seen.in_knative_mode() ? "Configuration " : "ReplicaSet ",
                                                       seen.name, " exists and is another one; trying a new name"));
    return false;
  }
  if (auto taken = NameTaken(seen)) {
    plan.failure = MakeError(taken->reason, taken->message);
    return false;
  }
  if (seen.in_knative_mode()) return MakeConfiguration(seen, plan) && MakeRoute(seen, plan);
  return MakeReplicaSet(seen, plan) && MakeService(seen, plan);
}

}  // namespace restate::deployment
