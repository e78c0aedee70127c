#include "restate/runtime/reflector.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fake/fake_clock.h"
#include "fake/scripted_http.h"
#include "instrumented.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "runtime/objects.h"

using namespace std::chrono_literals;
using restate::Clock;
using restate::MakeError;
using restate::Reason;
using restate::fake::FakeClock;
using restate::fake::ScriptedHttp;
using restate::fake::ScriptedStream;
using restate::kube::HttpRequest;
using restate::kube::Key;
using restate::kube::kReplicaSets;
using namespace restate::runtime;
using restate::json::Arr;
using restate::json::Array;
using restate::json::Dump;
using restate::json::Obj;
using restate::json::Value;

namespace {

// Copying and writing a value recurse: 9,990 levels take less than 2 of a thread's 8 MiB of stack, but AddressSanitizer
// makes the frames so large that they take more than 8.
constexpr int kDeep = restate::kInstrumented ? 1500 : 9990;

std::string ListText(const std::vector<ObjectSpec>& specs, const std::string& version, const std::string& token = "") {
  Array items;
  for (const ObjectSpec& spec : specs) items.push_back(Body(spec));
  return Dump(Obj({{"apiVersion", "apps/v1"},
                   {"kind", "ReplicaSetList"},
                   {"metadata", Obj({{"resourceVersion", version}, {"continue", token}})},
                   {"items", std::move(items)}}));
}

std::string EventText(const std::string& type, const Value& object) {
  return Dump(Obj({{"type", type}, {"object", object}})) + "\n";
}
std::string EventText(const std::string& type, const ObjectSpec& spec) { return EventText(type, Body(spec)); }

std::string Bookmark(const std::string& version) {
  return EventText(
      "BOOKMARK",
      Obj({{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}, {"metadata", Obj({{"resourceVersion", version}})}}));
}

Value StatusObject(int code, const std::string& reason) {
  return Obj({{"kind", "Status"}, {"apiVersion", "v1"}, {"code", code}, {"reason", reason}, {"message", "scripted"}});
}

// The value of a query parameter; nullopt: not sent.
std::optional<std::string> Parameter(const HttpRequest& request, const std::string& name) {
  const std::string query = request.target.substr(std::min(request.target.find('?'), request.target.size()));
  for (const char* before : {"?", "&"}) {
    const auto at = query.find(before + name + "=");
    if (at == std::string::npos) continue;
    const auto begin = at + 1 + name.size() + 1;
    return query.substr(begin, query.find('&', begin) - begin);
  }
  return std::nullopt;
}

// A reflector on a scripted server and a fake clock, and what it reported: "[+a@1 -b@2]" from a list, "+c@3" live.
struct Bench : ReflectorObserver {
  FakeClock clock;
  ScriptedHttp http;
  restate::kube::Client client{http};
  Cache cache;
  std::mutex mutex;
  std::string reported, metrics, skipped;
  std::optional<Reflector> reflector;

  ~Bench() override { reflector.reset(); }

  void Start(bool metadata_only = false) {
    reflector.emplace(
        ReflectorOptions{.resource = kReplicaSets, .metadata_only = metadata_only}, client, cache, clock,
        [this](const std::vector<Change>& changes, bool initial) { Report(changes, initial); }, this);
    reflector->Start();
  }
  // Starts with a list of these objects at version 10 and an open watch.
  std::shared_ptr<ScriptedStream> StartWatching(const std::vector<ObjectSpec>& objects = {}) {
    http.Answer(200, ListText(objects, "10"));
    auto stream = http.Stream();
    Start();
    REQUIRE(stream->WaitUntilRead());
    TakeReported();
    return stream;
  }

  void Report(const std::vector<Change>& changes, bool initial) {
    std::string text;
    for (const auto& [before, after] : changes) {
      const auto& any = after ? after : before;
      // The cache has it already when it is reported.
      const auto cached = cache.Get(kReplicaSets, any->key());
      CHECK((after ? cached == after : cached == nullptr || cached->uid() != before->uid()));
      text += (text.empty() ? "" : " ") +
              std::string(!before  ? "+"
                          : !after ? "-"
                                   : "~") +
              any->key().name + "@" + any->resource_version();
    }
    std::lock_guard lock(mutex);
    if (!reported.empty()) reported += " ";
    reported += initial ? "[" + text + "]" : text;
  }
  std::string TakeReported() {
    std::lock_guard lock(mutex);
    return std::exchange(reported, "");
  }
  std::string TakeMetrics() {
    std::lock_guard lock(mutex);
    return std::exchange(metrics, "");
  }
  void Count(char what) {
    std::lock_guard lock(mutex);
    metrics += what;
  }
  void Listed(const restate::kube::Resource&) override { Count('L'); }
  void Watched(const restate::kube::Resource&) override { Count('W'); }
  void Failed(const restate::kube::Resource&, const absl::Status&) override { Count('F'); }
  void Skipped(const restate::kube::Resource&, std::string_view what) override {
    Count('S');
    std::lock_guard lock(mutex);
    skipped = what;
  }
  // Lets the wait before the next request pass; returns how long it was.
  Clock::Duration PassDelay() {
    REQUIRE(clock.WaitForSleepers(1));
    const auto delay = clock.UntilNextWake();
    clock.Advance(delay);
    return delay;
  }
  std::string Seen() {
    std::string text;
    for (const auto& object : cache.List(kReplicaSets)) {
      text += (text.empty() ? "" : " ") + object->key().name + "@" + object->resource_version();
    }
    return text;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Bench,
                  "W2 W14 the first list asks for the most recent state, and nothing ever asks for a streaming list") {
  auto stream = StartWatching();
  const HttpRequest list = http.WaitForRequest(1);
  CHECK_FALSE(Parameter(list, "resourceVersion"));
  CHECK_FALSE(Parameter(list, "resourceVersionMatch"));
  for (const std::size_t n : {1u, 2u}) CHECK_FALSE(Parameter(http.WaitForRequest(n), "sendInitialEvents"));
}

TEST_CASE_FIXTURE(Bench, "W3 1,253 objects come in three pages of one snapshot and are published together") {
  std::vector<std::vector<ObjectSpec>> pages(3);
  for (int i = 0; i < 1253; ++i) {
    const std::string n = std::to_string(i);
    pages[static_cast<std::size_t>(i / 500)].push_back({"o" + n, "u" + n, "1"});
  }
  http.Answer(200, ListText(pages[0], "10", "t/1"));
  http.Answer(200, ListText(pages[1], "10", "t/2"));
  Start();
  http.WaitForRequest(3);
  CHECK(cache.Size(kReplicaSets) == 0);
  CHECK_FALSE(cache.Synced(kReplicaSets));
  http.Answer(200, ListText(pages[2], "10"));
  auto stream = http.Stream();
  REQUIRE(stream->WaitUntilRead());
  CHECK(cache.Size(kReplicaSets) == 1253);
  CHECK(http.request_count() == 4);
  const HttpRequest first = http.WaitForRequest(1);
  CHECK(Parameter(first, "limit") == "500");
  CHECK_FALSE(Parameter(first, "continue"));
  for (const std::size_t n : {2u, 3u}) {
    const HttpRequest page = http.WaitForRequest(n);
    CHECK(Parameter(page, "limit") == "500");
    CHECK(Parameter(page, "continue") == (n == 2 ? "t%2F1" : "t%2F2"));
    CHECK_FALSE(Parameter(page, "resourceVersion"));
    CHECK_FALSE(Parameter(page, "resourceVersionMatch"));
  }
  CHECK(Parameter(http.WaitForRequest(4), "resourceVersion") == "10");
  // What changed between the pages comes by the watch, once.
  TakeReported();
  stream->Send(EventText("MODIFIED", {"o7", "u7", "11"}));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "~o7@11");
}

TEST_CASE_FIXTURE(Bench, "W4 a token that expires in mid-list leads to one full list without a duplicate") {
  http.Answer(200, ListText({{"a", "u1", "1"}}, "10", "t1"));
  http.Answer(410, Dump(StatusObject(410, "Expired")));
  http.Answer(200, ListText({{"a", "u1", "11"}, {"b", "u2", "2"}}, "12"));
  auto stream = http.Stream();
  Start();
  REQUIRE(stream->WaitUntilRead());
  CHECK_FALSE(Parameter(http.WaitForRequest(3), "limit"));
  CHECK_FALSE(Parameter(http.WaitForRequest(3), "continue"));
  CHECK_FALSE(Parameter(http.WaitForRequest(3), "resourceVersion"));
  CHECK(TakeReported() == "[+a@11 +b@2]");
  CHECK(http.request_count() == 4);
}

TEST_CASE_FIXTURE(Bench,
                  "W5 a list that fails in the middle changes nothing; the next one deletes what is absent, once") {
  auto stream = StartWatching({{"a", "u1", "1"}, {"b", "u2", "2"}});
  stream->Send(EventText("MODIFIED", {"b", "u2", "11"}) + EventText("ERROR", StatusObject(410, "Expired")));
  PassDelay();
  http.WaitForRequest(3);
  TakeReported();
  http.Answer(200, ListText({{"a", "u1", "1"}}, "20", "t1"));
  http.Answer(500, Dump(StatusObject(500, "InternalError")));
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(Seen() == "a@1 b@11");
  CHECK(TakeReported() == "");
  PassDelay();
  http.Answer(200, ListText({{"a", "u1", "1"}}, "21"));
  auto again = http.Stream();
  REQUIRE(again->WaitUntilRead());
  CHECK(Seen() == "a@1");
  CHECK(TakeReported() == "[~a@1 -b@11]");
}

TEST_CASE_FIXTURE(Bench, "W5 a list without a version changes nothing") {
  http.Answer(200, ListText({{"a", "u1", "1"}}, ""));
  Start();
  REQUIRE(clock.WaitForSleepers(1));
  CHECK_FALSE(cache.Synced(kReplicaSets));
  CHECK(reflector->Trouble().find("resourceVersion") != std::string::npos);
}

TEST_CASE_FIXTURE(
    Bench, "W6 a watch asks for bookmarks and a time, and silence beyond it opens the next from the last version") {
  auto stream = StartWatching();
  const HttpRequest watch = http.WaitForRequest(2);
  CHECK(Parameter(watch, "watch") == "1");
  CHECK(Parameter(watch, "allowWatchBookmarks") == "true");
  CHECK(Parameter(watch, "resourceVersion") == "10");
  const int timeout = std::stoi(Parameter(watch, "timeoutSeconds").value());
  CHECK(timeout >= 300);
  CHECK(timeout <= 600);
  CHECK(watch.timeout == absl::Seconds(timeout + 5));
  stream->Send(EventText("ADDED", {"a", "u1", "11"}));
  REQUIRE(stream->WaitUntilRead());
  clock.Advance(std::chrono::seconds(timeout + 5));
  auto next = http.Stream();
  stream->Break(MakeError(Reason::kDeadlineExceeded, "silence"));
  REQUIRE(next->WaitUntilRead());
  CHECK(Parameter(http.WaitForRequest(3), "resourceVersion") == "11");
  CHECK(reflector->Trouble() == "");
}

TEST_CASE_FIXTURE(Bench, "W7 a bookmark moves the version and does nothing else") {
  auto stream = StartWatching({{"a", "u1", "1"}});
  stream->Send(Bookmark("15"));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "");
  CHECK(Seen() == "a@1");
  CHECK(TakeMetrics().find('S') == std::string::npos);
  clock.Advance(5min);
  auto next = http.Stream();
  stream->End();
  REQUIRE(next->WaitUntilRead());
  CHECK(Parameter(http.WaitForRequest(3), "resourceVersion") == "15");
}

TEST_CASE("W8 410 in either form and with either reason leads to one list, and changes made meanwhile are noticed") {
  for (const char* reason : {"Expired", "Gone"}) {
    for (const bool on_opening : {true, false}) {
      CAPTURE(reason);
      CAPTURE(on_opening);
      Bench bench;
      auto stream = bench.StartWatching({{"a", "u1", "1"}});
      if (on_opening) {
        bench.clock.Advance(5min);
        bench.http.Answer(410, Dump(StatusObject(410, reason)));
        stream->End();
      } else {
        stream->Send(EventText("ERROR", StatusObject(410, reason)));
      }
      bench.http.Answer(200, ListText({{"b", "u2", "15"}}, "20"));
      auto next = bench.http.Stream();
      bench.PassDelay();
      REQUIRE(next->WaitUntilRead());
      CHECK(bench.http.request_count() == (on_opening ? 5 : 4));
      CHECK(Parameter(bench.http.WaitForRequest(bench.http.request_count()), "resourceVersion") == "20");
      CHECK(bench.TakeReported() == "[+b@15 -a@1]");
    }
  }
}

TEST_CASE_FIXTURE(Bench, "W9 429 inside the stream: no list") {
  auto stream = StartWatching();
  stream->Send(EventText("ADDED", {"a", "u1", "11"}) + EventText("ERROR", StatusObject(429, "TooManyRequests")) +
               EventText("ADDED", {"b", "u2", "12"}));
  auto next = http.Stream();
  PassDelay();
  REQUIRE(next->WaitUntilRead());
  CHECK(Parameter(http.WaitForRequest(3), "watch") == "1");
  CHECK(Parameter(http.WaitForRequest(3), "resourceVersion") == "11");  // what follows the error is not trusted
}

TEST_CASE_FIXTURE(Bench, "W10 a reset is followed by a watch from the last version, no list") {
  auto stream = StartWatching();
  stream->Send(EventText("ADDED", {"a", "u1", "11"}));
  auto next = http.Stream();
  stream->Break(MakeError(Reason::kApiUnavailable, "connection reset"));
  PassDelay();
  REQUIRE(next->WaitUntilRead());
  CHECK(Parameter(http.WaitForRequest(3), "watch") == "1");
  CHECK(Parameter(http.WaitForRequest(3), "resourceVersion") == "11");
}

TEST_CASE_FIXTURE(Bench, "W10 W12 a server that closes 100 watches at once sees no list and ever longer waits") {
  http.Answer(200, ListText({}, "10"));
  for (int i = 0; i < 100; ++i) http.Answer(200, "");
  Start();
  const auto began = clock.Now();
  int in_first_minute = 0;
  for (int i = 1; i <= 100; ++i) {
    REQUIRE(clock.WaitForSleepers(1));
    if (clock.Now() - began < 1min) ++in_first_minute;
    CHECK(PassDelay() <= 1min);
  }
  CHECK(in_first_minute <= 8);
  for (std::size_t n = 2; n <= 101; ++n) CHECK(Parameter(http.WaitForRequest(n), "watch") == "1");
}

TEST_CASE_FIXTURE(Bench, "W11 a watch that cannot be opened: refused connections resume, other errors list") {
  auto stream = StartWatching();
  clock.Advance(5min);
  http.Fail(MakeError(Reason::kApiUnavailable, "connection refused"));
  stream->End();
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(reflector->Trouble().find("connection refused") != std::string::npos);
  PassDelay();
  http.WaitForRequest(4);
  CHECK(Parameter(http.WaitForRequest(4), "resourceVersion") == "10");
  http.Answer(503, "down");
  PassDelay();
  CHECK_FALSE(Parameter(http.WaitForRequest(5), "watch"));
}

TEST_CASE("W15 events are put together wherever the bytes are split") {
  const std::string text = EventText("ADDED", {"a", "u1", "11"}) +
                           EventText("MODIFIED", {.name = "a", .uid = "u1", .version = "12", .note = "ein Gruß"}) +
                           "\r\n" + EventText("DELETED", {"a", "u1", "13"});
  for (std::size_t at = 0; at <= text.size(); ++at) {
    CAPTURE(at);
    Bench bench;
    auto stream = bench.StartWatching();
    stream->Send(text.substr(0, at));
    stream->Send(text.substr(at));
    REQUIRE(stream->WaitUntilRead());
    CHECK(bench.TakeReported() == "+a@11 ~a@12 -a@12");
    CHECK(bench.skipped == "");
  }
}

TEST_CASE_FIXTURE(Bench, "W15 events come whole when every byte comes alone") {
  auto stream = StartWatching();
  for (const char c : EventText("ADDED", {"a", "u1", "11"}) + EventText("DELETED", {"a", "u1", "13"})) {
    stream->Send(std::string(1, c));
  }
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "+a@11 -a@11");
}

TEST_CASE_FIXTURE(Bench, "W15 an object of 3 MiB is followed") {
  auto stream = StartWatching();
  const std::string text =
      EventText("ADDED", {.name = "a", .uid = "u1", .version = "11", .note = std::string(3u << 20, 'x')});
  for (std::size_t at = 0; at < text.size(); at += 64 * 1024) stream->Send(text.substr(at, 64 * 1024));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "+a@11");
  CHECK(cache.Get(kReplicaSets, {"ns", "a"})->Body().StringAt({"spec", "note"}).size() == 3u << 20);
}

TEST_CASE_FIXTURE(Bench, "W15 half a line before the end is asked for again, not an error") {
  auto stream = StartWatching();
  const std::string text = EventText("ADDED", {"b", "u2", "12"});
  stream->Send(EventText("ADDED", {"a", "u1", "11"}) + text.substr(0, text.size() / 2));
  REQUIRE(stream->WaitUntilRead());
  clock.Advance(5min);
  auto next = http.Stream();
  stream->End();
  REQUIRE(next->WaitUntilRead());
  CHECK(Parameter(http.WaitForRequest(3), "resourceVersion") == "11");
  next->Send(text);
  REQUIRE(next->WaitUntilRead());
  CHECK(TakeReported() == "+a@11 +b@12");
  CHECK(TakeMetrics() == "LWW");
}

TEST_CASE_FIXTURE(Bench, "W15 a line without end beyond 8 MiB leads to a new list, not to unbounded memory") {
  auto stream = StartWatching();
  for (int i = 0; i < 9; ++i) stream->Send(std::string(1u << 20, 'x'));
  PassDelay();
  const HttpRequest list = http.WaitForRequest(3);
  CHECK_FALSE(Parameter(list, "watch"));
}

TEST_CASE("W16 an event that cannot be decoded is left out alone; the others and the version go on") {
  std::string wrong_type = EventText("ADDED", {"poison", "u9", "12"});
  wrong_type.replace(wrong_type.find("\"u9\""), 4, "[7]");
  const std::string deep = std::string(20'000, '[') + std::string(20'000, ']');
  const struct {
    const char* what;
    std::string line;
  } rows[] = {
      {"wrong type", wrong_type},
      {"depth 20,000", R"({"type":"ADDED","object":{"metadata":{"name":"p","uid":"u9","x":)" + deep + "}}}\n"},
      {"invalid UTF-8", "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"p\xff\",\"uid\":\"u9\"}}}\n"},
      {"no JSON", "<html>bad gateway</html>\n"},
      {"no object", "{\"type\":\"ADDED\"}\n"},
      {"unknown type", EventText("RENAMED", {"p", "u9", "12"})},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    auto stream = bench.StartWatching();
    stream->Send(EventText("ADDED", {"a", "u1", "11"}) + row.line + EventText("ADDED", {"b", "u2", "13"}));
    REQUIRE(stream->WaitUntilRead());
    CHECK(bench.TakeReported() == "+a@11 +b@13");
    CHECK(bench.TakeMetrics() == "LWS");
    CHECK(bench.skipped != "");
  }
}

TEST_CASE_FIXTURE(Bench, "W16 depth that the API server itself accepts is no poison") {
  auto stream = StartWatching();
  for (const int depth : {200, kDeep}) {
    const std::string n = std::to_string(depth);
    const auto size = static_cast<std::size_t>(depth);
    stream->Send(R"({"type":"ADDED","object":{"metadata":{"namespace":"ns","name":"d)" + n + R"(","uid":"u)" + n +
                 R"(","resourceVersion":")" + n + R"("},"spec":)" + std::string(size, '[') + std::string(size, ']') +
                 "}}\n");
  }
  REQUIRE(stream->WaitUntilRead());
  const std::string deep = std::to_string(kDeep);
  CHECK(TakeReported() == "+d200@200 +d" + deep + "@" + deep);
}

TEST_CASE_FIXTURE(Bench, "W16 one bad item of a list of 1,000 costs only itself") {
  std::vector<ObjectSpec> specs;
  for (int i = 0; i < 1000; ++i) specs.push_back({"o" + std::to_string(i), "u" + std::to_string(i), "1"});
  std::string text = ListText(specs, "10");
  SUBCASE("wrong type") { text.replace(text.find("\"u500\""), 6, "123456"); }
  SUBCASE("invalid UTF-8") { text.replace(text.find("o500"), 4, "\xff\xff\xff\xff"); }
  http.Answer(200, text);
  auto stream = http.Stream();
  Start();
  REQUIRE(stream->WaitUntilRead());
  CHECK(cache.Size(kReplicaSets) == 999);
  CHECK(TakeMetrics() == "SLW");
}

TEST_CASE_FIXTURE(Bench, "W17 old events that a server replays are not reported") {
  auto stream = StartWatching({{"a", "u1", "5"}});
  stream->Send(EventText("MODIFIED", {"a", "u1", "11"}) + EventText("MODIFIED", {"a", "u1", "6"}));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "~a@11");
  CHECK(Seen() == "a@11");
}

TEST_CASE_FIXTURE(Bench, "W18 a recreated object is reported as a deletion and an addition") {
  auto stream = StartWatching({{"a", "u1", "5"}});
  stream->Send(EventText("DELETED", {"a", "u1", "11"}) + EventText("ADDED", {"a", "u2", "12"}));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "-a@5 +a@12");
  stream->Send(EventText("DELETED", {"a", "u1", "11"}));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "");
  CHECK(Seen() == "a@12");
}

TEST_CASE_FIXTURE(Bench, "W19 a resource whose list is delayed is not synced, and is said to be in trouble") {
  Start();
  http.WaitForRequest(1);
  clock.Advance(60s);
  CHECK_FALSE(cache.Synced(kReplicaSets));
  CHECK(reflector->Trouble() == "not listed yet: replicasets.apps");
  CHECK(TakeReported() == "");
  http.Answer(200, ListText({}, "10"));
  auto stream = http.Stream();
  REQUIRE(stream->WaitUntilRead());
  CHECK(cache.Synced(kReplicaSets));
  CHECK(reflector->Trouble() == "");
  CHECK(TakeReported() == "[]");
}

TEST_CASE_FIXTURE(Bench, "W20 an event that our write has overtaken is not reported, the event of the write is") {
  auto stream = StartWatching({{"a", "u1", "5"}});
  cache.Put(kReplicaSets, Make({"a", "u1", "12"}));
  stream->Send(EventText("MODIFIED", {"a", "u1", "11"}));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "");
  CHECK(Seen() == "a@12");
  stream->Send(EventText("MODIFIED", {"a", "u1", "12"}));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "~a@12");
}

TEST_CASE_FIXTURE(Bench, "W22 a resource that is no longer served keeps its cache until it is back") {
  auto stream = StartWatching({{"a", "u1", "5"}});
  clock.Advance(5min);
  http.Answer(404, "404 page not found");
  stream->End();
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(reflector->Trouble().starts_with("not served: replicasets.apps"));
  for (int i = 0; i < 3; ++i) {
    CHECK(PassDelay() == std::chrono::seconds(1 << i));
    CHECK(http.WaitForRequest(static_cast<std::size_t>(4 + i)).target == "/apis/apps/v1");
    http.Answer(200, R"({"kind":"APIResourceList","resources":[{"name":"deployments"}]})");
    REQUIRE(clock.WaitForSleepers(1));
  }
  CHECK(Seen() == "a@5");
  CHECK(TakeReported() == "");
  http.Answer(200, R"({"kind":"APIResourceList","resources":[{"name":"replicasets"}]})");
  http.Answer(200, ListText({{"b", "u2", "50"}}, "60"));
  auto next = http.Stream();
  PassDelay();
  REQUIRE(next->WaitUntilRead());
  CHECK(TakeReported() == "[+b@50 -a@5]");
  CHECK(reflector->Trouble() == "");
}

TEST_CASE_FIXTURE(Bench,
                  "a reflector that was stopped asks for nothing, and begins with a list when it is started again") {
  auto stream = StartWatching({{"a", "u1", "5"}});
  reflector->Stop();
  CHECK(http.request_count() == 2);
  CHECK(Seen() == "a@5");
  http.Answer(404, "404 page not found");
  reflector->Start();
  REQUIRE(clock.WaitForSleepers(1));
  CHECK(reflector->Trouble().starts_with("not served"));
  SUBCASE("also while it waits") { reflector->Stop(); }
  http.Answer(200, ListText({{"b", "u2", "50"}}, "60"));
  auto next = http.Stream();
  reflector->Start();
  REQUIRE(next->WaitUntilRead());
  CHECK(TakeReported() == "[+b@50 -a@5]");
  CHECK(reflector->Trouble() == "");
}

TEST_CASE("W23 a missing right is named with its verb and resource, and is noticed when it is granted") {
  for (const int code : {401, 403}) {
    for (const bool list : {true, false}) {
      CAPTURE(code);
      CAPTURE(list);
      Bench bench;
      const int refusals = code == 401 ? 2 : 1;  // the client reads the credentials again and repeats once
      const std::string verb = list ? "list" : "watch";
      if (!list) bench.http.Answer(200, ListText({}, "10"));
      for (int i = 0; i < refusals; ++i) bench.http.Answer(code, Dump(StatusObject(code, "Forbidden")));
      bench.Start();
      REQUIRE(bench.clock.WaitForSleepers(1));
      CHECK(bench.reflector->Trouble().starts_with((code == 403 ? "forbidden: " : "unauthorized: ") + verb +
                                                   " replicasets.apps"));
      if (list) bench.http.Answer(200, ListText({}, "10"));
      auto stream = bench.http.Stream();
      CHECK(bench.PassDelay() > 0s);
      REQUIRE(stream->WaitUntilRead());
      CHECK(bench.reflector->Trouble() == "");
    }
  }
}

TEST_CASE_FIXTURE(Bench, "Q8 what comes from a list is told apart from what is live, also in a later list") {
  http.Answer(200, ListText({{"a", "u1", "5"}}, "10"));
  auto stream = http.Stream();
  Start();
  REQUIRE(stream->WaitUntilRead());
  stream->Send(EventText("ADDED", {"b", "u2", "11"}) + EventText("ERROR", StatusObject(410, "Expired")));
  http.Answer(200, ListText({{"a", "u1", "5"}, {"b", "u2", "15"}}, "20"));
  auto next = http.Stream();
  PassDelay();
  REQUIRE(next->WaitUntilRead());
  CHECK(TakeReported() == "[+a@5] +b@11 [~a@5 ~b@15]");
}

TEST_CASE_FIXTURE(Bench,
                  "W24 only metadata is asked for and kept, also of whole objects that a server sends nevertheless") {
  const auto partial = [](const ObjectSpec& spec) {
    Value body = Body(spec);
    return Obj({{"apiVersion", "meta.k8s.io/v1"}, {"kind", "PartialObjectMetadata"}, {"metadata", body["metadata"]}});
  };
  const auto whole = [](const ObjectSpec& spec) {
    Value body = Body(spec);
    body["spec"]["replicas"] = 3;
    return body;
  };
  http.Answer(200, Dump(Obj({{"apiVersion", "meta.k8s.io/v1"},
                             {"kind", "PartialObjectMetadataList"},
                             {"metadata", Obj({{"resourceVersion", "10"}})},
                             {"items", Arr({partial({"a", "ua", "1"}), whole({"b", "ub", "2"})})}})));
  auto stream = http.Stream();
  Start(true);
  REQUIRE(stream->WaitUntilRead());
  stream->Send(EventText("ADDED", partial({"c", "uc", "11"})));
  stream->Send(EventText("ADDED", whole({"d", "ud", "12"})));
  stream->Send(EventText("DELETED", partial({"b", "ub", "13"})));
  REQUIRE(stream->WaitUntilRead());
  CHECK(TakeReported() == "[+a@1 +b@2] +c@11 +d@12 -b@2");
  for (const auto& object : cache.List(kReplicaSets)) {
    CHECK(
        Dump(object->Body()) ==
        Dump(Obj({{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}, {"metadata", *object->Body().Find("metadata")}})));
  }
  const std::string suffix = ";g=meta.k8s.io;v=v1,application/json";
  using Headers = restate::kube::HttpHeaders;
  CHECK(http.WaitForRequest(1).headers ==
        Headers{{"Accept", "application/json;as=PartialObjectMetadataList" + suffix}});
  CHECK(http.WaitForRequest(2).headers == Headers{{"Accept", "application/json;as=PartialObjectMetadata" + suffix}});
}

TEST_CASE("G1 a stop interrupts whatever the reflector is doing") {
  Bench bench;
  std::shared_ptr<ScriptedStream> stream;
  SUBCASE("waiting for a list") {
    bench.Start();
    bench.http.WaitForRequest(1);
  }
  SUBCASE("waiting for a watch") {
    bench.http.Answer(200, ListText({}, "10"));
    bench.Start();
    bench.http.WaitForRequest(2);
  }
  SUBCASE("reading a watch") { stream = bench.StartWatching(); }
  SUBCASE("waiting after a failure") {
    bench.http.Answer(500, "");
    bench.Start();
    REQUIRE(bench.clock.WaitForSleepers(1));
  }
  bench.reflector.reset();  // returns, or the test runs into its limit
  CHECK(bench.cache.Size(kReplicaSets) == 0);
}
