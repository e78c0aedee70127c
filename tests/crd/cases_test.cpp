// cases/: what an API server accepts, the operator can decode. Whether the API server agrees is a test of the lab.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "files.h"
#include "restate/crd/restate_cloud_environment.h"
#include "restate/crd/restate_cluster.h"
#include "restate/crd/restate_deployment.h"
#include "restate/json/yaml.h"
#include "restate/schema/codec.h"

namespace restate::crd {
namespace {

using json::Value;

// RFC 7386.
void MergePatch(Value& target, const Value& patch) {
  const json::Object* changes = patch.object();
  if (!changes) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::Object();
  for (const auto& [key, change] : *changes) {
    if (change.is_null()) {
      target.Erase(key);
    } else {
      MergePatch(target[key], change);
    }
  }
}

// The object that the last request of the case asks for.
Value Result(const Value& entry) {
  Value object = *entry.Find("create");
  for (const std::string_view second : {"update", "status"}) {
    if (const Value* patch = entry.Find(second)) MergePatch(object, *patch);
  }
  return object;
}

void CheckShape(const Value& entry, std::string_view kind, std::set<std::string, std::less<>>& names) {
  static const std::set<std::string, std::less<>> kKeys = {"name",   "kind",   "expect",  "create",
                                                           "update", "status", "message", "stored"};
  for (const auto& member : *entry.object()) {
    CHECK_MESSAGE(kKeys.contains(member.first), "unknown key " << member.first);
  }
  const bool accepted = entry.StringAt({"expect"}) == "accepted";
  CHECK((accepted || entry.StringAt({"expect"}) == "refused"));
  CHECK(entry.StringAt({"kind"}) == kind);
  CHECK(entry.StringAt({"name"}) != "");
  CHECK_MESSAGE(names.emplace(entry.StringAt({"name"})).second, "the name occurs twice");
  REQUIRE(entry.Find("create"));
  CHECK_FALSE((entry.Find("update") && entry.Find("status")));
  CHECK_FALSE((accepted ? entry.Find("message") : entry.Find("stored")));
}

template <class Object>
void CheckCases(std::string_view kind, const std::string& file, std::size_t at_least) {
  const auto documents = json::ParseYaml(FileText(TestSource("crd/cases") / file));
  REQUIRE_MESSAGE(documents.ok(), documents.status().message().data());
  REQUIRE(documents->size() == 1);
  const json::Array& cases = *documents->front().array();
  CHECK(cases.size() >= at_least);
  std::set<std::string, std::less<>> names;
  for (const Value& entry : cases) {
    const std::string name(entry.StringAt({"name"}));
    CAPTURE(name);
    CheckShape(entry, kind, names);
    if (entry.StringAt({"expect"}) != "accepted") continue;
    const auto decoded = schema::Decode<Object>(Result(entry), "");
    CHECK_MESSAGE(decoded.ok(), decoded.status().message().data());
  }
}

TEST_CASE("the operator decodes every RestateDeployment that the API server accepts") {
  CheckCases<RestateDeployment>("RestateDeployment", "restatedeployments.yaml", 30);
}

TEST_CASE("the operator decodes every RestateCluster that the API server accepts") {
  CheckCases<RestateCluster>("RestateCluster", "restateclusters.yaml", 15);
}

TEST_CASE("the operator decodes every RestateCloudEnvironment that the API server accepts") {
  CheckCases<RestateCloudEnvironment>("RestateCloudEnvironment", "restatecloudenvironments.yaml", 15);
}

}  // namespace
}  // namespace restate::crd
