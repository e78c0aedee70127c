// What a file's object is told without an API server has to be what an API server says: the cases are those that the
// lab runs on a real one.
#include "restate/cli/admission.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "../../src/cli/schema_check.h"
#include "files.h"
#include "restate/crd/manifest.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"

namespace restate::cli {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

const json::Array& CasesIn(const std::string& file) {
  static std::map<std::string, Value> read;
  if (!read.contains(file)) {
    const auto documents = json::ParseYaml(FileText(TestSource("crd/cases") / file));
    REQUIRE(documents.ok());
    read[file] = documents->front();
  }
  return *read[file].array();
}

std::string VersionOf(std::string_view kind) {
  return kind == "RestateCluster" ? "restate.dev/v1" : "restate.dev/v1beta1";
}

Value ObjectOf(const Value& entry) {
  Value object = *entry.Find("create");
  object["apiVersion"] = VersionOf(entry.StringAt({"kind"}));
  object["kind"] = entry.StringAt({"kind"});
  if (object["metadata"].StringAt({"name"}).empty()) object["metadata"]["name"] = "a-name";
  object["metadata"]["namespace"] = "default";
  return object;
}

// Deep in objects, whole in lists; null: not there.
bool Holds(const Value& object, const Value& wanted) {
  if (!wanted.is_object()) return object == wanted;
  return std::all_of(wanted.object()->begin(), wanted.object()->end(), [&](const auto& member) {
    const Value* found = object.Find(member.first);
    if (member.second.is_null()) return !found || found->is_null();
    return found && Holds(*found, member.second);
  });
}

std::string Joined(const std::vector<std::string>& mistakes) {
  std::string text;
  for (const std::string& mistake : mistakes) text += mistake + "\n";
  return text;
}

void CheckCase(const Value& entry) {
  Value object = ObjectOf(entry);
  const std::string mistakes = Joined(Admit(object));
  if (entry.StringAt({"expect"}) == "accepted") {
    CHECK_MESSAGE(mistakes.empty(), mistakes);
    if (const Value* stored = entry.Find("stored")) CHECK_MESSAGE(Holds(object, *stored), json::Dump(object));
    return;
  }
  CHECK_FALSE(mistakes.empty());
  const std::string_view message = entry.StringAt({"message"});
  CHECK_MESSAGE(mistakes.find(message) != std::string::npos, mistakes << "lacks: " << std::string(message));
}

TEST_CASE("what a real API server accepts and refuses as new is accepted and refused") {
  int tried = 0;
  for (const char* file : {"restatedeployments.yaml", "restateclusters.yaml", "restatecloudenvironments.yaml"}) {
    for (const Value& entry : CasesIn(file)) {
      if (entry.Find("update") || entry.Find("status")) continue;
      // Dropped in silence by an API server; a mistake to kubectl, and to us.
      if (entry.StringAt({"name"}).ends_with("are dropped")) continue;
      CAPTURE(entry.StringAt({"name"}));
      CheckCase(entry);
      ++tried;
    }
  }
  CHECK(tried >= 60);
}

Value Smallest() {
  return ObjectOf(Obj({{"kind", "RestateDeployment"},
                       {"create", Obj({{"spec", Obj({{"restate", Obj({{"register", Obj({{"cluster", "main"}})}})},
                                                     {"template", Obj({{"spec", Obj({})}})}})}})}}));
}

TEST_CASE("mistakes name their field and what is wanted, all of them at once") {
  Value object = Smallest();
  object["spec"]["replicas"] = -1;
  object["spec"]["replica"] = 3;
  object["spec"]["deploymentMode"] = "statefulset";
  object["spec"]["restate"]["register"]["url"] = "http://restate:9070";
  object["spec"].Erase("template");
  CHECK(Admit(object) ==
        std::vector<std::string>{
            "spec.deploymentMode: must be one of [\"replicaset\",\"knative\"], not \"statefulset\"",
            "spec.replica: there is no such field; see kubectl explain",
            "spec.replicas: must be at least 0, not -1",
            "spec.restate.register: must have exactly one of cluster, cloud, service, url, not several",
            "spec.template: is required",
        });
}

TEST_CASE("metadata is looked at as well") {
  Value object = Smallest();
  object["metadata"]["labels"]["on"] = true;
  object["metadata"]["name"] = "Greeter";
  CHECK(Admit(object) == std::vector<std::string>{
                             "metadata.name: must be lower-case letters, digits, \"-\" and \".\", not \"Greeter\"",
                             "metadata.labels.on: must be of type string, not true",
                         });
  object = Smallest();
  object["apiVersion"] = "restate.dev/v1";
  CHECK(Admit(object) == std::vector<std::string>{"apiVersion: must be restate.dev/v1beta1, not restate.dev/v1"});
}

TEST_CASE("a list by keys has no key twice, and a number fits its format") {
  Value object = ObjectOf(Obj({{"kind", "RestateCluster"}, {"create", Obj({{"spec", Obj({})}})}}));
  object["spec"]["compute"] = Obj({{"image", "restate"},
                                   {"env", Arr({Obj({{"name", "A"}, {"value", "1"}}), Obj({{"name", "A"}})})},
                                   {"replicas", std::int64_t{1} << 40}});
  object["spec"]["storage"] = Obj({{"storageRequestBytes", 1}});
  CHECK(Admit(object) ==
        std::vector<std::string>{"spec.compute.env[1]: is a second \"A\"",
                                 "spec.compute.replicas: must be at most 2147483647, not 1099511627776"});
}

void CheckRulesIn(const Value& schema) {
  if (const json::Array* array = schema.array()) std::for_each(array->begin(), array->end(), CheckRulesIn);
  if (!schema.is_object()) return;
  for (const auto& [key, member] : *schema.object()) CheckRulesIn(member);
  const Value* rule = schema.Find("rule");
  if (rule && rule->is_string()) CHECK_MESSAGE(IsKnownRule(*rule->get<std::string>()), json::Dump(*rule));
}

TEST_CASE("every rule of our CRDs is known") {
  for (const crd::Manifest& manifest : crd::AllManifests()) CheckRulesIn(manifest.body);
}

}  // namespace
}  // namespace restate::cli
