#include <algorithm>

#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/labels.h"
#include "restate/deployment/version_status.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

constexpr std::size_t kLongestMessage = 1024;  // bytes; what an event may carry as well (guarantees TR2)

std::string Cut(std::string text) {
  if (text.size() <= kLongestMessage) return text;
  std::size_t end = kLongestMessage - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a UTF-8 sequence
  return text.substr(0, end) + "...";
}

// The one sentence about the object that the Ready condition says.
struct Verdict {
  std::string_view status = "True";
  Reason reason = Reason::kDeployed;
  std::string message = "RestateDeployment is deployed";
};

std::string_view StatusOf(Reason reason) {
  switch (reason) {
    case Reason::kApiUnavailable:
    case Reason::kApiRejected:
    case Reason::kApiNotFound:
    case Reason::kApiForbidden:
    case Reason::kInternalError: return "Unknown";
    default: return "False";
  }
}

Verdict VerdictOf(const DeploymentPlan& plan, const plan::Outcome& outcome) {
  const absl::Status& failure = outcome.error.ok() ? plan.failure : outcome.error;
  if (!failure.ok()) return {StatusOf(ReasonOf(failure)), ReasonOf(failure), std::string(MessageOf(failure))};
  if (plan.wait) return {"False", plan.wait->reason, plan.wait->message};
  return {};
}

// Moments and mishaps of our own that the next pass mends: they are not worth a write.
bool WorthTelling(const DeploymentPlan& plan, const plan::Outcome& outcome, Reason reason) {
  if (plan.released && outcome.error.ok()) return false;  // the finalizer is gone, and with it the object
  if (plan.again && outcome.changed && outcome.error.ok()) return false;
  switch (reason) {
    case Reason::kWaitingForUsage:
    case Reason::kConfirmingRegistration:
    case Reason::kAdminBusy:
    case Reason::kApiConflict:
    case Reason::kStopped:
    case Reason::kNotSynced: return false;
    default: return true;
  }
}

const crd::Condition* Told(const Observed& seen, std::string_view type) {
  if (!seen.status || !seen.status->conditions) return nullptr;
  for (const crd::Condition& condition : *seen.status->conditions) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

crd::Condition ConditionOf(const Observed& seen, std::string_view type, std::string_view status,
                           const Verdict& verdict) {
  crd::Condition condition{.type = std::string(type),
                           .status = std::string(status),
                           .reason = std::string(RowOf(verdict.reason).name),
                           .message = Cut(verdict.message),
                           .last_transition_time = seen.now,
                           .observed_generation = seen.object->generation()};
  const crd::Condition* old = Told(seen, type);
  if (old && old->status == condition.status && old->last_transition_time)
    condition.last_transition_time = old->last_transition_time;
  return condition;
}

// Nothing the operator does helps: somebody has to change the object, the cluster, or Restate.
bool IsStalled(Reason reason) {
  switch (RowOf(reason).error_class) {
    case ErrorClass::kUserMistake:
    case ErrorClass::kOtherSideRefused:
    case ErrorClass::kNotAllowed: return true;
    default: return reason == Reason::kForeignDeployment;
  }
}

// Ready always; Reconciling and Stalled only while they are true, as kstatus wants it.
std::vector<crd::Condition> ConditionsFor(const Observed& seen, const Verdict& verdict) {
  std::vector<crd::Condition> conditions{ConditionOf(seen, "Ready", verdict.status, verdict)};
  if (verdict.status == "True" || verdict.reason == Reason::kScaledToZero) return conditions;
  conditions.push_back(ConditionOf(seen, IsStalled(verdict.reason) ? "Stalled" : "Reconciling", "True", verdict));
  return conditions;
}

crd::Reconciliation ReconciliationFor(const Observed& seen, const Verdict& verdict) {
  using enum crd::Reconciliation;
  const auto old = seen.status ? seen.status->reconciliation.value_or(kReconciling) : kReconciling;
  return old != kReconciling && verdict.status != "True" && !seen.deleting() ? kResuming : kReconciling;
}

// All stays as it was, but that nobody looks after it.
crd::RestateDeploymentStatus SuspendedStatus(const Observed& seen, const Verdict& verdict) {
  auto status = seen.status.value_or(crd::RestateDeploymentStatus{});
  status.reconciliation = crd::Reconciliation::kDisabled;
  auto& conditions = status.conditions.emplace(status.conditions.value_or(std::vector<crd::Condition>()));
  std::erase_if(conditions, [](const crd::Condition& c) { return c.type == "Reconciling"; });
  conditions.push_back(ConditionOf(seen, "Reconciling", "False", verdict));
  return status;
}

void FillCounters(const Observed& seen, const Version& current, crd::RestateDeploymentStatus& status) {
  const auto count = [&](std::string_view name) {
    return static_cast<std::int32_t>(current.body.IntAt({"status", name}));
  };
  if (!current.deployment_id.empty()) status.deployment_id = current.deployment_id;
  status.replicas = count("replicas");
  status.desired_replicas = seen.spec.replicas;
  status.ready_replicas = count("readyReplicas");
  status.available_replicas = count("availableReplicas");
  status.unavailable_replicas = std::max(0, seen.spec.replicas - *status.available_replicas);
}

crd::RestateDeploymentStatus StatusFor(const Observed& seen, const DeploymentPlan& plan, const Verdict& verdict) {
  if (verdict.reason == Reason::kSuspended) return SuspendedStatus(seen, verdict);
  crd::RestateDeploymentStatus status;
  if (verdict.reason == Reason::kNotSupported && seen.status) {
    // Another operator may have made what the counters are about, in a way we do not know.
    status = *seen.status;
    status.observed_generation = seen.object->generation();
    status.conditions = ConditionsFor(seen, verdict);
    return status;
  }
  if (const Version* current = seen.Current()) {
    FillCounters(seen, *current, status);
  } else if (seen.status) {
    status.deployment_id = seen.status->deployment_id;  // Restate still knows what the cluster has lost
  }
  if (seen.status) status.collision_count = seen.status->collision_count;
  if (plan.collided && status.collision_count.value_or(0) < std::numeric_limits<std::int32_t>::max()) {
    status.collision_count = std::max(0, status.collision_count.value_or(0)) + 1;
  }
  status.observed_generation = seen.object->generation();
  if (seen.decoded.ok()) status.label_selector = SelectorText(VersionSelector(seen));
  status.reconciliation = ReconciliationFor(seen, verdict);
  status.conditions = ConditionsFor(seen, verdict);
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

bool Urgent(const Observed& seen, const DeploymentPlan& plan, const Verdict& verdict) {
  const crd::Condition* old = Told(seen, "Ready");
  if (plan.collided || DeletionMovedOn(seen, plan)) return true;
  if (verdict.reason == Reason::kSuspended) return true;
  if (verdict.reason == Reason::kApiUnavailable) return false;  // often over before it is worth a write
  if (RowOf(verdict.reason).error_class != ErrorClass::kWait) return !old || old->reason != RowOf(verdict.reason).name;
  if (verdict.status != "True") return old && old->status == "True";
  return !old || old->status != "True" || !ToldOfThisVersion(seen);
}

}  // namespace

plan::Report ReportOn(const Observed& seen, const DeploymentPlan& plan, const plan::Outcome& outcome) {
  plan::Report report;
  const Verdict verdict = VerdictOf(plan, outcome);
  if (verdict.status != "True")
    report.waiting = plan::Waiting{std::string(RowOf(verdict.reason).name), verdict.message};
  if (RowOf(verdict.reason).event) report.event = FailureEvent(seen, verdict.reason, Cut(verdict.message));
  if (!WorthTelling(plan, outcome, verdict.reason)) return report;
  const json::Value* current = seen.body.Find("status");
  report.status = plan::StatusToPublish{kRestateDeployments, seen.object, current ? *current : json::Value(),
                                        schema::Encode(StatusFor(seen, plan, verdict)), Urgent(seen, plan, verdict)};
  return report;
}

}  // namespace restate::deployment
