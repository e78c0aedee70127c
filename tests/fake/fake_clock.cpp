#include "fake/fake_clock.h"

#include <algorithm>

namespace restate::fake {

Clock::TimePoint FakeClock::Now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

absl::Time FakeClock::WallTime() const {
  std::lock_guard lock(mutex_);
  return wall_;
}

bool FakeClock::Wait(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock, std::stop_token stop,
                     TimePoint until, const std::function<bool()>& done) {
  Sleeper sleeper{lock.mutex(), &changed, stop, until, &done};
  // Leave() may let go of the lock for a moment, in which another thread can take what made done() true: hence the
  // loop.
  while (!done() && !stop.stop_requested() && Now() < until) {
    Enter(sleeper);
    changed.wait(lock, stop, [&] { return done() || Now() >= until; });
    Leave(sleeper, lock);
  }
  return done();
}

void FakeClock::Advance(Duration by) {
  {
    std::lock_guard lock(mutex_);
    now_ += by;
    wall_ += absl::FromChrono(by);
  }
  for (Sleeper* sleeper : PinAll()) {
    // Passing through the waiter's mutex: it has either seen the new time or is inside the wait that is notified next.
    { std::lock_guard lock(*sleeper->mutex); }
    sleeper->changed->notify_all();
    Unpin(*sleeper);
  }
}

bool FakeClock::WaitForSleepers(int count) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < give_up) {
    int asleep = 0;
    for (Sleeper* sleeper : PinAll()) {
      if (Asleep(*sleeper)) ++asleep;
      Unpin(*sleeper);
    }
    if (asleep >= count) return true;
    // done() can turn false again without anybody passing here, so entries are not the only thing to look for.
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(1));
  }
  return false;
}

Clock::Duration FakeClock::UntilNextWake() const {
  std::lock_guard lock(mutex_);
  TimePoint next = kForever;
  for (const Sleeper* sleeper : sleepers_) next = std::min(next, sleeper->until);
  return next == kForever ? Duration::max() : std::max(next - now_, Duration::zero());
}

void FakeClock::Enter(Sleeper& sleeper) {
  std::lock_guard lock(mutex_);
  sleepers_.push_back(&sleeper);
  changed_.notify_all();
}

void FakeClock::Leave(Sleeper& sleeper, std::unique_lock<std::mutex>& lock) {
  std::unique_lock own(mutex_);
  sleepers_.remove(&sleeper);
  if (sleeper.pins == 0) return;
  // Whoever pins may be waiting for the lock we hold.
  own.unlock();
  lock.unlock();
  own.lock();
  changed_.wait(own, [&] { return sleeper.pins == 0; });
  own.unlock();
  lock.lock();
}

std::vector<FakeClock::Sleeper*> FakeClock::PinAll() {
  std::lock_guard lock(mutex_);
  for (Sleeper* sleeper : sleepers_) ++sleeper->pins;
  return {sleepers_.begin(), sleepers_.end()};
}

void FakeClock::Unpin(Sleeper& sleeper) {
  std::lock_guard lock(mutex_);
  --sleeper.pins;
  changed_.notify_all();
}

bool FakeClock::Asleep(const Sleeper& sleeper) const {
  std::lock_guard lock(*sleeper.mutex);
  return !(*sleeper.done)() && !sleeper.stop.stop_requested() && Now() < sleeper.until;
}

}  // namespace restate::fake
