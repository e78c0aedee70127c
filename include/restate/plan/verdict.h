// Verdict: the one sentence about an object that its Ready condition says; and the conditions that are made of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "restate/base/error.h"
#include "restate/crd/condition.h"
#include "restate/plan/plan.h"

namespace restate::plan {

struct Verdict {
  std::string_view status = "True";  // of the condition
  Reason reason = Reason::kReconciled;
  std::string message;
};

// A failure of the outcome, else of the plan, else its wait, else `fine`.
Verdict VerdictOf(const Plan& plan, const Outcome& outcome, Verdict fine);

// Cuts a message to what an event may carry as well, 1,024 bytes, on a UTF-8 border (guarantees TR2).
std::string CutMessage(std::string text);

// Nothing the operator does helps: somebody has to change the object or what it names.
bool IsStalled(Reason reason);

// A moment or a mishap of our own that the next pass mends: what was known of the object before still holds.
bool IsMoment(Reason reason);

// Whether a condition Ready of the object is True.
bool IsReady(const kube::Object& object);

// What conditions say besides the verdict.
struct ConditionFrame {
  const std::vector<crd::Condition>* told = nullptr;  // the conditions so far; null: none
  absl::Time now;
  std::int64_t generation = 0;
};

// The condition of this type so far; nullptr: there is none.
const crd::Condition* Told(const ConditionFrame& frame, std::string_view type);

// The time of transition moves only when the status does.
crd::Condition MakeCondition(const ConditionFrame& frame, std::string_view type, std::string_view status,
                             const Verdict& verdict);

// Ready always; Reconciling and Stalled only while they are true, as kstatus wants it. An object that was scaled to
// zero is neither.
std::vector<crd::Condition> ConditionsFor(const ConditionFrame& frame, const Verdict& verdict);

// Resuming: the object was held off and is not Ready again yet.
crd::Reconciliation ReconciliationFor(std::optional<crd::Reconciliation> told, const Verdict& verdict, bool deleting);

// Those that stay while the operator is held off, and one that says so.
std::vector<crd::Condition> ConditionsWhileSuspended(const ConditionFrame& frame, const Verdict& verdict);

}  // namespace restate::plan
