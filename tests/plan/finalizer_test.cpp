// The exact JSON patches by which a finalizer comes and goes, and that no writer loses its entry to another.
#include "restate/plan/finalizer.h"

#include <doctest/doctest.h>

#include "plan/stage.h"
#include "restate/json/text.h"
#include "restate/plan/execute.h"

namespace restate::plan {
namespace {

using json::Arr;
using json::Obj;

constexpr kube::Resource kThings{"example.com", "v1", "Thing", "things"};
constexpr std::string_view kOurs = "ours.example.com";

json::Value Thing(json::Value finalizers = {}) {
  return Obj({{"apiVersion", "example.com/v1"},
              {"kind", "Thing"},
              {"metadata", Obj({{"namespace", "default"}, {"name", "t"}, {"finalizers", std::move(finalizers)}})}});
}

std::string Text(const std::optional<Patch>& patch) { return patch ? json::Dump(patch->operations) : "none"; }

TEST_CASE("F1: adding tests the list as it was seen") {
  CHECK(
      Text(AddFinalizer(kThings, Thing(), kOurs, "m")) ==
      R"([{"op":"test","path":"/metadata/finalizers","value":null},{"op":"add","path":"/metadata/finalizers","value":["ours.example.com"]}])");
  CHECK(Text(AddFinalizer(kThings, Thing(json::Array()), kOurs, "m")) ==
        Text(AddFinalizer(kThings, Thing(), kOurs, "m")));
  CHECK(
      Text(AddFinalizer(kThings, Thing(Arr({"a/b"})), kOurs, "m")) ==
      R"([{"op":"test","path":"/metadata/finalizers","value":["a/b"]},{"op":"add","path":"/metadata/finalizers/-","value":"ours.example.com"}])");
  CHECK(Text(AddFinalizer(kThings, Thing(Arr({"a/b", kOurs})), kOurs, "m")) == "none");
}

TEST_CASE("F3: nothing is added to an object that is being deleted") {
  json::Value thing = Thing(Arr({"a/b"}));
  thing["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(Text(AddFinalizer(kThings, thing, kOurs, "m")) == "none");
}

TEST_CASE("F1: removing tests the one entry, wherever it stands") {
  CHECK(Text(RemoveFinalizer(kThings, Thing(), kOurs, "m")) == "none");
  CHECK(Text(RemoveFinalizer(kThings, Thing(Arr({"a/b"})), kOurs, "m")) == "none");
  const json::Array others{"a/b", "c/d", "e/f"};
  for (std::size_t at = 0; at <= others.size(); ++at) {
    json::Array list = others;
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), json::Value(kOurs));
    const std::string path = "/metadata/finalizers/" + std::to_string(at);
    CHECK(Text(RemoveFinalizer(kThings, Thing(list), kOurs, "m")) ==
          R"([{"op":"test","path":")" + path + R"(","value":"ours.example.com"},{"op":"remove","path":")" + path +
              R"("}])");
  }
}

// A stage with one Thing in the API server and the cache.
struct Fixture {
  explicit Fixture(json::Value finalizers = {}) : stage({kThings}) {
    stage.api.Serve(kThings);
    stage.api.Add(kThings, Thing(std::move(finalizers)));
    stage.Sync();
  }
  json::Value Seen() { return stage.cache.Get(kThings, key)->Body(); }
  json::Value Finalizers() {
    const auto live = stage.api.Get(kThings, key);
    if (!live) return "gone";
    const json::Value* list = live->FindPath({"metadata", "finalizers"});
    return list ? *list : json::Value();
  }
  Outcome Run(const std::optional<Patch>& patch) {
    REQUIRE(patch);
    Plan plan;
    plan.steps.push_back(*patch);
    return Execute(plan, key, stage.MakeWorld());
  }
  void Edit(json::Value finalizers) {
    stage.api.Edit(kThings, key, [&](json::Value& t) { t["metadata"]["finalizers"] = finalizers; });
  }
  Stage stage;
  kube::Key key{"default", "t"};
};

TEST_CASE("added, seen in the cache, removed: foreign entries stay at every place") {
  for (const json::Value& before : {json::Value(), Arr({"a/b"}), Arr({"a/b", "c/d"})}) {
    Fixture f(before);
    CHECK(f.Run(AddFinalizer(kThings, f.Seen(), kOurs, "m")).error.ok());
    CHECK(HasFinalizer(f.Seen(), kOurs));
    CHECK(HasFinalizer(*f.stage.api.Get(kThings, f.key), kOurs));
    CHECK(f.Run(RemoveFinalizer(kThings, f.Seen(), kOurs, "m")).error.ok());
    CHECK(!HasFinalizer(f.Seen(), kOurs));
    if (before.is_array()) CHECK(f.Finalizers() == before);
  }
}

TEST_CASE("F2: somebody was faster: nothing is lost, and the next pass knows") {
  SUBCASE("another finalizer was added meanwhile") {
    Fixture f;
    const auto patch = AddFinalizer(kThings, f.Seen(), kOurs, "m");
    f.Edit(Arr({"a/b"}));
    CHECK(ReasonOf(f.Run(patch).error) == Reason::kApiConflict);
    CHECK(f.Finalizers() == Arr({"a/b"}));
    CHECK(HasFinalizer(f.Seen(), "a/b"));
    CHECK(f.Run(AddFinalizer(kThings, f.Seen(), kOurs, "m")).error.ok());
    CHECK(f.Finalizers() == Arr({"a/b", kOurs}));
  }
  SUBCASE("the list was reordered between read and write") {
    Fixture f(Arr({kOurs, "a/b"}));
    const auto patch = RemoveFinalizer(kThings, f.Seen(), kOurs, "m");
    f.Edit(Arr({"a/b", kOurs}));
    CHECK(ReasonOf(f.Run(patch).error) == Reason::kApiConflict);
    CHECK(f.Finalizers() == Arr({"a/b", kOurs}));
    CHECK(f.Run(RemoveFinalizer(kThings, f.Seen(), kOurs, "m")).error.ok());
    CHECK(f.Finalizers() == Arr({"a/b"}));
  }
  SUBCASE("the object is gone") {
    Fixture f(Arr({kOurs}));
    const auto patch = RemoveFinalizer(kThings, f.Seen(), kOurs, "m");
    f.stage.api.Remove(kThings, f.key);
    CHECK(ReasonOf(f.Run(patch).error) == Reason::kApiConflict);
    CHECK(!f.stage.cache.Get(kThings, f.key));
  }
}

}  // namespace
}  // namespace restate::plan
