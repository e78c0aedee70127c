#include <set>

#include "announce.h"
#include "gates.h"
#include "restate/cloud/cloud.h"
#include "restate/cloud/objects.h"
#include "restate/plan/verdict.h"
#include "restate/schema/codec.h"

namespace restate::cloud {
namespace {

constexpr std::size_t kMaxEnvSecrets = 20;

bool WorthTelling(const CloudPlan& plan, const plan::Outcome& outcome, Reason reason) {
  if (plan.released && outcome.error.ok()) return false;  // the finalizer is gone, and with it the object
  if (plan.again && outcome.changed && outcome.error.ok() && plan.failure.ok()) return false;
  return !plan::IsMoment(reason);
}

plan::ConditionFrame FrameOf(const Observed& seen) {
  const bool told = seen.status && seen.status->conditions;
  return {told ? &*seen.status->conditions : nullptr, seen.now, seen.object->generation()};
}

// Whoever writes the object sees their values through the tunnel's image.
std::optional<std::vector<std::string>> EnvSecrets(const Observed& seen) {
  std::set<std::string> names;
  for (const json::Value& variable : seen.tunnel().env.value_or(std::vector<json::Value>())) {
    const std::string_view name = variable.StringAt({"valueFrom", "secretKeyRef", "name"});
    if (!name.empty() && names.size() < kMaxEnvSecrets) names.emplace(name);
  }
  if (names.empty()) return std::nullopt;
  return std::vector<std::string>(names.begin(), names.end());
}

std::vector<crd::Condition> ConditionsOf(const Observed& seen, const CloudPlan& plan, const plan::Verdict& verdict) {
  const plan::ConditionFrame frame = FrameOf(seen);
  std::vector<crd::Condition> conditions = plan::ConditionsFor(frame, verdict);
  if (verdict.status == "True" && plan.tunnel) {
    conditions.push_back(
        plan::MakeCondition(frame, "Reconciling", "True", {"False", plan.tunnel->reason, plan.tunnel->message}));
  }
  if (verdict.status == "True" && KeepsEarlierPods(seen)) {
    conditions.push_back(plan::MakeCondition(
        frame, "Warning", "True",
        {.message = "The tunnel pods are as an earlier operator made them, without the restrictions of the Pod "
                    "Security Standard restricted. They are not restarted for that: they get them with the next change "
                    "of spec.tunnel or of the token"}));
    conditions.back().reason = "EarlierPods";
  }
  return conditions;
}

crd::RestateCloudEnvironmentStatus StatusFor(const Observed& seen, const CloudPlan& plan,
                                             const plan::Verdict& verdict) {
  if (verdict.reason == Reason::kSuspended) {
    auto status = seen.status.value_or(crd::RestateCloudEnvironmentStatus());
    status.reconciliation = crd::Reconciliation::kDisabled;
    status.conditions = plan::ConditionsWhileSuspended(FrameOf(seen), verdict);
    return status;
  }
  crd::RestateCloudEnvironmentStatus status;
  status.observed_generation = seen.object->generation();
  status.conditions = ConditionsOf(seen, plan, verdict);
  status.reconciliation =
      plan::ReconciliationFor(seen.status ? seen.status->reconciliation : std::nullopt, verdict, seen.deleting());
  if (seen.deployment && seen.Owns(*seen.deployment) && seen.live.Find("status")) {
    status.replicas = static_cast<std::int32_t>(seen.live.IntAt({"status", "replicas"}));
    status.ready_replicas = static_cast<std::int32_t>(seen.live.IntAt({"status", "readyReplicas"}));
  }
  status.env_secrets = EnvSecrets(seen);
  return status;
}

bool Urgent(const Observed& seen, const CloudPlan& plan, const plan::Verdict& verdict) {
  const crd::Condition* old = plan::Told(FrameOf(seen), "Ready");
  if (verdict.reason == Reason::kSuspended) return true;
  // Often over before they are worth a write.
  if (verdict.reason == Reason::kApiUnavailable || verdict.reason == Reason::kApiConflict) return false;
  if (verdict.status != "True") return !old || old->reason != RowOf(verdict.reason).name;
  if (IsSettling(seen)) return false;
  if (!plan.tunnel && plan::Told(FrameOf(seen), "Reconciling")) return true;  // the pods are ready
  return !old || old->status != "True" || seen.status->observed_generation != seen.object->generation();
}

}  // namespace

plan::Report ReportOn(const Observed& seen, const CloudPlan& plan, const plan::Outcome& outcome) {
  plan::Report report;
  const plan::Verdict verdict = plan::VerdictOf(
      plan, outcome, {"True", Reason::kReconciled, "Restate Cloud environment reconciled successfully"});
  const std::string reason(RowOf(verdict.reason).name);
  if (verdict.status != "True") {
    report.waiting = plan::Waiting{verdict.reason, verdict.message};
  } else if (plan.tunnel) {
    report.waiting = plan::Waiting{plan.tunnel->reason, plan.tunnel->message};
  }
  if (RowOf(verdict.reason).event) report.event = EventAbout(seen, true, reason, plan::CutMessage(verdict.message));
  if (!WorthTelling(plan, outcome, verdict.reason)) return report;
  const json::Value* current = seen.body.Find("status");
  report.status = plan::StatusToPublish{kRestateCloudEnvironments, seen.object, current ? *current : json::Value(),
                                        schema::Encode(StatusFor(seen, plan, verdict)), Urgent(seen, plan, verdict)};
  return report;
}

}  // namespace restate::cloud
