#include <algorithm>

#include "restate/base/error.h"
#include "restate/runtime/controller.h"

namespace restate::runtime {
namespace {

Clock::Duration RetryAfter(const absl::Status& status) {
  const auto wait = RetryAfterOf(status);
  return wait ? absl::ToChronoNanoseconds(*wait) : Clock::Duration::zero();
}

}  // namespace

void SetNextDate(WorkQueue& queue, const kube::Key& key, const Next& next) {
  if (next.error.ok()) {
    if (next.at_once) return queue.AddAtOnce(key);
    queue.Forget(key);
    if (next.after) queue.AddAfter(key, *next.after);
    return;
  }
  switch (RowOf(ReasonOf(next.error)).error_class) {
    case ErrorClass::kWait:
    case ErrorClass::kMissingReference: queue.Forget(key); return queue.AddAfter(key, next.after.value_or(kResync));
    case ErrorClass::kUserMistake: queue.Forget(key); return queue.AddAfter(key, kResync);
    case ErrorClass::kLostRace: return queue.AddAtOnce(key);
    case ErrorClass::kNotAllowed: return queue.AddRateLimited(key, std::max(kNotAllowedRetry, RetryAfter(next.error)));
    case ErrorClass::kOtherSideDown: return queue.AddRateLimited(key, RetryAfter(next.error), kOutageRetry);
    case ErrorClass::kOtherSideRefused:
    case ErrorClass::kOurBug: return queue.AddRateLimited(key, RetryAfter(next.error));
  }
}

}  // namespace restate::runtime
