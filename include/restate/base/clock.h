// Clock: the time of day and the monotonic time, and waiting for either. Production code asks a Clock, so that tests of
// delays and back-off run on a fake one and take no time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace restate {

class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;          // monotonic: for delays
  virtual absl::Time WallTime() const = 0;    // for what people and other programs read
  // Waits on `changed` until `done()`, `until` or a stop. Returns done(). `lock` is held on entry and exit.
  virtual bool Wait(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock, std::stop_token stop,
                    TimePoint until, const std::function<bool()>& done) = 0;

  // Sleeps; false when stopped before the time was over.
  bool Sleep(Duration duration, std::stop_token stop);

  static Clock& Real();
  static constexpr TimePoint kForever = TimePoint::max();
};

}  // namespace restate
