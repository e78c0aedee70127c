#include "restate/plan/plan.h"

#include <algorithm>

#include "restate/plan/reconcile.h"

namespace restate::plan {

void Plan::LookAgainIn(absl::Duration wait_for) {
  const absl::Duration sane = std::max(wait_for, absl::ZeroDuration());
  look_again = look_again ? std::min(*look_again, sane) : sane;
}

runtime::Next NextPass(const Plan& plan, const Outcome& outcome,
                       const absl::StatusOr<std::optional<Clock::Duration>>& published) {
  if (!outcome.error.ok()) return runtime::Next::Failed(outcome.error);
  if (!published.ok()) {
    // Deleted meanwhile: the DELETED event is on its way, and with it the last pass.
    if (kube::IsNotFound(published.status())) return runtime::Next::Forget();
    return runtime::Next::Failed(published.status());
  }
  if (plan.again) return runtime::Next::After(Clock::Duration::zero());
  runtime::Next next;
  next.error = plan.failure;
  if (plan.look_again) next.after = absl::ToChronoNanoseconds(*plan.look_again);
  if (*published && (!next.after || **published < *next.after)) next.after = **published;
  return next;
}

}  // namespace restate::plan
