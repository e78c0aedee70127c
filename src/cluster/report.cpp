#include "announce.h"
#include "restate/cluster/cluster.h"
#include "restate/cluster/warnings.h"
#include "restate/plan/verdict.h"
#include "restate/schema/codec.h"

namespace restate::cluster {
namespace {

bool WorthTelling(const ClusterPlan& plan, const plan::Outcome& outcome, Reason reason) {
  if (outcome.provisioned || plan.provisioned) return true;  // never to be forgotten
  if (plan.released && outcome.error.ok()) return false;     // the finalizer is gone, and with it the object
  if (plan.again && outcome.changed && outcome.error.ok() && plan.failure.ok()) return false;
  return !plan::IsMoment(reason);
}

plan::ConditionFrame FrameOf(const Observed& seen) {
  const bool told = seen.status && seen.status->conditions;
  return {told ? &*seen.status->conditions : nullptr, seen.now, seen.object->generation()};
}

crd::RestateClusterStatus StatusFor(const Observed& seen, const plan::Verdict& verdict, const plan::Outcome& outcome,
                                    bool provisioned) {
  if (verdict.reason == Reason::kSuspended) {
    auto status = seen.status.value_or(crd::RestateClusterStatus());
    status.reconciliation = crd::Reconciliation::kDisabled;
    status.conditions = plan::ConditionsWhileSuspended(FrameOf(seen), verdict);
    return status;
  }
  crd::RestateClusterStatus status;
  status.observed_generation = seen.object->generation();
  status.conditions = plan::ConditionsFor(FrameOf(seen), verdict);
  if (auto warning = WarningCondition(seen, FrameOf(seen), outcome.refused)) {
    status.conditions->push_back(*std::move(warning));
  }
  // From the text: this must not get lost, even where the rest of the status is out of shape.
  if (seen.body.FindPath({"status", "provisioned"})) status.provisioned = seen.provisioned();
  if (provisioned) status.provisioned = true;
  status.reconciliation =
      plan::ReconciliationFor(seen.status ? seen.status->reconciliation : std::nullopt, verdict, seen.deleting());
  if (seen.stateful_set.Find("status")) {
    status.replicas = static_cast<std::int32_t>(seen.stateful_set.IntAt({"status", "replicas"}));
    status.ready_replicas = static_cast<std::int32_t>(seen.stateful_set.IntAt({"status", "readyReplicas"}));
  }
  return status;
}

bool Urgent(const Observed& seen, const plan::Verdict& verdict) {
  const crd::Condition* old = plan::Told(FrameOf(seen), "Ready");
  if (verdict.reason == Reason::kSuspended) return true;
  // Often over before they are worth a write.
  if (verdict.reason == Reason::kApiUnavailable || verdict.reason == Reason::kApiConflict) return false;
  if (RowOf(verdict.reason).error_class != ErrorClass::kWait) return !old || old->reason != RowOf(verdict.reason).name;
  if (verdict.status != "True") return old && old->status == "True";
  return !old || old->status != "True" || seen.status->observed_generation != seen.object->generation();
}

}  // namespace

plan::Report ReportOn(const Observed& seen, const ClusterPlan& plan, const plan::Outcome& outcome) {
  plan::Report report;
  const plan::Verdict verdict =
      plan::VerdictOf(plan, outcome, {"True", Reason::kReconciled, "Restate Cluster reconciled successfully"});
  const std::string reason(RowOf(verdict.reason).name);
  if (verdict.status != "True") report.waiting = plan::Waiting{verdict.reason, verdict.message};
  if (RowOf(verdict.reason).event) report.event = Warn(seen, reason, plan::CutMessage(verdict.message));
  if (!WorthTelling(plan, outcome, verdict.reason)) return report;
  const bool provisioned = plan.provisioned || outcome.provisioned;
  const json::Value* current = seen.body.Find("status");
  report.status = plan::StatusToPublish{kRestateClusters, seen.object, current ? *current : json::Value(),
                                        schema::Encode(StatusFor(seen, verdict, outcome, provisioned)),
                                        provisioned || Urgent(seen, verdict)};
  return report;
}

}  // namespace restate::cluster
