#include <algorithm>

#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/knative.h"
#include "restate/deployment/labels.h"
#include "restate/deployment/version_status.h"
#include "restate/plan/verdict.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

bool WorthTelling(const DeploymentPlan& plan, const plan::Outcome& outcome, Reason reason) {
  if (plan.released && outcome.error.ok()) return false;  // the finalizer is gone, and with it the object
  if (plan.again && outcome.changed && outcome.error.ok()) return false;
  return !plan::IsMoment(reason);
}

plan::ConditionFrame FrameOf(const Observed& seen) {
  const bool told = seen.status && seen.status->conditions;
  return {told ? &*seen.status->conditions : nullptr, seen.now, seen.object->generation()};
}

// All stays as it was, but that nobody looks after it.
crd::RestateDeploymentStatus SuspendedStatus(const Observed& seen, const plan::Verdict& verdict) {
  auto status = seen.status.value_or(crd::RestateDeploymentStatus{});
  status.reconciliation = crd::Reconciliation::kDisabled;
  status.conditions = plan::ConditionsWhileSuspended(FrameOf(seen), verdict);
  return status;
}

void FillPodCounters(const Observed& seen, const Version& current, crd::RestateDeploymentStatus& status) {
  const auto count = [&](std::string_view name) {
    return static_cast<std::int32_t>(current.body.IntAt({"status", name}));
  };
  status.replicas = count("replicas");
  status.desired_replicas = seen.spec.replicas;
  status.ready_replicas = count("readyReplicas");
  status.available_replicas = count("availableReplicas");
  status.unavailable_replicas = std::max(0, seen.spec.replicas - *status.available_replicas);
}

// Knative counts no pods that are not ready.
void FillRevisionCounters(const Version& current, crd::RestateDeploymentStatus& status) {
  const auto number = [](std::int64_t count) { return static_cast<std::int32_t>(count); };
  status.replicas = number(current.replicas());
  status.ready_replicas = status.available_replicas = status.replicas;
  status.desired_replicas = number(DesiredReplicas(current));
  status.unavailable_replicas = std::max(0, *status.desired_replicas - *status.available_replicas);
}

void FillCounters(const Observed& seen, crd::RestateDeploymentStatus& status) {
  const Version* current = seen.Current();
  if (current && !current->deployment_id.empty()) status.deployment_id = current->deployment_id;
  // Restate still knows what the cluster has lost; but a new tag is another version.
  if (!current && seen.status && (seen.deleting() || !seen.in_knative_mode()))
    status.deployment_id = seen.status->deployment_id;
  if (seen.in_knative_mode()) {
    status.ready_replicas = status.available_replicas = status.desired_replicas = status.unavailable_replicas = 0;
  }
  if (!current) return;
  current->is_knative() ? FillRevisionCounters(*current, status) : FillPodCounters(seen, *current, status);
}

crd::KnativeStatus StatusOfKnative(const Observed& seen) {
  crd::KnativeStatus status{.configuration_name = seen.name, .route_name = seen.name};
  const Version* current = seen.Current();
  if (!current) return status;
  if (std::string url = UrlOfRoute(*current); !url.empty()) status.url = std::move(url);
  const std::string_view revision = current->body.StringAt({"status", "latestCreatedRevisionName"});
  if (!revision.empty()) status.latest_revision = revision;
  return status;
}

crd::RestateDeploymentStatus StatusFor(const Observed& seen, const DeploymentPlan& plan, const plan::Verdict& verdict) {
  if (verdict.reason == Reason::kSuspended) return SuspendedStatus(seen, verdict);
  crd::RestateDeploymentStatus status;
  if (verdict.reason == Reason::kKnativeNotInstalled && seen.status) {
    status = *seen.status;  // of what cannot be seen
    status.observed_generation = seen.object->generation();
    status.conditions = plan::ConditionsFor(FrameOf(seen), verdict);
    status.deletion = plan.deletion;
    return status;
  }
  FillCounters(seen, status);
  if (seen.status) status.collision_count = seen.status->collision_count;
  if (plan.collided && status.collision_count.value_or(0) < std::numeric_limits<std::int32_t>::max()) {
    status.collision_count = std::max(0, status.collision_count.value_or(0)) + 1;
  }
  status.observed_generation = seen.object->generation();
  if (seen.in_knative_mode()) {
    status.knative = StatusOfKnative(seen);
  } else if (seen.decoded.ok()) {
    status.label_selector = SelectorText(VersionSelector(seen));
  }
  status.reconciliation =
      plan::ReconciliationFor(seen.status ? seen.status->reconciliation : std::nullopt, verdict, seen.deleting());
  status.conditions = plan::ConditionsFor(FrameOf(seen), verdict);
  status.deletion = plan.deletion;
  if (auto versions = VersionStatuses(seen); !versions.empty()) status.versions = std::move(versions);
  return status;
}

// Whether the status speaks of the present spec and version: what follows a rollout waits for that.
bool ToldOfThisVersion(const Observed& seen) {
  const Version* current = seen.Current();
  return seen.status && seen.status->observed_generation == seen.object->generation() && current &&
         seen.status->deployment_id.value_or("") == current->deployment_id;
}

bool DeletionMovedOn(const Observed& seen, const DeploymentPlan& plan) {
  const bool told = seen.status && seen.status->deletion;
  if (told != plan.deletion.has_value()) return true;
  return told && seen.status->deletion->phase != plan.deletion->phase;
}

bool Urgent(const Observed& seen, const DeploymentPlan& plan, const plan::Verdict& verdict) {
  const crd::Condition* old = plan::Told(FrameOf(seen), "Ready");
  if (plan.collided || DeletionMovedOn(seen, plan)) return true;
  if (verdict.reason == Reason::kSuspended) return true;
  // Often over before they are worth a write.
  if (verdict.reason == Reason::kApiUnavailable || verdict.reason == Reason::kApiConflict) return false;
  if (RowOf(verdict.reason).error_class != ErrorClass::kWait) return !old || old->reason != RowOf(verdict.reason).name;
  if (verdict.status != "True") return old && old->status == "True";
  return !old || old->status != "True" || !ToldOfThisVersion(seen);
}

}  // namespace

plan::Report ReportOn(const Observed& seen, const DeploymentPlan& plan, const plan::Outcome& outcome) {
  plan::Report report;
  const plan::Verdict verdict =
      plan::VerdictOf(plan, outcome, {"True", Reason::kDeployed, "RestateDeployment is deployed"});
  if (verdict.status != "True") report.waiting = plan::Waiting{verdict.reason, verdict.message};
  if (RowOf(verdict.reason).event) report.event = FailureEvent(seen, verdict.reason, plan::CutMessage(verdict.message));
  if (!WorthTelling(plan, outcome, verdict.reason)) return report;
  const json::Value* current = seen.body.Find("status");
  report.status = plan::StatusToPublish{kRestateDeployments, seen.object, current ? *current : json::Value(),
                                        schema::Encode(StatusFor(seen, plan, verdict)), Urgent(seen, plan, verdict)};
  return report;
}

}  // namespace restate::deployment
