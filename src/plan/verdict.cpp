#include "restate/plan/verdict.h"

#include "restate/plan/conditions.h"

namespace restate::plan {
namespace {

constexpr std::size_t kLongestMessage = 1024;  // bytes

// False: the object is known not to be as it should be. Unknown: the operator could not find out.
std::string_view StatusOf(Reason reason) {
  switch (reason) {
    case Reason::kApiUnavailable:
    case Reason::kApiConflict:
    case Reason::kApiRejected:
    case Reason::kApiNotFound:
    case Reason::kApiForbidden:
    case Reason::kInternalError: return "Unknown";
    default: return "False";
  }
}

}  // namespace

Verdict VerdictOf(const Plan& plan, const Outcome& outcome, Verdict fine) {
  const absl::Status& failure = outcome.error.ok() ? plan.failure : outcome.error;
  if (!failure.ok()) return {StatusOf(ReasonOf(failure)), ReasonOf(failure), std::string(MessageOf(failure))};
  if (plan.wait) return {"False", plan.wait->reason, plan.wait->message};
  return fine;
}

std::string CutMessage(std::string text) {
  if (text.size() <= kLongestMessage) return text;
  std::size_t end = kLongestMessage - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

bool IsStalled(Reason reason) {
  switch (RowOf(reason).error_class) {
    case ErrorClass::kUserMistake:
    case ErrorClass::kOtherSideRefused:
    case ErrorClass::kNotAllowed: return true;
    // An environment or a Secret does not come by itself, other than a RestateCluster that is named and made in one go.
    default:
      return reason == Reason::kForeignDeployment || reason == Reason::kCloudEnvironmentNotFound ||
             reason == Reason::kSecretNotFound || reason == Reason::kSecretKeyNotFound ||
             reason == Reason::kInvalidBearerToken;
  }
}

bool IsMoment(Reason reason) {
  switch (reason) {
    case Reason::kWaitingForUsage:
    case Reason::kConfirmingRegistration:
    case Reason::kAdminBusy:
    case Reason::kStopped:
    case Reason::kNotSynced: return true;
    default: return false;
  }
}

bool IsReady(const kube::Object& object) { return IsTrue(object.Body(), "Ready"); }

const crd::Condition* Told(const ConditionFrame& frame, std::string_view type) {
  if (!frame.told) return nullptr;
  for (const crd::Condition& condition : *frame.told) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

crd::Condition MakeCondition(const ConditionFrame& frame, std::string_view type, std::string_view status,
                             const Verdict& verdict) {
  crd::Condition condition{.type = std::string(type),
                           .status = std::string(status),
                           .reason = std::string(RowOf(verdict.reason).name),
                           .message = CutMessage(verdict.message),
                           .last_transition_time = frame.now,
                           .observed_generation = frame.generation};
  const crd::Condition* old = Told(frame, type);
  if (old && old->status == condition.status && old->last_transition_time)
    condition.last_transition_time = old->last_transition_time;
  return condition;
}

std::vector<crd::Condition> ConditionsFor(const ConditionFrame& frame, const Verdict& verdict) {
  std::vector<crd::Condition> conditions{MakeCondition(frame, "Ready", verdict.status, verdict)};
  if (verdict.status == "True" || verdict.reason == Reason::kScaledToZero) return conditions;
  conditions.push_back(MakeCondition(frame, IsStalled(verdict.reason) ? "Stalled" : "Reconciling", "True", verdict));
  return conditions;
}

crd::Reconciliation ReconciliationFor(std::optional<crd::Reconciliation> told, const Verdict& verdict, bool deleting) {
  using enum crd::Reconciliation;
  const bool held_off = told.value_or(kReconciling) != kReconciling;
  return held_off && verdict.status != "True" && !deleting ? kResuming : kReconciling;
}

std::vector<crd::Condition> ConditionsWhileSuspended(const ConditionFrame& frame, const Verdict& verdict) {
  std::vector<crd::Condition> conditions = frame.told ? *frame.told : std::vector<crd::Condition>();
  std::erase_if(conditions, [](const crd::Condition& c) { return c.type == "Reconciling"; });
  conditions.push_back(MakeCondition(frame, "Reconciling", "False", verdict));
  return conditions;
}

}  // namespace restate::plan
