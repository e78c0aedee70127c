// Statuses are written when they differ, soon when somebody waits for them, and rarely otherwise.
#include "restate/plan/status_publisher.h"

#include <doctest/doctest.h>

#include "plan/stage.h"

namespace restate::plan {
namespace {

using json::Arr;
using json::Obj;
using std::chrono::seconds;

constexpr kube::Resource kThings{"example.com", "v1", "Thing", "things"};
const kube::Key kKey{"default", "t"};

json::Value Status(int replicas, std::string_view time = "2026-01-01T00:00:00Z") {
  return Obj({{"replicas", replicas},
              {"conditions", Arr({Obj({{"type", "Ready"}, {"status", "False"}, {"lastTransitionTime", time}})})}});
}

struct Fixture {
  Fixture() : stage({kThings}) {
    stage.api.Serve(kThings);
    stage.api.Add(kThings, Obj({{"apiVersion", "example.com/v1"},
                                {"kind", "Thing"},
                                {"metadata", Obj({{"namespace", "default"}, {"name", "t"}})}}));
    stage.Sync();
  }
  absl::StatusOr<std::optional<Clock::Duration>> Publish(json::Value wanted, bool urgent = false) {
    const auto object = stage.cache.Get(kThings, kKey);
    const json::Value body = object->Body();
    const json::Value* current = body.Find("status");
    return stage.statuses.Publish({kThings, object, current ? *current : json::Value(), std::move(wanted), urgent}, {});
  }
  // Published: 0. Held back: for so many milliseconds.
  std::int64_t Millis(json::Value wanted, bool urgent = false) {
    const auto result = Publish(std::move(wanted), urgent);
    REQUIRE_MESSAGE(result.ok(), std::string(MessageOf(result.status())));
    return *result ? std::chrono::duration_cast<std::chrono::milliseconds>(**result).count() : 0;
  }
  std::size_t Writes() const { return stage.api.writes().size(); }
  std::int64_t Replicas() const { return stage.api.Get(kThings, kKey)->IntAt({"status", "replicas"}, -1); }
  Stage stage;
};

TEST_CASE("a thousand passes that say the same are one write") {
  Fixture f;
  for (int i = 0; i < 1000; ++i) {
    CHECK(f.Millis(Status(1, i % 2 ? "2026-01-01T00:00:00Z" : "2026-02-02T00:00:00Z"), true) == 0);
    f.stage.clock.Advance(seconds(30));
  }
  CHECK(f.Writes() == 1);
  const auto write = f.stage.api.writes().front();
  CHECK(write.subresource == "status");
  CHECK(write.Query("fieldManager") == "restate-operator");
}

TEST_CASE("what is not urgent gathers for two seconds, and then waits ten after the last write") {
  Fixture f;
  CHECK(f.Millis(Status(1)) == 2000);
  f.stage.clock.Advance(std::chrono::milliseconds(1500));
  CHECK(f.Millis(Status(2)) == 500);
  CHECK(f.Writes() == 0);
  f.stage.clock.Advance(std::chrono::milliseconds(500));
  CHECK(f.Millis(Status(3)) == 0);
  CHECK(f.Replicas() == 3);

  f.stage.clock.Advance(seconds(1));
  CHECK(f.Millis(Status(4)) == 9000);
  f.stage.clock.Advance(seconds(9));
  CHECK(f.Millis(Status(4)) == 0);
  f.stage.clock.Advance(seconds(60));
  CHECK(f.Millis(Status(5)) == 2000);
}

TEST_CASE("urgent news goes at once and starts the pause anew") {
  Fixture f;
  CHECK(f.Millis(Status(1)) == 2000);
  CHECK(f.Millis(Status(2), true) == 0);
  CHECK(f.Millis(Status(3), true) == 0);
  CHECK(f.Replicas() == 3);
  CHECK(f.Millis(Status(4)) == 10000);
}

TEST_CASE("news that went away again is not written, and the next gathers from its own beginning") {
  Fixture f;
  CHECK(f.Millis(Status(1), true) == 0);
  f.stage.clock.Advance(seconds(60));
  CHECK(f.Millis(Status(2)) == 2000);
  f.stage.clock.Advance(seconds(1));
  CHECK(f.Millis(Status(1)) == 0);
  f.stage.clock.Advance(seconds(60));
  CHECK(f.Millis(Status(2)) == 2000);
  CHECK(f.Writes() == 1);
}

TEST_CASE("a member that is wanted no more goes; one that somebody else wrote stays and costs nothing") {
  Fixture f;
  json::Value first = Status(1);
  first["note"] = "soon gone";
  CHECK(f.Millis(first, true) == 0);
  CHECK(f.Millis(Status(1), true) == 0);
  CHECK(!f.stage.api.Get(kThings, kKey)->FindPath({"status", "note"}));
  f.stage.api.Edit(kThings, kKey, [](json::Value& thing) { thing["status"]["foreign"] = "x"; });
  f.stage.Sync();
  const auto writes = f.Writes();
  for (int i = 0; i < 10; ++i) CHECK(f.Millis(Status(1), true) == 0);
  CHECK(f.Writes() == writes);
}

TEST_CASE("a status that somebody changed is put right") {
  Fixture f;
  CHECK(f.Millis(Status(1), true) == 0);
  f.stage.api.Edit(kThings, kKey, [](json::Value& thing) { thing["status"]["replicas"] = 7; });
  f.stage.Sync();
  CHECK(f.Millis(Status(1), true) == 0);
  CHECK(f.Replicas() == 1);
}

TEST_CASE("a write that fails is an error and tried again") {
  Fixture f;
  f.stage.api.OnRequest(
      [](const fake::ApiRequest&) { return std::optional(fake::Fault::Refuse(500, "InternalError", "no")); });
  CHECK(ReasonOf(f.Publish(Status(1), true).status()) == Reason::kApiUnavailable);
  f.stage.api.OnRequest(nullptr);
  CHECK(f.Millis(Status(1), true) == 0);
  CHECK(f.Replicas() == 1);
}

TEST_CASE("the status of an object that is gone goes to no other of its name") {
  Fixture f;
  const auto object = f.stage.cache.Get(kThings, kKey);
  f.stage.api.Remove(kThings, kKey);
  const StatusToPublish status{kThings, object, {}, Status(1), true};
  CHECK(kube::IsNotFound(f.stage.statuses.Publish(status, {}).status()));
  f.stage.api.Add(kThings, Obj({{"apiVersion", "example.com/v1"},
                                {"kind", "Thing"},
                                {"metadata", Obj({{"namespace", "default"}, {"name", "t"}})}}));
  CHECK(kube::IsConflict(f.stage.statuses.Publish(status, {}).status()));
  CHECK(f.Replicas() == -1);
}

TEST_CASE("transition times and an absent condition list make no difference") {
  CHECK(SameStatus(Status(1, "2026-01-01T00:00:00Z"), Status(1, "2027-01-01T00:00:00Z")));
  CHECK(!SameStatus(Status(1), Status(2)));
  CHECK(!SameStatus(Status(1), json::Value()));
  CHECK(SameStatus(Obj({{"replicas", 1}}), Obj({{"replicas", 1}})));
}

}  // namespace
}  // namespace restate::plan
