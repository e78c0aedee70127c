#include "restate/runtime/work_queue.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "fake/fake_clock.h"

using namespace std::chrono_literals;
using restate::Clock;
using restate::fake::FakeClock;
using restate::kube::Key;
using restate::runtime::QueueObserver;
using restate::runtime::WorkQueue;
using enum restate::runtime::WorkQueue::Priority;

namespace {

const Key kA{"ns", "a"}, kB{"ns", "b"}, kC{"ns", "c"};

// A queue on a fake clock, worked on by the test's own thread.
struct Bench {
  FakeClock clock;
  WorkQueue queue{clock};

  // The due key that Take gives out, or "" when it would block.
  std::string TakeNow() {
    if (queue.depth() == 0) return "";
    return queue.Take({})->name;
  }
  void Finish(const Key& key) { queue.Done(key); }
  // Takes and finishes whatever is due, in order.
  std::string Drain() {
    std::string names;
    for (std::string name = TakeNow(); !name.empty(); name = TakeNow()) {
      names += name;
      Finish({"ns", name});
    }
    return names;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Bench, "Q1 a key that waits is queued once") {
  queue.Add(kA);
  queue.Add(kA);
  queue.AddAfter(kA, 0s);
  CHECK(queue.depth() == 1);
  CHECK(Drain() == "a");
}

TEST_CASE_FIXTURE(Bench, "Q1 a key added while it is worked on runs once more, after Done") {
  queue.Add(kA);
  REQUIRE(TakeNow() == "a");
  queue.Add(kA);
  queue.Add(kA);
  CHECK(queue.depth() == 0);
  CHECK(TakeNow() == "");
  queue.Done(kA);
  CHECK(Drain() == "a");
}

TEST_CASE_FIXTURE(Bench, "Q1 a key that was not added meanwhile does not come back") {
  queue.Add(kA);
  CHECK_FALSE(queue.held(kA));
  REQUIRE(TakeNow() == "a");
  CHECK(queue.held(kA));
  queue.Done(kA);
  CHECK_FALSE(queue.held(kA));
  clock.Advance(24h);
  CHECK(Drain() == "");
}

TEST_CASE("Q1 one key is never worked on twice at the same time and its last add is always served") {
  WorkQueue queue(Clock::Real());
  constexpr int kWorkers = 64, kKeys = 8, kAdds = 4000;
  struct Counter {
    std::atomic<int> running = 0, added = 0, seen = 0;
  };
  std::vector<Counter> counters(kKeys);
  std::atomic<int> overlaps = 0;
  std::stop_source stop;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < kWorkers; ++i) {
      workers.emplace_back([&] {
        while (const auto key = queue.Take(stop.get_token())) {
          Counter& counter = counters[static_cast<std::size_t>(std::stoi(key->name))];
          if (counter.running.fetch_add(1) != 0) ++overlaps;
          counter.seen = counter.added.load();
          std::this_thread::yield();
          counter.running.fetch_sub(1);
          queue.Done(*key);
        }
      });
    }
    std::minstd_rand random(7);
    for (int i = 0; i < kAdds; ++i) {
      const auto k = random() % kKeys;
      ++counters[k].added;
      queue.Add({"ns", std::to_string(k)});
    }
    for (const Counter& counter : counters) {
      while (counter.seen != counter.added) std::this_thread::yield();
    }
    stop.request_stop();
  }
  CHECK(overlaps == 0);
}

TEST_CASE_FIXTURE(Bench, "Q2 back-off per key is 1 s, doubled up to 5 min, for any number of failures") {
  for (int failures = 1; failures <= 200; ++failures) {
    const auto expected = failures <= 9 ? std::chrono::seconds(1 << (failures - 1)) : 300s;
    queue.AddRateLimited(kA);
    CHECK(queue.failures(kA) == failures);
    clock.Advance(std::min<Clock::Duration>(expected, 300s) - 1ns);
    CHECK(TakeNow() == "");
    clock.Advance(1ns);
    REQUIRE(TakeNow() == "a");
    queue.Done(kA);
  }
}

TEST_CASE_FIXTURE(Bench, "Q2 a success starts the back-off anew and other keys are not affected") {
  for (int i = 0; i < 5; ++i) {
    queue.AddRateLimited(kA);
    clock.Advance(5min);
    Drain();
  }
  queue.AddRateLimited(kB);
  clock.Advance(1s);
  CHECK(Drain() == "b");
  queue.Forget(kA);
  CHECK(queue.failures(kA) == 0);
  queue.AddRateLimited(kA);
  clock.Advance(1s);
  CHECK(Drain() == "a");
}

TEST_CASE_FIXTURE(Bench, "Q2 Retry-After wins where it is longer than the back-off") {
  queue.AddRateLimited(kA, 30s);
  queue.AddRateLimited(kB, 100ms);
  clock.Advance(1s);
  CHECK(Drain() == "b");
  clock.Advance(28999ms);
  CHECK(Drain() == "");
  clock.Advance(1ms);
  CHECK(Drain() == "a");
}

TEST_CASE_FIXTURE(Bench, "Q2 a lost race is looked at again at once, and backs off from the second time on") {
  for (const auto delay : {0s, 1s, 2s, 4s}) {
    queue.AddAtOnce(kA);
    if (delay > 0s) {
      clock.Advance(delay - 1ns);
      CHECK(TakeNow() == "");
      clock.Advance(1ns);
    }
    REQUIRE(TakeNow() == "a");
    queue.Done(kA);
  }
}

TEST_CASE_FIXTURE(Bench, "Q3 of two dates the earlier wins, in both orders") {
  queue.AddAfter(kA, 10s);
  queue.AddAfter(kA, 50s);
  queue.AddAfter(kB, 50s);
  queue.AddAfter(kB, 20s);
  clock.Advance(10s);
  CHECK(Drain() == "a");
  clock.Advance(10s);
  CHECK(Drain() == "b");
  clock.Advance(24h);
  CHECK(Drain() == "");
}

TEST_CASE_FIXTURE(Bench, "Q3 an add for now overtakes a date and uses it up") {
  queue.AddAfter(kA, 5min);
  queue.Add(kA);
  CHECK(Drain() == "a");
  clock.Advance(1h);
  CHECK(Drain() == "");
}

TEST_CASE_FIXTURE(Bench, "Q3 two that come due together both fire, the earlier first") {
  queue.AddAfter(kA, 2s);
  queue.AddAfter(kB, 1s);
  clock.Advance(1h);  // as after a timer that was lost: everything due is there at once
  CHECK(queue.depth() == 2);
  CHECK(Drain() == "ba");
}

TEST_CASE_FIXTURE(Bench, "Q3 a date set while the key is worked on counts from then, not from Done") {
  queue.Add(kA);
  REQUIRE(TakeNow() == "a");
  queue.AddAfter(kA, 10s);
  clock.Advance(4s);
  queue.Done(kA);
  clock.Advance(5999ms);
  CHECK(Drain() == "");
  clock.Advance(1ms);
  CHECK(Drain() == "a");
}

TEST_CASE_FIXTURE(Bench, "Q3 a delay beyond all time does not overflow into the past") {
  queue.AddAfter(kA, Clock::Duration::max());
  queue.AddAfter(kB, -5s);
  clock.Advance(1000h);
  CHECK(Drain() == "b");
}

TEST_CASE_FIXTURE(Bench, "Q3 a waiting worker wakes at the earliest date, also one set while it sleeps") {
  queue.AddAfter(kA, 1h);
  std::optional<Key> taken;
  std::jthread worker([&](std::stop_token stop) { taken = queue.Take(stop); });
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(clock.UntilNextWake() == 1h);
  queue.AddAfter(kB, 5s);
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(clock.UntilNextWake() == 5s);
  clock.Advance(5s);
  worker.join();
  CHECK(taken == kB);
}

TEST_CASE_FIXTURE(Bench, "Q3 while one worker is busy another wakes for the next date") {
  queue.AddAfter(kA, 10s);
  queue.AddAfter(kB, 15s);
  std::optional<Key> first, second;
  std::jthread one([&](std::stop_token stop) { first = queue.Take(stop); });
  std::jthread two([&](std::stop_token stop) { second = queue.Take(stop); });
  REQUIRE(clock.WaitForSleepers(2));
  clock.Advance(10s);
  REQUIRE(clock.WaitForSleepers(1));
  clock.Advance(5s);
  one.join();
  two.join();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->name + second->name == (first == kA ? "ab" : "ba"));
}

TEST_CASE_FIXTURE(Bench, "Q5 after a stop nothing is given out, whether keys wait or not") {
  std::stop_source stop;
  std::optional<Key> taken = kC;
  std::jthread worker([&] { taken = queue.Take(stop.get_token()); });
  REQUIRE(clock.WaitForSleepers(1));
  stop.request_stop();
  worker.join();
  CHECK_FALSE(taken);
  queue.Add(kA);
  CHECK_FALSE(queue.Take(stop.get_token()));
}

TEST_CASE_FIXTURE(Bench, "Q8 live changes go before the initial list, which keeps its order") {
  for (int i = 0; i < 10'000; ++i) queue.Add({"ns", "initial-" + std::to_string(i)}, kBackground);
  queue.Add(kA, kLive);
  CHECK(TakeNow() == "a");
  CHECK(queue.depth() == 10'000);
}

TEST_CASE_FIXTURE(Bench,
                  "Q8 an edit raises a key that waits in the background, and a background add does not lower it") {
  queue.Add(kA, kBackground);
  queue.Add(kB, kBackground);
  queue.Add(kC, kBackground);
  queue.Add(kC, kLive);
  queue.Add(kC, kBackground);
  CHECK(Drain() == "cab");
}

TEST_CASE_FIXTURE(Bench, "Q8 a live add keeps its rank while a worker holds the key") {
  queue.Add(kB, kBackground);
  REQUIRE(TakeNow() == "b");
  queue.Add(kA, kBackground);
  queue.Add(kB, kLive);
  queue.Done(kB);
  CHECK(Drain() == "ba");
}

TEST_CASE_FIXTURE(Bench, "Q8 ten thousand keys are all given out once while many are held and many wait for a date") {
  constexpr int kKeys = 10'000;
  for (int i = 0; i < kKeys; ++i) {
    const Key key{"ns", std::to_string(i)};
    if (i % 2 == 0) {
      queue.Add(key, kBackground);
    } else {
      queue.AddAfter(key, std::chrono::milliseconds(i));
    }
  }
  std::map<std::string, int> taken;
  for (std::string name = TakeNow(); !name.empty(); name = TakeNow()) {
    ++taken[name];
    queue.Add({"ns", name});  // held: comes back after its Done only
  }
  CHECK(taken.size() == kKeys / 2);
  for (const auto& [name, times] : taken) queue.Done({"ns", name});
  CHECK(queue.depth() == kKeys / 2);
  clock.Advance(10s);
  CHECK(queue.depth() == kKeys);
}

namespace {

struct Recorder : QueueObserver {
  int added = 0, retried = 0;
  Clock::Duration waited{};
  std::size_t depth = 0;
  void Added() override { ++added; }
  void Waited(Clock::Duration d) override { waited = d; }
  void Depth(std::size_t d) override { depth = d; }
  void Retried() override { ++retried; }
};

}  // namespace

TEST_CASE("Q9 the queue reports adds, depth, waiting time and retries") {
  FakeClock clock;
  Recorder recorder;
  WorkQueue queue(clock, &recorder);
  queue.Add(kA);
  queue.Add(kA);
  queue.Add(kB);
  CHECK(recorder.added == 2);
  CHECK(recorder.depth == 2);
  clock.Advance(3s);
  REQUIRE(queue.Take({}) == kA);
  CHECK(recorder.waited == 3s);
  CHECK(recorder.depth == 1);
  CHECK(recorder.retried == 0);
  queue.AddRateLimited(kA);
  CHECK(recorder.retried == 1);
  queue.Done(kA);
}
