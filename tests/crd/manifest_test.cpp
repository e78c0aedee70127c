#include "restate/crd/manifest.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include "files.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"

namespace restate::crd {
namespace {

using json::Array;
using json::Object;
using json::Value;

// A schema without what is prose, with sets in one order and whole numbers as integers: equal for what accepts the
// same.
Value Structure(const Value& value, bool names_are_fields = false) {
  if (const double* real = value.get<double>(); real && std::trunc(*real) == *real) {
    return static_cast<std::int64_t>(*real);
  }
  if (const Array* items = value.array()) {
    Array out;
    for (const Value& item : *items) out.push_back(Structure(item));
    return out;
  }
  const Object* members = value.object();
  if (!members) return value;
  static const std::set<std::string, std::less<>> kSets = {"enum", "required", "oneOf"};
  Object out;
  for (const auto& [key, member] : *members) {
    if (!names_are_fields && (key == "description" || key == "title") && member.is_string()) continue;
    Value structure = Structure(member, key == "properties" && !names_are_fields);
    if (Array* set = structure.array(); set && !names_are_fields && kSets.contains(key)) {
      std::sort(set->begin(), set->end(), [](const Value& a, const Value& b) { return Dump(a) < Dump(b); });
    }
    out.emplace(key, std::move(structure));
  }
  return out;
}

// The paths at which two values differ, one per line.
void Differences(const Value& ours, const Value& golden, const std::string& path, std::string& out) {
  if (ours == golden) return;
  const Object* a = ours.object();
  const Object* b = golden.object();
  if (!a || !b) {
    out += path + ": ours " + Dump(ours) + ", golden " + Dump(golden) + "\n";
    return;
  }
  Object keys = *a;
  keys.insert(b->begin(), b->end());
  for (const auto& [key, unused] : keys) {
    const Value* x = ours.Find(key);
    const Value* y = golden.Find(key);
    if (!x || !y) {
      out += path + "." + key + (x ? ": only ours\n" : ": missing\n");
    } else {
      Differences(*x, *y, path + "." + key, out);
    }
  }
}

// The paths of fields without a description. Those inside a Kubernetes type, which has none at all, do not count.
void Undescribed(const Value& schema, const std::string& path, std::string& out) {
  if (const Value* items = schema.Find("items")) Undescribed(*items, path + "[]", out);
  const Value* properties = schema.Find("properties");
  if (!properties) return;
  const Object& fields = *properties->object();
  const auto described = [](const auto& field) { return field.second.Find("description") != nullptr; };
  if (!path.empty() && std::none_of(fields.begin(), fields.end(), described)) return;
  for (const auto& [name, field] : fields) {
    const std::string_view text = field.StringAt({"description"});
    const bool fine = !text.empty() && (text.back() == '.' || text.back() == ')') && text.size() < 400;
    if (!fine && name != "metadata") out += path + "." + name + "\n";
    Undescribed(field, path + "." + name, out);
  }
}

const Value& SchemaIn(const Manifest& manifest) {
  const Value& version = manifest.body.FindPath({"spec", "versions"})->array()->front();
  return *version.FindPath({"schema", "openAPIV3Schema"});
}

// The columns of an environment begin with Ready, and the region comes before the longer id.
void TakeAwayColumns(Value& version, std::string_view file_name) {
  if (file_name != "restatecloudenvironments.yaml") return;
  Array& columns = *version["additionalPrinterColumns"].array();
  REQUIRE(columns.size() == 4);
  CHECK(columns[0].StringAt({"name"}) == "Ready");
  columns.erase(columns.begin());
  std::swap(columns[0], columns[1]);
}

// What ours have beyond the reference's: members of the status, all optional.
void TakeAwayAdditions(Value& version, std::string_view file_name) {
  TakeAwayColumns(version, file_name);
  Value& status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"];
  if (file_name == "restatedeployments.yaml") status.Erase("versions");
  if (file_name != "restatedeployments.yaml") {
    for (const std::string_view name : {"observedGeneration", "replicas", "readyReplicas"}) status.Erase(name);
  }
  if (file_name == "restatecloudenvironments.yaml") status.Erase("envSecrets");
  status["conditions"]["items"]["properties"].Erase("observedGeneration");
}

TEST_CASE("our CRDs accept what the reference's accept, and statuses that say more") {
  CHECK(AllManifests().size() == 3);
  for (const Manifest& manifest : AllManifests()) {
    CAPTURE(manifest.name);
    const auto file = TestSource("golden/crds") / std::filesystem::path(manifest.file_name).replace_extension(".json");
    const auto golden = json::Parse(FileText(file));
    REQUIRE(golden.ok());
    Value ours = manifest.body;
    TakeAwayAdditions((*ours["spec"]["versions"].array())[0], manifest.file_name);
    std::string differences;
    Differences(Structure(ours), Structure(*golden), "", differences);
    CHECK(differences == "");
  }
}

TEST_CASE("the structural comparison sees what matters and overlooks what does not") {
  const auto same = [](std::string_view a, std::string_view b) {
    return Structure(*json::Parse(a)) == Structure(*json::Parse(b));
  };
  CHECK(same(R"({"minimum":1.0,"description":"a"})", R"({"minimum":1,"title":"b"})"));
  CHECK(same(R"({"required":["a","b"]})", R"({"required":["b","a"]})"));
  CHECK_FALSE(same(R"({"minimum":1.5})", R"({"minimum":1})"));
  CHECK_FALSE(same(R"({"properties":{"description":{"type":"string"}}})", R"({"properties":{}})"));
  CHECK_FALSE(same(R"({"properties":{"required":{"type":"string"}}})", R"({"properties":{}})"));
  CHECK_FALSE(same(R"({"items":[1,2]})", R"({"items":[2,1]})"));
}

TEST_CASE("`kubectl explain` has a sentence for every field") {
  for (const Manifest& manifest : AllManifests()) {
    CAPTURE(manifest.name);
    CHECK(SchemaIn(manifest).StringAt({"description"}) != "");
    std::string undescribed;
    Undescribed(SchemaIn(manifest), "", undescribed);
    CHECK(undescribed == "");
  }
}

TEST_CASE("the files in crds/ are those that the code makes") {
  for (const Manifest& manifest : AllManifests()) {
    const auto file = TestSource("../crds") / manifest.file_name;
    const bool fresh = std::filesystem::exists(file) && FileText(file) == ManifestYaml(manifest);
    CHECK_MESSAGE(fresh, "crds/" << manifest.file_name << " is stale: run `just generate` and commit the result");
  }
}

TEST_CASE("the files hold the manifests and come with a note of their origin") {
  for (const Manifest& manifest : AllManifests()) {
    CAPTURE(manifest.name);
    const std::string text = ManifestYaml(manifest);
    CHECK(text.starts_with("# Generated by"));
    const auto documents = json::ParseYaml(text);
    REQUIRE(documents.ok());
    REQUIRE(documents->size() == 1);
    CHECK(documents->front() == manifest.body);
  }
}

TEST_CASE("writing makes the directory, and an error names the file") {
  const auto directory = std::filesystem::temp_directory_path() / ("crds-" + std::to_string(::getpid()));
  REQUIRE(WriteManifests(directory / "deep").ok());
  for (const Manifest& manifest : AllManifests()) {
    CHECK(FileText(directory / "deep" / manifest.file_name) == ManifestYaml(manifest));
  }
  std::filesystem::create_directories(directory / "taken" / "restateclusters.yaml");
  const absl::Status status = WriteManifests(directory / "taken");
  CHECK(std::string(status.message()).find("taken/restateclusters.yaml") != std::string::npos);
  CHECK_FALSE(WriteManifests(directory / "deep" / "restateclusters.yaml").ok());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace restate::crd
