// When a key is looked at again.
#include <doctest/doctest.h>

#include "restate/plan/reconcile.h"

namespace restate::plan {
namespace {

using std::chrono::seconds;
using Published = absl::StatusOr<std::optional<Clock::Duration>>;

const Published kNothing = std::optional<Clock::Duration>();

Outcome Failed(Reason reason) {
  return {.done = 0, .error = MakeError(reason, "x"), .registration = {}, .changed = false};
}

TEST_CASE("waits add up to the earliest, never before now") {
  Plan plan;
  CHECK(!NextPass(plan, {}, kNothing).after);
  plan.LookAgainIn(absl::Minutes(5));
  plan.LookAgainIn(absl::InfiniteDuration());
  CHECK(NextPass(plan, {}, kNothing).after == std::chrono::minutes(5));
  plan.LookAgainIn(absl::Seconds(7));
  plan.LookAgainIn(absl::Seconds(9));
  CHECK(NextPass(plan, {}, kNothing).after == seconds(7));
  plan.LookAgainIn(absl::Seconds(-3));
  CHECK(NextPass(plan, {}, kNothing).after == seconds(0));
}

TEST_CASE("a plan whose steps change the facts is made again at once") {
  Plan plan;
  plan.again = true;
  plan.LookAgainIn(absl::Minutes(5));
  plan::Outcome changed;
  changed.changed = true;
  CHECK(NextPass(plan, changed, kNothing).after == seconds(0));
  CHECK(NextPass(plan, {}, kNothing).after == std::chrono::minutes(5));  // they changed nothing
  CHECK(ReasonOf(NextPass(plan, Failed(Reason::kApiUnavailable), kNothing).error) == Reason::kApiUnavailable);
}

TEST_CASE("a status that is held back brings the pass that writes it") {
  Plan plan;
  plan.LookAgainIn(absl::Minutes(5));
  CHECK(NextPass(plan, {}, Published(std::optional<Clock::Duration>(seconds(2)))).after == seconds(2));
  plan.LookAgainIn(absl::Seconds(1));
  CHECK(NextPass(plan, {}, Published(std::optional<Clock::Duration>(seconds(2)))).after == seconds(1));
}

TEST_CASE("failures go on to the queue: of a step before those of the status before those of the plan") {
  Plan plan;
  plan.failure = MakeError(Reason::kInvalidSpec, "x");
  const Published unpublished = MakeError(Reason::kApiForbidden, "x");
  CHECK(ReasonOf(NextPass(plan, Failed(Reason::kAdminCallFailed), unpublished).error) == Reason::kAdminCallFailed);
  CHECK(ReasonOf(NextPass(plan, {}, unpublished).error) == Reason::kApiForbidden);
  CHECK(ReasonOf(NextPass(plan, {}, kNothing).error) == Reason::kInvalidSpec);
}

TEST_CASE("our own limits are over in a second") {
  for (const Reason reason : {Reason::kAdminBusy, Reason::kStopped}) {
    CHECK(NextPass({}, Failed(reason), kNothing).after == seconds(1));
  }
}

TEST_CASE("an object that went while its status was written needs no further pass") {
  const auto next = NextPass({}, {}, Published(MakeError(Reason::kApiNotFound, "x")));
  CHECK(next.error.ok());
  CHECK(!next.after);
}

}  // namespace
}  // namespace restate::plan
