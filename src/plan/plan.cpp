#include "restate/plan/plan.h"

#include <algorithm>

#include "restate/plan/reconcile.h"

namespace restate::plan {

void Plan::LookAgainIn(absl::Duration wait_for) {
  const absl::Duration sane = std::max(wait_for, absl::ZeroDuration());
  look_again = look_again ? std::min(*look_again, sane) : sane;
}

namespace {

// Our own limits (too many calls in flight, a pass cut short) are over in a moment; the class of an error that is a
// wait would have the key rest until the resync.
constexpr Clock::Duration kMoment = std::chrono::seconds(1);

}  // namespace

runtime::Next NextPass(const Plan& plan, const Outcome& outcome,
                       const absl::StatusOr<std::optional<Clock::Duration>>& published) {
  if (!outcome.error.ok()) {
    runtime::Next next = runtime::Next::Failed(outcome.error);
    if (RowOf(ReasonOf(outcome.error)).error_class == ErrorClass::kWait) next.after = kMoment;
    return next;
  }
  if (!published.ok()) {
    // Deleted meanwhile: the DELETED event is on its way, and with it the last pass.
    if (kube::IsNotFound(published.status())) return runtime::Next::Forget();
    return runtime::Next::Failed(published.status());
  }
  if (plan.again && outcome.changed) return runtime::Next::After(Clock::Duration::zero());
  runtime::Next next;
  next.error = plan.failure;
  if (plan.look_again) next.after = absl::ToChronoNanoseconds(*plan.look_again);
  if (*published && (!next.after || **published < *next.after)) next.after = **published;
  return next;
}

}  // namespace restate::plan
