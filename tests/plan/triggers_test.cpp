// Which change of an object itself calls for a pass over it.
#include "restate/plan/triggers.h"

#include <doctest/doctest.h>

#include "plan/stage.h"

namespace restate::plan {
namespace {

using json::Obj;

json::Value Object(std::string_view version) {
  return Obj({{"metadata", Obj({{"name", "east"}, {"uid", "u"}, {"generation", 1}, {"resourceVersion", version}})}});
}

TEST_CASE("a status wakes nobody; spec, metadata and deletion do") {
  const auto before = Stage::Make(Object("1"));
  json::Value after = Object("2");
  after["status"] = Obj({{"provisioned", true}});
  CHECK(!KeyOfChange({before, Stage::Make(after)}));
  after["metadata"]["generation"] = 2;
  CHECK(KeyOfChange({before, Stage::Make(after)}) == kube::Key{"", "east"});
  for (const auto* member : {"labels", "annotations"}) {
    after = Object("2");
    after["metadata"][member] = Obj({{"restate.dev/reconcile", "disabled"}});
    CHECK(KeyOfChange({before, Stage::Make(after)}));
  }
  after = Object("2");
  after["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(KeyOfChange({before, Stage::Make(after)}));
}

TEST_CASE("coming and going do, the same state again does not, another of the name does") {
  const auto object = Stage::Make(Object("1"));
  CHECK(KeyOfChange({nullptr, object}));
  CHECK(KeyOfChange({object, nullptr}));
  CHECK(!KeyOfChange({object, object}));
  json::Value other = Object("1");
  other["metadata"]["uid"] = "v";
  CHECK(KeyOfChange({object, Stage::Make(other)}));
}

}  // namespace
}  // namespace restate::plan
