#include "condition.h"

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/cli/tree.h"
#include "restate/plan/conditions.h"
#include "restate/plan/names.h"

namespace restate::cli {

std::optional<absl::Time> TimeAt(const json::Value& value, std::initializer_list<std::string_view> path) {
  const std::string text(value.StringAt(path));
  absl::Time time;
  if (text.empty() || !absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return std::nullopt;
  return time;
}

std::optional<absl::Time> SinceOf(const json::Value* condition) {
  return condition ? TimeAt(*condition, {"lastTransitionTime"}) : std::nullopt;
}

bool IsDeleting(const json::Value& object) { return !object.StringAt({"metadata", "deletionTimestamp"}).empty(); }

bool IsHeldOff(const json::Value& object) {
  return !IsDeleting(object) && object.StringAt({"metadata", "annotations", plan::kReconcileAnnotation}) == "disabled";
}

bool IsObserved(const json::Value& object) {
  return object.IntAt({"status", "observedGeneration"}) == object.IntAt({"metadata", "generation"});
}

State StateOf(const json::Value& object) {
  if (IsDeleting(object)) return State::kDeleting;
  if (IsHeldOff(object)) return State::kSuspended;
  if (!IsObserved(object)) return State::kWaiting;
  if (plan::IsTrue(object, "Ready")) return State::kReady;
  if (plan::IsTrue(object, "Stalled")) return State::kStalled;
  const json::Value* ready = plan::ConditionIn(object, "Ready");
  const bool at_rest = ready && ready->StringAt({"reason"}) == RowOf(Reason::kScaledToZero).name;
  return at_rest ? State::kScaledToZero : State::kWaiting;
}

namespace {

Wait WaitOf(std::string_view about, const json::Value& condition) {
  return {.about = std::string(about),
          .reason = std::string(condition.StringAt({"reason"})),
          .message = std::string(condition.StringAt({"message"})),
          .since = SinceOf(&condition)};
}

// The status speaks of an earlier spec, or there is none.
Wait NotObserved(const json::Value& object) {
  if (!plan::ConditionIn(object, "Ready")) {
    return {"Ready", "NotObserved",
            "no operator has looked at it yet; is one running, and does it watch this namespace?",
            TimeAt(object, {"metadata", "creationTimestamp"})};
  }
  return {"Ready", "NotObserved",
          absl::StrCat("no operator has looked at the last change yet: the object is at generation ",
                       object.IntAt({"metadata", "generation"}), ", its status speaks of ",
                       object.IntAt({"status", "observedGeneration"})),
          std::nullopt};
}

}  // namespace

std::vector<Wait> WaitsOf(const json::Value& object) {
  std::vector<Wait> waits;
  const json::Value* ready = plan::ConditionIn(object, "Ready");
  const json::Value* reconciling = plan::ConditionIn(object, "Reconciling");
  const bool is_ready = plan::IsTrue(object, "Ready");
  const bool held_off = IsHeldOff(object);
  if (!IsObserved(object) && !held_off) waits.push_back(NotObserved(object));
  if (held_off) {
    waits.push_back({"Reconciling", std::string(RowOf(Reason::kSuspended).name),
                     "the annotation restate.dev/reconcile=disabled holds the operator off", SinceOf(reconciling)});
  }
  if (ready && !is_ready) waits.push_back(WaitOf("Ready", *ready));
  // Otherwise it says the same as Ready.
  if (is_ready && plan::IsTrue(object, "Reconciling")) waits.push_back(WaitOf("Reconciling", *reconciling));
  if (plan::IsTrue(object, "Warning")) waits.push_back(WaitOf("Warning", *plan::ConditionIn(object, "Warning")));
  return waits;
}

}  // namespace restate::cli
