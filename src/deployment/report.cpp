#include <algorithm>

#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/labels.h"
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
  if (plan.again && outcome.error.ok()) return false;
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

const crd::Condition* ReadyOf(const std::optional<crd::RestateDeploymentStatus>& status) {
  if (!status || !status->conditions) return nullptr;
  for (const crd::Condition& condition : *status->conditions) {
    if (condition.type == "Ready") return &condition;
  }
  return nullptr;
}

crd::Condition ReadyCondition(const Observed& seen, const Verdict& verdict) {
  crd::Condition ready{"Ready", std::string(verdict.status), std::string(RowOf(verdict.reason).name),
                       Cut(verdict.message), seen.now};
  const crd::Condition* old = ReadyOf(seen.status);
  if (old && old->status == ready.status && old->last_transition_time)
    ready.last_transition_time = old->last_transition_time;
  return ready;
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
  crd::RestateDeploymentStatus status;
  if (verdict.reason == Reason::kNotSupported && seen.status) {
    // Another operator may have made what the counters are about, in a way we do not know.
    status = *seen.status;
    status.observed_generation = seen.object->generation();
    status.conditions = std::vector{ReadyCondition(seen, verdict)};
    return status;
  }
  if (const Version* current = seen.Current()) FillCounters(seen, *current, status);
  if (seen.status) status.collision_count = seen.status->collision_count;
  if (plan.collided && status.collision_count.value_or(0) < std::numeric_limits<std::int32_t>::max()) {
    status.collision_count = std::max(0, status.collision_count.value_or(0)) + 1;
  }
  status.observed_generation = seen.object->generation();
  if (seen.decoded.ok()) status.label_selector = SelectorText(VersionSelector(seen));
  status.reconciliation = crd::Reconciliation::kReconciling;
  status.conditions = std::vector{ReadyCondition(seen, verdict)};
  status.deletion = plan.deletion;
  return status;
}

// Whether the status speaks of the present spec and version: what follows a rollout waits for that.
bool ToldOfThisVersion(const Observed& seen) {
  const Version* current = seen.Current();
  return seen.status && seen.status->observed_generation == seen.object->generation() && current &&
         seen.status->deployment_id.value_or("") == current->deployment_id;
}

bool Urgent(const Observed& seen, const DeploymentPlan& plan, const Verdict& verdict) {
  const crd::Condition* old = ReadyOf(seen.status);
  if (plan.collided || plan.deletion.has_value() != (seen.status && seen.status->deletion)) return true;
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
