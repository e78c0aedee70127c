#include "fake/fake_clock.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using restate::Clock;
using restate::fake::FakeClock;

TEST_CASE("fake clock: a sleeper wakes when time reaches its date and not before") {
  FakeClock clock;
  std::atomic<bool> awake = false;
  std::jthread sleeper([&](std::stop_token stop) {
    CHECK(clock.Sleep(10s, stop));
    awake = true;
  });
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(clock.UntilNextWake() == 10s);
  clock.Advance(9999ms);
  REQUIRE(clock.WaitForSleepers(1));
  CHECK_FALSE(awake);
  clock.Advance(1ms);
  sleeper.join();
  CHECK(awake);
}

TEST_CASE("fake clock: wall clock and monotonic clock move together") {
  FakeClock clock;
  const auto now = clock.Now();
  const auto wall = clock.WallTime();
  clock.Advance(90s);
  CHECK(clock.Now() - now == 90s);
  CHECK(clock.WallTime() - wall == absl::Seconds(90));
}

TEST_CASE("fake clock: a stop ends a sleep that has no date") {
  FakeClock clock;
  std::jthread sleeper([&](std::stop_token stop) { CHECK_FALSE(clock.Sleep(1000h, stop)); });
  REQUIRE(clock.WaitForSleepers(1));
  sleeper.request_stop();
  sleeper.join();
}

TEST_CASE("fake clock: no wake-up is lost between many sleepers and a moving time") {
  FakeClock clock;
  constexpr int kThreads = 8, kRounds = 200;
  std::atomic<int> rounds = 0;
  std::vector<std::jthread> sleepers;
  for (int i = 0; i < kThreads; ++i) {
    sleepers.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        clock.Sleep(1s, {});
        ++rounds;
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    REQUIRE(clock.WaitForSleepers(kThreads));
    CHECK(rounds == round * kThreads);
    clock.Advance(1s);
  }
  sleepers.clear();
  CHECK(rounds == kRounds * kThreads);
}

TEST_CASE("fake clock: one that was notified is not counted as a sleeper") {
  FakeClock clock;
  std::mutex mutex;
  std::condition_variable_any changed;
  int wanted = 0, seen = 0;
  std::jthread waiter([&] {
    std::unique_lock lock(mutex);
    while (seen < 100) {
      clock.Wait(changed, lock, {}, Clock::kForever, [&] { return wanted > seen; });
      seen = wanted;
    }
  });
  for (int i = 1; i <= 100; ++i) {
    REQUIRE(clock.WaitForSleepers(1));
    {
      std::lock_guard lock(mutex);
      CHECK(seen == i - 1);
      wanted = i;
    }
    changed.notify_all();
  }
}
