#include "restate/runtime/watch.h"

#include <algorithm>
#include <utility>

#include "restate/base/error.h"
#include "restate/kube/client.h"

namespace restate::runtime {
namespace {

// The HTTP status or the code of a Status object; 0 when the server did not answer.
int CodeOf(const absl::Status& status) {
  const auto error = kube::ApiErrorOf(status);
  return error ? error->code : 0;
}

}  // namespace

WatchState::ListResult WatchState::Listed(std::string_view resource_version, std::string_view next_token,
                                          Clock::TimePoint now) {
  // All pages show one snapshot and carry its version; should a server disagree, the first is the safe one to watch
  // from.
  if (!std::holds_alternative<ListNextPage>(next_)) version_ = resource_version;
  if (version_.empty() || version_ == "0") {
    Relist(absl::OkStatus(), now);
    return ListResult::kUnusable;
  }
  if (!next_token.empty()) {
    Go(ListNextPage{std::string(next_token)}, {});
    return ListResult::kMore;
  }
  discovery_ = kFirstDiscovery;
  Rewatch({});
  return ListResult::kComplete;
}

void WatchState::ListFailed(const absl::Status& status, Clock::TimePoint now) {
  const int code = CodeOf(status);
  if (code == 404) return AwaitService();
  if (code == 410 && std::holds_alternative<ListNextPage>(next_)) return Go(ListInFull{}, {});
  Relist(status, now);
}

void WatchState::WatchOpened(Clock::TimePoint now) {
  opened_ = now;
  events_ = 0;
}

void WatchState::WatchFailedToOpen(const absl::Status& status, Clock::TimePoint now) {
  switch (CodeOf(status)) {
    case 404: return AwaitService();
    case 0:    // not reached
    case 401:  // a list would be refused as well
    case 403:
    case 429: return Rewatch(Backoff(status, now));
    default: return Relist(status, now);
  }
}

void WatchState::Event(std::string_view resource_version) {
  ++events_;
  internal_errors_since_.reset();
  if (!resource_version.empty() && resource_version != "0") version_ = resource_version;
}

void WatchState::WatchError(const absl::Status& status, Clock::TimePoint now) {
  const int code = CodeOf(status);
  if (code == 429) return Rewatch(Backoff(status, now));
  if (code == 500) {
    if (!internal_errors_since_) internal_errors_since_ = now;
    if (now - *internal_errors_since_ < kInternalErrorLimit) return Rewatch(Backoff(status, now));
  }
  Relist(status, now);
}

void WatchState::WatchEnded(const absl::Status& status, Clock::TimePoint now) {
  const bool in_order =
      status.ok() || ReasonOf(status) == Reason::kDeadlineExceeded;  // silence: the server's timer is lost
  const bool very_short = now - opened_ < kVeryShort;
  if (!in_order || (very_short && events_ == 0)) return Rewatch(Backoff(status, now));
  // A server that closes after each event is no failure, but it is no reason to spin either.
  Rewatch(very_short ? Jittered(kFirstStep) : Clock::Duration::zero());
}

void WatchState::Discovered(bool served) {
  if (served) {
    Go(ListFirstPage{}, {});
  } else {
    AwaitService();
  }
}

void WatchState::Go(Ask next, Clock::Duration delay) {
  next_ = std::move(next);
  delay_ = delay;
}

void WatchState::AwaitService() {
  Go(PollDiscovery{}, discovery_);
  discovery_ = std::min(discovery_ * 2, kDiscoveryPeriod);
}

void WatchState::Rewatch(Clock::Duration delay) {
  // Random, so that a hundred watches opened together do not end together.
  const int seconds = std::uniform_int_distribution(kShortestWatch, kLongestWatch)(random_);
  Go(OpenWatch{version_, seconds}, delay);
}

void WatchState::Relist(const absl::Status& status, Clock::TimePoint now) {
  version_.clear();
  internal_errors_since_.reset();
  Go(ListFirstPage{}, Backoff(status, now));
}

Clock::Duration WatchState::Jittered(Clock::Duration step) {
  const double factor = std::uniform_real_distribution(1.0, 2.0)(random_);
  return std::chrono::duration_cast<Clock::Duration>(step * factor);
}

Clock::Duration WatchState::Backoff(const absl::Status& status, Clock::TimePoint now) {
  if (now - calm_since_ >= kCalm) step_ = kFirstStep;
  Clock::Duration delay = Jittered(step_);
  if (const auto wait = RetryAfterOf(status))
    delay = std::max<Clock::Duration>(delay, absl::ToChronoNanoseconds(*wait));
  step_ = std::min(step_ * 2, kLastStep);
  calm_since_ = now + delay;
  return delay;
}

}  // namespace restate::runtime
