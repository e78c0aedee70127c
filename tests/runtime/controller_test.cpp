#include "restate/runtime/controller.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fake/fake_clock.h"
#include "restate/base/error.h"

using namespace std::chrono_literals;
using restate::Clock;
using restate::MakeError;
using restate::Reason;
using restate::ReasonOf;
using restate::RowOf;
using restate::WithRetryAfter;
using restate::fake::FakeClock;
using restate::kube::Key;
using restate::runtime::Controller;
using restate::runtime::Next;
using restate::runtime::PassObserver;
using restate::runtime::SetNextDate;
using restate::runtime::WorkQueue;

namespace {

const Key kA{"ns", "a"}, kB{"ns", "b"};

// What the controller reported and which passes ran.
class Log : public PassObserver {
 public:
  void Passed(const Key& key, Clock::Duration took, const absl::Status& status) override {
    std::lock_guard lock(mutex_);
    ++passed_[key.name];
    last_took_ = took;
    last_reason_ = status.ok() ? "" : std::string(RowOf(ReasonOf(status)).name);
    changed_.notify_all();
  }
  void Panicked(const Key& key) override {
    std::lock_guard lock(mutex_);
    ++panicked_[key.name];
  }
  void TimedOut(const Key& key) override {
    std::lock_guard lock(mutex_);
    ++timed_out_[key.name];
    changed_.notify_all();
  }

  // Blocks until `count` passes of this key have ended.
  void WaitForPasses(const std::string& name, int count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 30s, [&] { return passed_[name] >= count; }));
  }
  int passed(const std::string& name) { return Read(passed_, name); }
  int panicked(const std::string& name) { return Read(panicked_, name); }
  int timed_out(const std::string& name) { return Read(timed_out_, name); }
  std::string last_reason() {
    std::lock_guard lock(mutex_);
    return last_reason_;
  }
  Clock::Duration last_took() {
    std::lock_guard lock(mutex_);
    return last_took_;
  }

 private:
  int Read(std::map<std::string, int>& counts, const std::string& name) {
    std::lock_guard lock(mutex_);
    return counts[name];
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> passed_, panicked_, timed_out_;
  std::string last_reason_;
  Clock::Duration last_took_{};
};

// A place where passes wait until the test, or their stop token, lets them go.
class Gate {
 public:
  void Enter(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, stop, [this] { return open_; });
    --inside_;
  }
  void WaitForInside(int count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 30s, [&] { return inside_ >= count; }));
  }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  int inside_ = 0;
};

struct Bench {
  FakeClock clock;
  WorkQueue queue{clock};
  Log log;
};

// When a key handed to SetNextDate comes due: nullopt for never (within a day).
std::optional<Clock::Duration> DueIn(FakeClock& clock, WorkQueue& queue) {
  if (queue.depth() > 0) return Clock::Duration::zero();
  std::jthread worker([&](std::stop_token stop) { queue.Take(stop); });
  REQUIRE(clock.WaitForSleepers(1));
  const auto until = clock.UntilNextWake();
  worker.request_stop();
  worker.join();
  if (until == Clock::Duration::max()) return std::nullopt;
  return until;
}

}  // namespace

TEST_CASE("Q4 the next date follows from the class of the error") {
  struct Row {
    const char* what;
    Next next;
    std::optional<Clock::Duration> first, second;  // after one and after two such passes
    int failures;                                  // counted after two
  };
  const auto failed = [](Reason reason) { return Next::Failed(MakeError(reason, "x")); };
  const auto with = [](Next next, Clock::Duration after) {
    next.after = after;
    return next;
  };
  const auto retry_after = [](Reason reason, absl::Duration wait) {
    return Next::Failed(WithRetryAfter(MakeError(reason, "x"), wait));
  };
  const Row rows[] = {
      {"success", Next::Forget(), std::nullopt, std::nullopt, 0},
      {"success with a date", Next::After(7s), 7s, 7s, 0},
      {"wait", failed(Reason::kReplicaSetPodNotReady), 5min, 5min, 0},
      {"wait with a date", with(failed(Reason::kWaitingForUsage), 10s), 10s, 10s, 0},
      {"user mistake", failed(Reason::kInvalidSpec), 5min, 5min, 0},
      {"lost race", failed(Reason::kApiConflict), 0s, 1s, 2},
      {"at once", Next::AtOnce(), 0s, 1s, 2},
      {"other side down", failed(Reason::kApiUnavailable), 1s, 2s, 2},
      {"other side down, its date is ignored", with(failed(Reason::kApiUnavailable), 42s), 1s, 2s, 2},
      {"Retry-After", retry_after(Reason::kAdminCallFailed, absl::Seconds(30)), 30s, 30s, 2},
      {"other side refused", failed(Reason::kApiRejected), 1s, 2s, 2},
      {"not allowed", failed(Reason::kApiForbidden), 1min, 1min, 2},
      {"not allowed for long", retry_after(Reason::kApiForbidden, absl::Minutes(3)), 3min, 3min, 2},
      {"our bug", failed(Reason::kInternalError), 1s, 2s, 2},
      {"an error without a reason", Next::Failed(absl::UnknownError("x")), 1s, 2s, 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    for (const int passes : {1, 2}) {
      FakeClock clock;
      WorkQueue queue(clock);
      for (int i = 0; i < passes; ++i) {
        if (i > 0) {
          clock.Advance(1h);
          if (queue.depth() > 0) queue.Done(*queue.Take({}));
        }
        SetNextDate(queue, kA, row.next);
      }
      CHECK(DueIn(clock, queue) == (passes == 1 ? row.first : row.second));
      if (passes == 2) CHECK(queue.failures(kA) == row.failures);
    }
  }
}

TEST_CASE("Q4 LV7 after a long outage a key is not far away, unless the other side asked for more") {
  const auto down = MakeError(Reason::kAdminCallFailed, "x");
  for (const auto& [error, expected] : {std::pair(down, Clock::Duration(1min)),
                                        std::pair(WithRetryAfter(down, absl::Minutes(2)), Clock::Duration(2min))}) {
    FakeClock clock;
    WorkQueue queue(clock);
    for (int i = 0; i < 50; ++i) queue.AddRateLimited(kA);
    clock.Advance(1h);
    queue.Done(*queue.Take({}));
    SetNextDate(queue, kA, Next::Failed(error));
    CHECK(DueIn(clock, queue) == expected);
  }
}

TEST_CASE("Q4 a success after failures forgets them and keeps its own date") {
  FakeClock clock;
  WorkQueue queue(clock);
  for (int i = 0; i < 4; ++i) queue.AddRateLimited(kA);
  clock.Advance(1h);
  queue.Done(*queue.Take({}));
  SetNextDate(queue, kA, Next::After(90s));
  CHECK(queue.failures(kA) == 0);
  CHECK(DueIn(clock, queue) == Clock::Duration(90s));
}

TEST_CASE("Q4 Q8 a periodic pass does not go before a live change") {
  FakeClock clock;
  WorkQueue queue(clock);
  SetNextDate(queue, kA, Next::Failed(MakeError(Reason::kInvalidSpec, "x")));
  clock.Advance(10min);
  queue.Add(kB);
  CHECK(queue.Take({}) == kB);
  CHECK(queue.Take({}) == kA);
}

TEST_CASE_FIXTURE(Bench, "Q4 a pass that fails is run again after its back-off, until it succeeds") {
  std::atomic<int> failures_left = 2;
  Controller controller(
      {.name = "test", .workers = 2}, queue, clock,
      [&](const Key&, std::stop_token) {
        return failures_left-- > 0 ? Next::Failed(MakeError(Reason::kApiUnavailable, "down")) : Next::Forget();
      },
      &log);
  controller.Start();
  queue.Add(kA);
  log.WaitForPasses("a", 1);
  REQUIRE(clock.WaitForSleepers(3));  // two workers and the watchdog
  CHECK(clock.UntilNextWake() == 1s);
  clock.Advance(1s);
  log.WaitForPasses("a", 2);
  REQUIRE(clock.WaitForSleepers(3));
  CHECK(clock.UntilNextWake() == 2s);
  clock.Advance(2s);
  log.WaitForPasses("a", 3);
  REQUIRE(clock.WaitForSleepers(3));
  CHECK(queue.failures(kA) == 0);
  CHECK(log.passed("a") == 3);
}

TEST_CASE_FIXTURE(Bench, "Q5 a stop waits for the pass that runs, begins no other, and ignores later adds") {
  Gate gate;
  std::atomic<bool> saw_stop = false;
  Controller controller(
      {.name = "test", .workers = 1}, queue, clock,
      [&](const Key&, std::stop_token stop) {
        gate.Enter({});  // does not give up on its own
        saw_stop = stop.stop_requested();
        return Next::Forget();
      },
      &log);
  controller.Start();
  queue.Add(kA);
  gate.WaitForInside(1);
  queue.Add(kB);
  controller.RequestStop();
  CHECK_FALSE(controller.Join(0s));
  gate.Open();
  CHECK(controller.Join(5s));
  CHECK(saw_stop);
  CHECK(log.passed("a") == 1);
  queue.Add(kB);
  CHECK(log.passed("b") == 0);
}

TEST_CASE_FIXTURE(Bench, "Q5 a running pass sees the stop of the process") {
  Gate gate;
  Controller controller(
      {.name = "test", .workers = 2}, queue, clock,
      [&](const Key&, std::stop_token stop) {
        gate.Enter(stop);
        return Next::Failed(MakeError(Reason::kStopped, "the process ends"));
      },
      &log);
  controller.Start();
  queue.Add(kA);
  gate.WaitForInside(1);
  controller.RequestStop();
  CHECK(controller.Join(5s));
  CHECK(log.passed("a") == 1);
  CHECK(log.timed_out("a") == 0);
}

TEST_CASE_FIXTURE(Bench, "Q6 a pass over its limit is cancelled, counted and retried; other keys go on") {
  Gate gate;
  Controller controller(
      {.name = "test", .workers = 2, .pass_limit = 120s}, queue, clock,
      [&](const Key& key, std::stop_token stop) {
        if (key == kA) gate.Enter(stop);
        return Next::Forget();
      },
      &log);
  controller.Start();
  queue.Add(kA);
  gate.WaitForInside(1);
  for (int i = 1; i <= 5; ++i) {
    queue.Add(kB);
    log.WaitForPasses("b", i);
  }
  REQUIRE(clock.WaitForSleepers(2));
  clock.Advance(119s);
  REQUIRE(clock.WaitForSleepers(2));
  CHECK(log.passed("a") == 0);
  clock.Advance(1s);
  log.WaitForPasses("a", 1);
  REQUIRE(clock.WaitForSleepers(3));
  CHECK(log.timed_out("a") == 1);
  CHECK(log.last_reason() == "DeadlineExceeded");
  CHECK(queue.failures(kA) == 1);
  clock.Advance(1s);
  gate.WaitForInside(1);  // the retry
}

TEST_CASE_FIXTURE(Bench, "Q6 a pass that began while the watchdog slept has its full limit") {
  Gate gate;
  Controller controller(
      {.name = "test", .workers = 2, .pass_limit = 120s}, queue, clock,
      [&](const Key&, std::stop_token stop) {
        gate.Enter(stop);
        return Next::Forget();
      },
      &log);
  controller.Start();
  REQUIRE(clock.WaitForSleepers(3));
  clock.Advance(100s);
  queue.Add(kA);
  gate.WaitForInside(1);
  clock.Advance(119s);
  REQUIRE(clock.WaitForSleepers(2));
  CHECK(log.timed_out("a") == 0);
  clock.Advance(1s);
  log.WaitForPasses("a", 1);
  CHECK(log.last_took() == 120s);
}

TEST_CASE_FIXTURE(Bench, "Q7 what a pass throws is caught, counted and retried; other keys go on") {
  Controller controller(
      {.name = "test", .workers = 1}, queue, clock,
      [&](const Key& key, std::stop_token) -> Next {
        if (key == kA) throw std::runtime_error("boom");
        if (key.name == "odd") throw 42;
        return Next::Forget();
      },
      &log);
  controller.Start();
  queue.Add(kA);
  log.WaitForPasses("a", 1);
  CHECK(log.panicked("a") == 1);
  CHECK(log.last_reason() == "InternalError");
  queue.Add({"ns", "odd"});
  log.WaitForPasses("odd", 1);
  CHECK(log.panicked("odd") == 1);
  queue.Add(kB);
  log.WaitForPasses("b", 1);
  CHECK(log.panicked("b") == 0);
  REQUIRE(clock.WaitForSleepers(2));
  clock.Advance(1s);
  log.WaitForPasses("a", 2);
}

TEST_CASE_FIXTURE(Bench, "Q8 no more passes run at once than there are workers") {
  Gate gate;
  std::atomic<int> running = 0;
  std::atomic<bool> too_many = false;
  Controller controller(
      {.name = "test", .workers = 3}, queue, clock,
      [&](const Key&, std::stop_token stop) {
        if (++running > 3) too_many = true;
        gate.Enter(stop);
        --running;
        return Next::Forget();
      },
      &log);
  controller.Start();
  for (int i = 0; i < 10; ++i) queue.Add({"ns", std::to_string(i)});
  gate.WaitForInside(3);
  CHECK(queue.depth() == 7);
  CHECK(controller.load().running == 3);
  gate.Open();
  for (int i = 0; i < 10; ++i) log.WaitForPasses(std::to_string(i), 1);
  CHECK_FALSE(too_many);
}

TEST_CASE_FIXTURE(Bench, "Q9 the controller reports how long passes took and how old the running ones are") {
  Gate gate;
  Controller controller(
      {.name = "test", .workers = 2}, queue, clock,
      [&](const Key&, std::stop_token stop) {
        gate.Enter(stop);
        return Next::Forget();
      },
      &log);
  controller.Start();
  CHECK(controller.load().running == 0);
  queue.Add(kA);
  gate.WaitForInside(1);
  clock.Advance(10s);
  queue.Add(kB);
  gate.WaitForInside(2);
  clock.Advance(5s);
  CHECK(controller.load().running == 2);
  CHECK(controller.load().unfinished == 20s);
  CHECK(controller.load().longest == 15s);
  gate.Open();
  log.WaitForPasses("a", 1);
  log.WaitForPasses("b", 1);
  REQUIRE(clock.WaitForSleepers(3));
  CHECK(controller.load().running == 0);
}
