// Verdicts and the conditions made of them, as kstatus and people read them.
#include "restate/plan/verdict.h"

#include <doctest/doctest.h>

namespace restate::plan {
namespace {

const Verdict kFine{"True", Reason::kReconciled, "all is well"};

TEST_CASE("a failed step counts for more than the plan's failure, and that for more than a wait") {
  Plan plan;
  Outcome outcome;
  CHECK(VerdictOf(plan, outcome, kFine).message == "all is well");
  plan.wait = Wait{Reason::kStatefulSetScaling, "pods"};
  CHECK(VerdictOf(plan, outcome, kFine).status == "False");
  plan.failure = MakeError(Reason::kInvalidSpec, "mistake");
  CHECK(VerdictOf(plan, outcome, kFine).message == "mistake");
  outcome.error = MakeError(Reason::kApiForbidden, "no rights");
  CHECK(VerdictOf(plan, outcome, kFine).message == "no rights");
  CHECK(VerdictOf(plan, outcome, kFine).status == "Unknown");
}

TEST_CASE("Stalled needs a person, Reconciling needs time, and a ready object has neither") {
  const ConditionFrame frame;
  const auto second = [&](const Verdict& verdict) {
    const auto conditions = ConditionsFor(frame, verdict);
    return conditions.size() < 2 ? std::string() : conditions.at(1).type + "=" + conditions.at(1).status;
  };
  CHECK(second(kFine).empty());
  CHECK(second({"False", Reason::kScaledToZero, ""}).empty());
  CHECK(second({"False", Reason::kStatefulSetScaling, ""}) == "Reconciling=True");
  CHECK(second({"Unknown", Reason::kApiUnavailable, ""}) == "Reconciling=True");
  CHECK(second({"False", Reason::kInvalidSpec, ""}) == "Stalled=True");
  CHECK(second({"Unknown", Reason::kApiForbidden, ""}) == "Stalled=True");
}

TEST_CASE("the time of transition moves with the status only") {
  const absl::Time then = absl::FromUnixSeconds(1000), now = absl::FromUnixSeconds(2000);
  const std::vector<crd::Condition> told{
      {.type = "Ready", .status = "False", .reason = "A", .message = "a", .last_transition_time = then}};
  const ConditionFrame frame{&told, now, 4};
  CHECK(MakeCondition(frame, "Ready", "False", kFine).last_transition_time == then);
  CHECK(MakeCondition(frame, "Ready", "True", kFine).last_transition_time == now);
  CHECK(MakeCondition(frame, "Ready", "True", kFine).observed_generation == 4);
}

TEST_CASE("a message is cut on the border of a character") {
  CHECK(CutMessage(std::string(1024, 'x')).size() == 1024);
  const std::string cut = CutMessage(std::string(1020, 'x') + "\u00e9\u00e9\u00e9");
  CHECK(cut == std::string(1020, 'x') + "...");
}

}  // namespace
}  // namespace restate::plan
