// The names of versions: every recorded object, and the rules one by one.
#include "restate/deployment/version.h"

#include <doctest/doctest.h>

#include <set>

#include "files.h"
#include "restate/json/text.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

crd::RestateDeploymentSpec SpecOf(std::string_view json) {
  const auto value = json::Parse(json);
  REQUIRE(value.ok());
  auto spec = schema::Decode<crd::RestateDeploymentSpec>(*value, "spec");
  REQUIRE_MESSAGE(spec.ok(), std::string(MessageOf(spec.status())));
  return *std::move(spec);
}

crd::RestateDeploymentSpec SpecWith(std::string_view pod_template, std::string_view restate = "") {
  std::string json = R"({"selector":{},"template":)";
  json.append(pod_template).append(R"(,"restate":{"register":{"url":"http://r"})").append(restate).append("}}");
  return SpecOf(json);
}

std::string TextOf(std::string_view pod_template) { return PodTemplateText(SpecWith(pod_template).pod_template); }

std::string HashOf(const crd::RestateDeploymentSpec& spec, std::optional<std::int32_t> collisions = std::nullopt) {
  return VersionHash(spec, PodTemplateText(spec.pod_template), collisions);
}

// The ReplicaSet that was recorded for a RestateDeployment; nullptr: there is none, or its name has other ingredients.
const json::Value* RecordedReplicaSet(const json::Value& recorded) {
  const json::Value* stored = recorded.FindPath({"stored", "spec"});
  if (recorded.StringAt({"cr", "kind"}) != "RestateDeployment" || !stored) return nullptr;
  if (stored->StringAt({"deploymentMode"}, "replicaset") != "replicaset") return nullptr;
  const json::Value* objects = recorded.Find("objects");
  if (!objects || !objects->array()) return nullptr;
  for (const json::Value& object : *objects->array()) {
    if (object.StringAt({"kind"}) == "ReplicaSet") return &object;
  }
  return nullptr;
}

// The one environment that recordings register with.
admin::CloudEnvironment RecordedEnvironment() {
  const auto recorded = json::Parse(FileText(TestSource("golden/objects/ce-min.json")));
  REQUIRE(recorded.ok());
  const json::Value* spec = recorded->FindPath({"cr", "spec"});
  return admin::CheckCloudEnvironment(spec->StringAt({"environmentId"}), spec->StringAt({"region"}),
                                      spec->StringAt({"signingPublicKey"}))
      .value();
}

TEST_CASE("every recorded ReplicaSet has the name and the template text that we compute") {
  std::set<std::string> covered;
  for (const auto& file : std::filesystem::directory_iterator(TestSource("golden/objects"))) {
    if (file.path().extension() != ".json") continue;
    const auto recorded = json::Parse(FileText(file.path()));
    REQUIRE(recorded.ok());
    const json::Value* set = RecordedReplicaSet(*recorded);
    if (!set) continue;
    CAPTURE(file.path().filename().string());
    auto spec = schema::Decode<crd::RestateDeploymentSpec>(*recorded->FindPath({"stored", "spec"}), "spec");
    REQUIRE_MESSAGE(spec.ok(), std::string(MessageOf(spec.status())));
    const std::string text = PodTemplateText(spec->pod_template);
    CHECK(text == set->StringAt({"metadata", "annotations", "restate.dev/pod-template"}));
    std::string name(recorded->StringAt({"cr", "metadata", "name"}));
    const admin::CloudEnvironment environment = RecordedEnvironment();
    const bool in_process = spec->restate.tunnel_mode == crd::TunnelMode::kInProcess;
    name.append("-").append(VersionHash(*spec, text, std::nullopt, in_process ? &environment : nullptr));
    CHECK(name == set->StringAt({"metadata", "name"}));
    covered.insert(file.path().stem().string());
  }
  CHECK(covered.size() >= 9);
  CHECK(covered.contains("d-text"));
  CHECK(covered.contains("in-a"));
}

TEST_CASE("the name of a template that the API server refused was recorded in its message") {
  const auto recorded = json::Parse(FileText(TestSource("golden/objects/d-numbers.json")));
  REQUIRE(recorded.ok());
  const auto spec = schema::Decode<crd::RestateDeploymentSpec>(*recorded->FindPath({"stored", "spec"}), "spec");
  REQUIRE(spec.ok());
  CHECK(HashOf(*spec) == "fcb76684b7");
}

TEST_CASE("the template text holds what is there, sorted, and null for absent metadata") {
  CHECK(TextOf(R"({"spec":{"b":1,"a":2}})") == R"({"metadata":null,"spec":{"a":2,"b":1}})");
  CHECK(TextOf(R"({"metadata":null,"spec":{}})") == R"({"metadata":null,"spec":{}})");
  CHECK(TextOf(R"({"metadata":{},"spec":{}})") == R"({"metadata":{},"spec":{}})");
  CHECK(TextOf(R"({"metadata":{"labels":{}},"spec":{}})") == R"({"metadata":{"labels":{}},"spec":{}})");
  CHECK(TextOf(R"({"metadata":{"labels":{"b":"1","a":"2"},"annotations":{"z":""}},"spec":{}})") ==
        R"({"metadata":{"annotations":{"z":""},"labels":{"a":"2","b":"1"}},"spec":{}})");
  CHECK(TextOf(R"({"metadata":{"name":"unknown members do not count"},"spec":{}})") == R"({"metadata":{},"spec":{}})");
  CHECK(TextOf(R"({"spec":{"x":[{"b":null,"a":[]}]}})") == R"({"metadata":null,"spec":{"x":[{"a":[],"b":null}]}})");
}

TEST_CASE("numbers keep their text") {
  CHECK(TextOf(R"({"spec":{"n":9007199254740993}})") == R"({"metadata":null,"spec":{"n":9007199254740993}})");
  CHECK(TextOf(R"({"spec":{"n":18446744073709551615}})") == R"({"metadata":null,"spec":{"n":18446744073709551615}})");
  CHECK(TextOf(R"({"spec":{"n":-9223372036854775808}})") == R"({"metadata":null,"spec":{"n":-9223372036854775808}})");
  CHECK(TextOf(R"({"spec":{"n":0.1}})") == R"({"metadata":null,"spec":{"n":0.1}})");
  CHECK(TextOf(R"({"spec":{"n":1.0}})") == R"({"metadata":null,"spec":{"n":1.0}})");
  CHECK(TextOf(R"({"spec":{"n":1e21}})") == R"({"metadata":null,"spec":{"n":1e21}})");
}

TEST_CASE("characters are escaped as little as JSON allows") {
  CHECK(TextOf("{\"spec\":{\"s\":\"\\u0001\\b\\t\\n\\f\\r\\u001F\\\"\\\\\\/\\u007f\\u00e4\\u2028\"}}") ==
        "{\"metadata\":null,\"spec\":{\"s\":\"\\u0001\\b\\t\\n\\f\\r\\u001f\\\"\\\\/\x7f\u00e4\u2028\"}}");
}

TEST_CASE("what counts for the name, and what does not") {
  const std::string_view pod = R"({"spec":{}})";
  const std::string plain = HashOf(SpecWith(pod));
  CHECK(HashOf(SpecWith(pod, R"(,"servicePath":"")")) == plain);
  CHECK(HashOf(SpecWith(pod, R"(,"servicePath":"/a")")) != plain);
  CHECK(HashOf(SpecWith(pod, R"(,"useHttp11":false)")) == plain);
  CHECK(HashOf(SpecWith(pod, R"(,"useHttp11":true)")) != plain);
  CHECK(HashOf(SpecWith(pod, R"(,"drainDelaySeconds":7)")) == plain);
  CHECK(HashOf(SpecWith(pod, R"(,"tunnelMode":"external")")) == plain);
  CHECK(HashOf(SpecWith(R"({"spec":{"a":1}})")) != plain);
  CHECK(HashOf(SpecWith(R"({"metadata":{},"spec":{}})")) != plain);
  CHECK(HashOf(SpecWith(R"({"spec":{"a":1,"b":2}})")) == HashOf(SpecWith(R"({"spec":{"b":2,"a":1}})")));
  auto scaled = SpecWith(pod);
  scaled.replicas = 9;
  scaled.min_ready_seconds = 3;
  scaled.selector = json::Obj({{"matchLabels", json::Obj({{"a", "b"}})}});
  CHECK(HashOf(scaled) == plain);
  auto elsewhere = SpecWith(pod);
  elsewhere.restate.target = {.cluster = {}, .cloud = {}, .service = {}, .url = "http://other"};
  CHECK(HashOf(elsewhere) == plain);
  auto cluster = SpecWith(pod);
  cluster.restate.target = {.cluster = "c", .cloud = {}, .service = {}, .url = {}};
  CHECK(HashOf(cluster) != plain);
}

TEST_CASE("each collision makes another name, none of them the first") {
  const auto spec = SpecWith(R"({"spec":{}})");
  std::set<std::string> names{HashOf(spec)};
  for (const std::int32_t count : {0, 1, 2, 255, 256, std::numeric_limits<std::int32_t>::max()}) {
    CHECK(names.insert(HashOf(spec, count)).second);
  }
}

TEST_CASE("names are made of the ten letters and digits that spell nothing") {
  for (int i = 0; i < 200; ++i) {
    const std::string hash = HashOf(SpecWith(R"({"spec":{}})"), i);
    CHECK(!hash.empty());
    CHECK(hash.size() <= 10);
    CHECK(hash.find_first_not_of("456789bcdf") == std::string::npos);
  }
}

}  // namespace
}  // namespace restate::deployment
