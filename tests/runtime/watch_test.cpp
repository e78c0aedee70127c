#include "restate/runtime/watch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>

#include "restate/base/error.h"
#include "restate/json/value.h"
#include "restate/kube/client.h"

using namespace std::chrono_literals;
using namespace restate::runtime;
using restate::Clock;
using restate::MakeError;
using restate::Reason;
using restate::json::Obj;

namespace {

absl::Status Refused(int code, const char* reason = "", int retry_after_seconds = 0) {
  return restate::kube::ErrorOfStatusObject(Obj({{"kind", "Status"},
                                                 {"code", code},
                                                 {"reason", reason},
                                                 {"message", "scripted"},
                                                 {"details", Obj({{"retryAfterSeconds", retry_after_seconds}})}}),
                                            "test");
}

absl::Status ConnectionRefused() { return MakeError(Reason::kApiUnavailable, "connection refused"); }
absl::Status Silence() { return MakeError(Reason::kDeadlineExceeded, "no byte for 305 s"); }

// A watcher, the time, and what it wants next as a short text: "list", "page T", "full", "watch RV", "discover".
struct Bench {
  WatchState state{1};
  Clock::TimePoint now{10h};

  std::string Wants() const {
    const Ask& ask = state.next();
    if (std::holds_alternative<ListFirstPage>(ask)) return "list";
    if (std::holds_alternative<ListInFull>(ask)) return "full";
    if (std::holds_alternative<PollDiscovery>(ask)) return "discover";
    if (const auto* page = std::get_if<ListNextPage>(&ask)) return "page " + page->token;
    return "watch " + std::get<OpenWatch>(ask).resource_version;
  }
  int Timeout() const { return std::get<OpenWatch>(state.next()).timeout_seconds; }
  void SleepDelay() { now += state.delay(); }
  void ListCompletely(const char* version) {
    REQUIRE(Wants() == "list");
    REQUIRE(state.Listed(version, "", now) == WatchState::ListResult::kComplete);
  }
  void Open() {
    SleepDelay();
    REQUIRE(Wants().starts_with("watch "));
    state.WatchOpened(now);
  }
};

bool Within(Clock::Duration delay, Clock::Duration step) { return delay >= step && delay <= 2 * step; }

}  // namespace

TEST_CASE_FIXTURE(Bench, "W1 versions are sent back as they came, whatever they look like") {
  ListCompletely("a9");
  CHECK(Wants() == "watch a9");
  Open();
  state.Event("b1");
  state.Event("a0");
  state.WatchEnded(absl::OkStatus(), now + 5min);
  CHECK(Wants() == "watch a0");
}

TEST_CASE_FIXTURE(
    Bench, "W2 W3 the first thing is a list; pages follow their tokens at once and the watch starts from the list") {
  CHECK(Wants() == "list");
  CHECK(state.delay() == 0s);
  CHECK(state.Listed("10", "t1", now) == WatchState::ListResult::kMore);
  CHECK(Wants() == "page t1");
  CHECK(state.delay() == 0s);
  CHECK(state.Listed("10", "t2", now) == WatchState::ListResult::kMore);
  CHECK(Wants() == "page t2");
  CHECK(state.Listed("10", "", now) == WatchState::ListResult::kComplete);
  CHECK(Wants() == "watch 10");
  CHECK(state.delay() == 0s);
}

TEST_CASE_FIXTURE(Bench, "W3 should the pages disagree, the watch starts from the first") {
  state.Listed("10", "t1", now);
  state.Listed("20", "", now);
  CHECK(Wants() == "watch 10");
}

TEST_CASE_FIXTURE(Bench, "W4 410 in mid-list asks for the whole list at once, once") {
  state.Listed("10", "t1", now);
  state.ListFailed(Refused(410, "Expired"), now);
  CHECK(Wants() == "full");
  CHECK(state.delay() == 0s);
  CHECK(state.Listed("12", "", now) == WatchState::ListResult::kComplete);
  CHECK(Wants() == "watch 12");
}

TEST_CASE_FIXTURE(Bench, "W4 410 on the first page or on the full list starts again after a back-off") {
  SUBCASE("first page") {}
  SUBCASE("full list") {
    state.Listed("10", "t1", now);
    state.ListFailed(Refused(410, "Expired"), now);
    REQUIRE(Wants() == "full");
  }
  state.ListFailed(Refused(410, "Expired"), now);
  CHECK(Wants() == "list");
  CHECK(Within(state.delay(), 800ms));
}

TEST_CASE_FIXTURE(Bench, "W4 a version that is too large is given up for a new list") {
  ListCompletely("10");
  state.WatchFailedToOpen(Refused(504, "Timeout"), now);
  CHECK(Wants() == "list");
  state.ListFailed(Refused(504, "Timeout"), now);
  CHECK(Wants() == "list");
}

TEST_CASE_FIXTURE(Bench, "W5 a page that fails starts the list again from its first page") {
  state.Listed("10", "t1", now);
  state.ListFailed(Refused(500, "InternalError"), now);
  CHECK(Wants() == "list");
  CHECK(Within(state.delay(), 800ms));
}

TEST_CASE_FIXTURE(Bench, "W5 W13 a list that does not say its version is not used") {
  for (const char* version : {"", "0"}) {
    CHECK(state.Listed(version, "", now) == WatchState::ListResult::kUnusable);
    CHECK(Wants() == "list");
    CHECK(state.delay() > 0s);
  }
  CHECK(state.Listed("", "token", now) == WatchState::ListResult::kUnusable);
  CHECK(Wants() == "list");
}

TEST_CASE_FIXTURE(Bench, "W6 each watch asks for another time between 300 and 600 seconds") {
  ListCompletely("10");
  std::set<int> timeouts;
  for (int i = 0; i < 200; ++i) {
    CHECK(Timeout() >= 300);
    CHECK(Timeout() <= 600);
    timeouts.insert(Timeout());
    Open();
    now += 5min;
    state.WatchEnded(absl::OkStatus(), now);
  }
  CHECK(timeouts.size() > 50);
  CHECK(*timeouts.begin() < 330);
  CHECK(*timeouts.rbegin() > 570);
}

TEST_CASE_FIXTURE(Bench,
                  "W6 W21 after silence past the limit the watch is opened again at once, from the last version") {
  ListCompletely("10");
  Open();
  state.Event("11");
  now += 305s;
  state.WatchEnded(Silence(), now);
  CHECK(Wants() == "watch 11");
  CHECK(state.delay() == 0s);
}

TEST_CASE_FIXTURE(Bench, "W7 every event moves the version, and one without a version does not") {
  ListCompletely("10");
  Open();
  for (const char* version : {"11", "12", "", "0"}) state.Event(version);
  state.WatchEnded(absl::OkStatus(), now + 5min);
  CHECK(Wants() == "watch 12");
}

TEST_CASE("W8 410 in either form drops the version and lists once") {
  for (const char* reason : {"Expired", "Gone"}) {
    for (const bool on_opening : {true, false}) {
      CAPTURE(reason);
      CAPTURE(on_opening);
      Bench bench;
      bench.ListCompletely("10");
      if (on_opening) {
        bench.state.WatchFailedToOpen(Refused(410, reason), bench.now);
      } else {
        bench.Open();
        bench.state.Event("11");
        bench.state.WatchError(Refused(410, reason), bench.now);
      }
      CHECK(bench.Wants() == "list");
      CHECK(Within(bench.state.delay(), 800ms));
      bench.SleepDelay();
      bench.ListCompletely("20");
      CHECK(bench.Wants() == "watch 20");
    }
  }
}

TEST_CASE_FIXTURE(Bench, "W8 a server that answers every watch with 410 is not listed in a hot loop") {
  int lists = 0;
  for (const auto end = now + 1min; now < end; ++lists) {
    ListCompletely("10");
    state.WatchFailedToOpen(Refused(410, "Expired"), now);
    SleepDelay();
  }
  CHECK(lists <= 8);
}

TEST_CASE_FIXTURE(Bench, "W9 429 inside the stream: wait, then watch from the same version, no list") {
  ListCompletely("10");
  Open();
  state.Event("11");
  state.WatchError(Refused(429, "TooManyRequests"), now);
  CHECK(Wants() == "watch 11");
  CHECK(Within(state.delay(), 800ms));
  Open();
  state.WatchError(Refused(429, "TooManyRequests", 17), now);
  CHECK(Wants() == "watch 11");
  CHECK(state.delay() == 17s);
}

TEST_CASE_FIXTURE(Bench, "W9 500 inside the stream is retried for a minute, then listed") {
  ListCompletely("10");
  const auto began = now;
  while (true) {
    Open();
    state.WatchError(Refused(500, "InternalError"), now);
    if (now - began >= 1min) break;
    REQUIRE(Wants() == "watch 10");
    REQUIRE(state.delay() > 0s);
  }
  CHECK(Wants() == "list");
}

TEST_CASE_FIXTURE(Bench, "W9 an event between internal errors starts the minute anew") {
  ListCompletely("10");
  for (int i = 0; i < 20; ++i) {
    Open();
    state.Event("11");
    now += 50s;
    state.WatchError(Refused(500, "InternalError"), now);
    REQUIRE(Wants() == "watch 11");
  }
}

TEST_CASE("W9 any other error inside the stream: list") {
  for (const int code : {400, 403, 404, 503, 0}) {
    CAPTURE(code);
    Bench bench;
    bench.ListCompletely("10");
    bench.Open();
    bench.state.WatchError(Refused(code), bench.now);
    CHECK(bench.Wants() == "list");
    CHECK(bench.state.delay() > 0s);
  }
}

TEST_CASE_FIXTURE(Bench, "W10 a clean end is followed by a watch from the last version at once, no list") {
  ListCompletely("10");
  Open();
  state.Event("11");
  now += 5min;
  state.WatchEnded(absl::OkStatus(), now);
  CHECK(Wants() == "watch 11");
  CHECK(state.delay() == 0s);
}

TEST_CASE_FIXTURE(Bench,
                  "W10 a broken stream is followed by a watch from the last version after a short wait, no list") {
  ListCompletely("10");
  for (int i = 0; i < 5; ++i) {
    Open();
    state.Event("11");
    now += 5min;
    state.WatchEnded(MakeError(Reason::kApiUnavailable, "connection reset"), now);
    CHECK(Wants() == "watch 11");
    CHECK(Within(state.delay(), 800ms));
  }
}

TEST_CASE(
    "W10 a server that closes every watch at once is asked at most 8 times in the first minute, never for a list") {
  for (const bool clean : {true, false}) {
    Bench bench;
    bench.ListCompletely("10");
    int attempts = 0;
    for (const auto end = bench.now + 1min; true; ++attempts) {
      bench.Open();
      if (bench.now >= end) break;
      bench.state.WatchEnded(clean ? absl::OkStatus() : ConnectionRefused(), bench.now + 10ms);
      REQUIRE(bench.Wants() == "watch 10");
    }
    CHECK(attempts <= 8);
    CHECK(attempts >= 3);
  }
}

TEST_CASE_FIXTURE(Bench, "W10 a server that closes after each event is not asked in a hot loop, and its events go on") {
  ListCompletely("10");
  int attempts = 0;
  for (const auto end = now + 1min; now < end; ++attempts) {
    Open();
    state.Event("11");
    state.WatchEnded(absl::OkStatus(), now + 10ms);
    CHECK(Within(state.delay(), 800ms));
  }
  CHECK(attempts <= 75);
}

TEST_CASE_FIXTURE(Bench, "W11 not reached or 429 on opening: the same version again after a back-off") {
  ListCompletely("10");
  state.WatchFailedToOpen(ConnectionRefused(), now);
  CHECK(Wants() == "watch 10");
  CHECK(Within(state.delay(), 800ms));
  SleepDelay();
  state.WatchFailedToOpen(Refused(429, "TooManyRequests"), now);
  CHECK(Wants() == "watch 10");
  CHECK(Within(state.delay(), 1600ms));
}

TEST_CASE("W11 any other refusal to open a watch: list") {
  for (const int code : {400, 405, 422, 500, 502, 503}) {
    CAPTURE(code);
    Bench bench;
    bench.ListCompletely("10");
    bench.state.WatchFailedToOpen(Refused(code), bench.now);
    CHECK(bench.Wants() == "list");
    CHECK(bench.state.delay() > 0s);
  }
}

TEST_CASE_FIXTURE(Bench, "W12 the back-off is 0.8 s doubled up to 30 s, each with jitter up to its double") {
  for (const auto step : {800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    state.ListFailed(ConnectionRefused(), now);
    CHECK(Within(state.delay(), step));
    SleepDelay();
  }
}

TEST_CASE("W12 the jitter spreads over its whole band") {
  Clock::Duration least = 1h, most{};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    WatchState state(seed * 7919);
    state.ListFailed(ConnectionRefused(), Clock::TimePoint(10h));
    least = std::min(least, state.delay());
    most = std::max(most, state.delay());
  }
  CHECK(least >= 800ms);
  CHECK(least < 900ms);
  CHECK(most > 1500ms);
  CHECK(most <= 1600ms);
}

TEST_CASE_FIXTURE(Bench, "W12 two minutes without failure start the back-off anew, less do not") {
  for (int i = 0; i < 3; ++i) {
    state.ListFailed(ConnectionRefused(), now);
    SleepDelay();
  }
  now += 119s;
  state.ListFailed(ConnectionRefused(), now);
  CHECK(Within(state.delay(), 6400ms));
  SleepDelay();
  now += 2min;
  state.ListFailed(ConnectionRefused(), now);
  CHECK(Within(state.delay(), 800ms));
}

TEST_CASE_FIXTURE(Bench, "W12 Retry-After wins where it is longer") {
  state.ListFailed(Refused(429, "TooManyRequests", 120), now);
  CHECK(state.delay() == 120s);
  CHECK(Wants() == "list");
}

TEST_CASE("W13 whatever a server does, no watch is opened without a version") {
  std::minstd_rand random(3);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto version = [&] { return std::array{"", "0", "5", "x"}[static_cast<std::size_t>(pick(4))]; };
  const auto error = [&] {
    const int code = std::array{0, 400, 401, 403, 404, 410, 429, 500, 504}[static_cast<std::size_t>(pick(9))];
    return code == 0 ? ConnectionRefused() : Refused(code);
  };
  Bench bench;
  int watches = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string wants = bench.Wants();
    bench.now += std::chrono::seconds(pick(400));
    if (wants == "discover") {
      bench.state.Discovered(pick(2) == 0);
    } else if (!wants.starts_with("watch")) {
      pick(3) == 0 ? bench.state.ListFailed(error(), bench.now)
                   : void(bench.state.Listed(version(), pick(3) == 0 ? "token" : "", bench.now));
    } else {
      ++watches;
      REQUIRE(wants != "watch ");
      REQUIRE(wants != "watch 0");
      if (pick(3) == 0) {
        bench.state.WatchFailedToOpen(error(), bench.now);
        continue;
      }
      bench.state.WatchOpened(bench.now);
      for (int events = pick(3); events > 0; --events) bench.state.Event(version());
      bench.now += std::chrono::seconds(pick(400));
      pick(2) == 0 ? bench.state.WatchError(error(), bench.now) : bench.state.WatchEnded(error(), bench.now);
    }
  }
  CHECK(watches > 1000);
}

TEST_CASE("W22 a resource that is not served is looked for, in the end every 10 s, and listed when it is there") {
  Bench bench;
  SUBCASE("at start") { bench.state.ListFailed(Refused(404, "NotFound"), bench.now); }
  SUBCASE("in mid-list") {
    bench.state.Listed("10", "t1", bench.now);
    bench.state.ListFailed(Refused(404, "NotFound"), bench.now);
  }
  SUBCASE("while watched") {
    bench.ListCompletely("10");
    bench.state.WatchFailedToOpen(Refused(404, "NotFound"), bench.now);
  }
  for (const Clock::Duration delay : {1s, 2s, 4s, 8s, 10s, 10s}) {
    CHECK(bench.Wants() == "discover");
    CHECK(bench.state.delay() == delay);
    bench.state.Discovered(false);
  }
  bench.state.Discovered(true);
  CHECK(bench.Wants() == "list");
  CHECK(bench.state.delay() == 0s);
  // Discovery that promises what a list does not keep is no reason to ask more often.
  bench.state.ListFailed(Refused(404, "NotFound"), bench.now);
  CHECK(bench.state.delay() == 10s);
  bench.state.Discovered(true);
  bench.ListCompletely("20");
  bench.state.WatchFailedToOpen(Refused(404, "NotFound"), bench.now);
  CHECK(bench.state.delay() == 1s);
}

TEST_CASE("W23 401 and 403 back off and go on with the same thing") {
  for (const int code : {401, 403}) {
    CAPTURE(code);
    Bench bench;
    bench.state.ListFailed(Refused(code), bench.now);
    CHECK(bench.Wants() == "list");
    CHECK(Within(bench.state.delay(), 800ms));
    bench.SleepDelay();
    bench.ListCompletely("10");
    bench.state.WatchFailedToOpen(Refused(code), bench.now);
    CHECK(bench.Wants() == "watch 10");
    CHECK(Within(bench.state.delay(), 1600ms));
  }
}
