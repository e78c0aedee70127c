#include "restate/base/clock.h"

namespace restate {
namespace {

class RealClock : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  absl::Time WallTime() const override { return absl::Now(); }
  bool Wait(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock, std::stop_token stop,
            TimePoint until, const std::function<bool()>& done) override {
    // wait_until with the greatest time point overflows inside libstdc++.
    if (until == kForever) return changed.wait(lock, stop, done);
    return changed.wait_until(lock, stop, until, done);
  }
};

}  // namespace

Clock& Clock::Real() {
  static RealClock clock;
  return clock;
}

bool Clock::Sleep(Duration duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  Wait(never, lock, stop, Now() + duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace restate
