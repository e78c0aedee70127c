#include "restate/kube/events.h"

#include <doctest/doctest.h>

#include <latch>

#include "fake/fake_clock.h"
#include "fake_http.h"
#include "restate/base/error.h"
#include "restate/json/text.h"

namespace restate::kube {
namespace {

using namespace std::chrono_literals;
using testing::Answer;

json::Value Deployment(const std::string& name = "greeter", const std::string& ns = "team") {
  json::Value metadata = json::Obj({{"name", name}, {"uid", "uid-of-" + name}, {"resourceVersion", "7"}});
  if (!ns.empty()) metadata["namespace"] = ns;
  return json::Obj({{"apiVersion", "restate.dev/v1beta1"},
                    {"kind", "RestateDeployment"},
                    {"metadata", metadata},
                    {"spec", json::Obj({{"large", std::string(10000, 'x')}})}});
}

Event Warning(std::string note, json::Value regarding = Deployment()) {
  return {.regarding = std::move(regarding),
          .warning = true,
          .reason = "FailedReconcile",
          .action = "Reconcile",
          .note = std::move(note)};
}

// A recorder before an API server that says what the test wants.
struct Recording {
  std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer = [](const HttpRequest&) {
    return Answer(201, "{}");
  };
  testing::FakeHttp http{[this](const HttpRequest& request) { return answer(request); }};
  Client client{http};
  fake::FakeClock clock;
  std::unique_ptr<EventRecorder> recorder = NewEventRecorder(client, clock, "operator-0");

  void Record(Event event) {
    recorder->Record(std::move(event));
    Settle();
  }
  // Waits until the recorder's thread sleeps.
  void Settle() { REQUIRE(clock.WaitForSleepers(1)); }
  std::size_t requests() const { return http.requests().size(); }
  json::Value LastBody() const { return *json::Parse(http.last().body); }
};

TEST_CASE("E1: an event has all that events.k8s.io/v1 asks for, and nothing of the legacy fields") {
  Recording recording;
  recording.Record(Warning("cannot be deployed"));
  REQUIRE(recording.requests() == 1);
  CHECK(recording.http.last().method == "POST");
  CHECK(recording.http.last().target == "/apis/events.k8s.io/v1/namespaces/team/events?fieldManager=restate-operator");
  json::Value body = recording.LastBody();
  CHECK(std::string(body.StringAt({"metadata", "name"})).starts_with("greeter."));
  body["metadata"].Erase("name");
  CHECK(
      json::Dump(body) ==
      R"({"action":"Reconcile","apiVersion":"events.k8s.io/v1","eventTime":"2023-11-14T22:13:20.000000Z","kind":"Event",)"
      R"("metadata":{"namespace":"team"},"note":"cannot be deployed","reason":"FailedReconcile","regarding":{"apiVersion":)"
      R"("restate.dev/v1beta1","kind":"RestateDeployment","name":"greeter","namespace":"team","resourceVersion":"7",)"
      R"("uid":"uid-of-greeter"},"reportingController":"restate-operator","reportingInstance":"operator-0","type":"Warning"})");
  recording.Record({.regarding = Deployment(), .reason = "Deployed", .note = "ok"});
  CHECK(recording.LastBody().StringAt({"type"}) == "Normal");
  CHECK(recording.LastBody().StringAt({"action"}) == "Deployed");  // required, so the reason stands in
}

TEST_CASE("E1: long texts are cut at a character, with an ellipsis") {
  Recording recording;
  const auto note_of = [&](const std::string& note) {
    recording.Record(Warning(note, Deployment("n" + std::to_string(note.size()))));
    return std::string(recording.LastBody().StringAt({"note"}));
  };
  CHECK(note_of(std::string(1023, 'a')) == std::string(1023, 'a'));
  CHECK(note_of(std::string(1024, 'a')) == std::string(1024, 'a'));
  CHECK(note_of(std::string(1025, 'a')) == std::string(1021, 'a') + "\u2026");
  CHECK(note_of(std::string(100000, 'a')).size() == 1024);
  std::string dashes;
  for (int i = 0; i < 512; ++i) dashes += "\u2014";  // 3 bytes each
  std::string expected;
  for (int i = 0; i < 340; ++i) expected += "\u2014";
  CHECK(note_of(dashes) == expected + "\u2026");
}

TEST_CASE("E1: an event's name is a DNS subdomain of at most 253 bytes") {
  Recording recording;
  for (const std::string& name :
       {std::string(253, 'a'), std::string(200, 'a') + "." + std::string(52, 'b'), std::string("A_b!")}) {
    recording.Record(Warning("x", Deployment(name)));
    const std::string event_name(recording.LastBody().StringAt({"metadata", "name"}));
    CHECK(event_name.size() <= 253);
    CHECK(event_name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos);
    CHECK(event_name.find("..") == std::string::npos);
    CHECK(event_name.find("-.") == std::string::npos);
  }
}

TEST_CASE("E4: an event about a cluster-scoped object lives in the namespace default") {
  Recording recording;
  recording.Record(Warning("x", Deployment("cluster", "")));
  CHECK(recording.http.last().target.find("/namespaces/default/events") != std::string::npos);
  CHECK(recording.LastBody().FindPath({"regarding", "namespace"}) == nullptr);
}

TEST_CASE("E2: a repeated event is a series, patched at most once in 5 minutes") {
  Recording recording;
  recording.Record(Warning("same"));
  const std::string name(recording.LastBody().StringAt({"metadata", "name"}));
  for (int i = 0; i < 29; ++i) {
    recording.clock.Advance(10s);
    recording.Record(Warning("same"));
  }
  CHECK(recording.requests() == 1);
  recording.clock.Advance(10s);
  recording.Record(Warning("same"));
  REQUIRE(recording.requests() == 2);
  CHECK(recording.http.last().method == "PATCH");
  CHECK(recording.http.last().content_type == "application/merge-patch+json");
  CHECK(recording.http.last().target.find("/namespaces/team/events/" + name + "?") != std::string::npos);
  CHECK(recording.http.last().body == R"({"series":{"count":31,"lastObservedTime":"2023-11-14T22:18:20.000000Z"}})");
}

TEST_CASE("E2: a changed text is a new event, and so is one after a long pause") {
  Recording recording;
  recording.Record(Warning("first"));
  recording.Record(Warning("second"));
  CHECK(recording.LastBody().StringAt({"note"}) == "second");
  recording.clock.Advance(10min);
  recording.Record(Warning("second"));
  CHECK(recording.http.last().method == "POST");
  CHECK(recording.requests() == 3);
  CHECK(recording.http.requests()[1].body != recording.http.requests()[2].body);
}

TEST_CASE("E3: a patch that finds no event makes a new one") {
  Recording recording;
  recording.answer = [](const HttpRequest& request) {
    return request.method == "PATCH" ? Answer(404, "") : Answer(201, "{}");
  };
  recording.Record(Warning("same"));
  recording.clock.Advance(5min);
  recording.Record(Warning("same"));
  REQUIRE(recording.requests() == 3);
  CHECK(recording.http.last().method == "POST");
}

TEST_CASE("E3: an object has 25 events in a burst, then one in 5 minutes; others are not touched") {
  Recording recording;
  for (int i = 0; i < 100; ++i) recording.Record(Warning("note " + std::to_string(i)));
  CHECK(recording.requests() == 25);
  recording.Record(Warning("x", Deployment("other")));
  CHECK(recording.requests() == 26);
  recording.clock.Advance(4min + 59s);
  recording.Record(Warning("too early"));
  CHECK(recording.requests() == 26);
  recording.clock.Advance(2s);
  recording.Record(Warning("now"));
  recording.Record(Warning("not again"));
  CHECK(recording.requests() == 27);
}

TEST_CASE("E3: an error is tried three times and never for ever; what can't succeed is tried once") {
  Recording recording;
  recording.answer = [](const HttpRequest&) { return Answer(503, ""); };
  recording.Record(Warning("x"));
  CHECK(recording.requests() == 1);
  for (int i = 0; i < 5; ++i) {
    recording.clock.Advance(5s);
    recording.Settle();
  }
  CHECK(recording.requests() == 3);
  recording.answer = [](const HttpRequest&) { return Answer(403, ""); };
  recording.Record(Warning("y"));
  CHECK(recording.requests() == 4);
  recording.answer = [](const HttpRequest&) { return Answer(201, "{}"); };
  recording.Record(Warning("y"));  // was not recorded: tried anew, not counted as a series
  CHECK(recording.http.last().method == "POST");
  CHECK(recording.requests() == 5);
}

TEST_CASE("E3: a lost answer does not make two events") {
  Recording recording;
  recording.answer = [n = 0](const HttpRequest&) mutable -> absl::StatusOr<HttpResponse> {
    if (++n == 1) return MakeError(Reason::kApiUnavailable, "broken");
    return Answer(409, R"({"kind":"Status","code":409,"reason":"AlreadyExists"})");
  };
  recording.Record(Warning("x"));
  recording.clock.Advance(5s);
  recording.Settle();
  REQUIRE(recording.requests() == 2);
  CHECK(recording.http.requests()[0].body == recording.http.requests()[1].body);
}

TEST_CASE("E3: recording never waits; the queue holds 1000 and drops the rest; Flush sends it") {
  std::latch blocked(1), release(1);
  Recording recording;
  recording.answer = [&, first = true](const HttpRequest&) mutable {
    if (std::exchange(first, false)) {
      blocked.count_down();
      release.wait();
    }
    return Answer(201, "{}");
  };
  recording.recorder->Record(Warning("0", Deployment("n0")));
  blocked.wait();
  for (int i = 1; i <= 2000; ++i) recording.recorder->Record(Warning("x", Deployment("n" + std::to_string(i))));
  release.count_down();
  recording.recorder->Flush(absl::Seconds(3600));
  CHECK(recording.requests() == 1001);
}

TEST_CASE("Flush ends at its limit when the server is silent, and does not wait between tries") {
  Recording recording;
  recording.answer = [](const HttpRequest&) { return Answer(503, ""); };
  recording.Record(Warning("x"));  // now it pauses before the second try
  recording.Record(Warning("y", Deployment("other")));
  recording.recorder->Flush(absl::Seconds(3600));  // on a clock that stands still
  CHECK(recording.requests() == 2);
}

TEST_CASE("G1: destroying the recorder interrupts a pause") {
  Recording recording;
  recording.answer = [](const HttpRequest&) { return Answer(503, ""); };
  recording.Record(Warning("x"));
  recording.recorder.reset();
  CHECK(recording.requests() == 1);
}

}  // namespace
}  // namespace restate::kube
