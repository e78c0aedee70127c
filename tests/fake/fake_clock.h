// FakeClock: a Clock whose time moves only by Advance().
#pragma once

#include <list>
#include <vector>

#include "restate/base/clock.h"
#include "restate/base/guarded.h"

namespace restate::fake {

// Thread safe. Wait() wakes when time is advanced to `until`, when its condition variable is notified, or on a stop.
// The monotonic and the wall clock move together.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time wall = absl::FromUnixSeconds(1'700'000'000)) : wall_(wall) {}

  TimePoint Now() const override;
  absl::Time WallTime() const override;
  bool Wait(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock, std::stop_token stop,
            TimePoint until, const std::function<bool()>& done) override;

  // Moves time and wakes who is due. Call with no lock held that a waiter uses.
  void Advance(Duration by);

  // Blocks (in real time) until at least `count` threads sleep in Wait() with nothing to wake them: not done, not due,
  // not stopped. A waiter that was notified but has not run yet is not counted, so after this call every consequence of
  // what the test did before is visible. false: it did not happen within 30 s.
  [[nodiscard]] bool WaitForSleepers(int count);

  // The time until the next sleeper is due; Duration::max() when nobody waits for a date.
  Duration UntilNextWake() const;

 private:
  // One call of Wait(), on its stack. A pinned sleeper does not leave Wait(), so what it points to stays valid.
  struct Sleeper {
    std::mutex* mutex;
    std::condition_variable_any* changed;
    std::stop_token stop;
    TimePoint until;
    const std::function<bool()>* done;
    int pins = 0;  // guarded by FakeClock::mutex_
  };
  void Enter(Sleeper& sleeper);
  void Leave(Sleeper& sleeper, std::unique_lock<std::mutex>& lock);
  std::vector<Sleeper*> PinAll();
  void Unpin(Sleeper& sleeper);
  bool Asleep(const Sleeper& sleeper) const;

  // Taken after a waiter's mutex, never before it.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  TimePoint now_ GUARDED_BY(mutex_) = TimePoint(std::chrono::hours(1));
  absl::Time wall_ GUARDED_BY(mutex_);
  std::list<Sleeper*> sleepers_ GUARDED_BY(mutex_);
};

}  // namespace restate::fake
