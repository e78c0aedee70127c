#include "golden.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "restate/json/text.h"

namespace restate::testing {
namespace {

constexpr std::string_view kPlaceholder = "<uid of the CR>";

// Renames the one uid key that field sets of ownerReferences have.
void UsePlaceholder(json::Value& fields) {
  json::Value* owners = const_cast<json::Value*>(fields.FindPath({"f:metadata", "f:ownerReferences"}));
  if (owners == nullptr || !owners->is_object()) return;
  json::Object renamed;
  for (auto& [key, value] : *owners->object()) {
    const bool is_key = key.starts_with("k:{\"uid\"");
    renamed.emplace(is_key ? "k:{\"uid\":\"" + std::string(kPlaceholder) + "\"}" : key, value);
  }
  *owners = renamed;
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

json::Value GoldenObject(const std::string& name, std::string_view kind) {
  const json::Value recording = Golden(name);
  for (const json::Value& recorded : *recording.Find("objects")->array()) {
    if (recorded.StringAt({"kind"}) != kind) continue;
    json::Value object = recorded;
    for (json::Value& entry : *object["metadata"]["managedFields"].array()) UsePlaceholder(entry["fieldsV1"]);
    return object;
  }
  FAIL("no ", std::string(kind), " in ", name);
  return {};
}

}  // namespace restate::testing
