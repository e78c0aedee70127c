#include "golden.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "restate/json/text.h"

namespace restate::testing {
namespace {

// Renames the one uid key that field sets of ownerReferences have.
void UseUid(json::Value& fields, std::string_view uid) {
  if (fields.FindPath({"f:metadata", "f:ownerReferences"}) == nullptr) return;
  json::Value& owners = fields["f:metadata"]["f:ownerReferences"];
  json::Object renamed;
  for (const auto& [key, value] : *owners.object()) {
    const bool is_key = key.starts_with("k:{\"uid\"");
    renamed.emplace(is_key ? "k:" + json::Dump(json::Obj({{"uid", uid}})) : key, value);
  }
  owners = renamed;
}

}  // namespace

json::Value Golden(const std::string& name) {
  const char* tests = std::getenv("RESTATE_TEST_SOURCE");
  const std::string path = std::string(tests == nullptr ? "tests" : tests) + "/golden/objects/" + name + ".json";
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), "cannot read ", path);
  std::ostringstream text;
  text << file.rdbuf();
  auto value = json::Parse(text.str());
  REQUIRE(value.ok());
  return *std::move(value);
}

void UsePlaceholderOwner(json::Value& object) {
  const json::Value* owners = object.FindPath({"metadata", "ownerReferences"});
  if (owners == nullptr) return;
  const std::string uid(owners->array()->at(0).StringAt({"uid"}));
  for (json::Value& entry : *object["metadata"]["managedFields"].array()) UseUid(entry["fieldsV1"], uid);
}

json::Value GoldenObject(const std::string& name, std::string_view kind) {
  const json::Value recording = Golden(name);
  for (const json::Value& recorded : *recording.Find("objects")->array()) {
    if (recorded.StringAt({"kind"}) != kind) continue;
    json::Value object = recorded;
    UsePlaceholderOwner(object);
    return object;
  }
  FAIL("no ", std::string(kind), " in ", name);
  return {};
}

}  // namespace restate::testing
