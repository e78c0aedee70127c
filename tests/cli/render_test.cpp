#include "restate/cli/render.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/kinds.h"
#include "files.h"
#include "recorded/recorded.h"
#include "restate/cli/unified_diff.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"

namespace restate::cli {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

// How the operator was started for the recordings.
RenderSettings SettingsOfRecordings() {
  RenderSettings settings{.kinds = ListedKinds()};
  settings.config.allow_loopback = true;
  settings.config.operator_namespace = "restate-operator";
  settings.config.operator_label_name = "app.kubernetes.io/name";
  settings.config.operator_label_value = "restate-operator";
  settings.config.aws_pod_identity_association_cluster = "my-eks";
  settings.config.gcp_workload_identity = true;
  return settings;
}

Rendered RenderText(std::string_view text, const RenderSettings& settings = SettingsOfRecordings()) {
  Manifests manifests;
  ReadManifests(text, "test.yaml", manifests);
  return Render(manifests, settings);
}

Value Token() {
  return Obj({{"apiVersion", "v1"},
              {"kind", "Secret"},
              {"metadata", Obj({{"name", "tok"}, {"namespace", "restate-operator"}})},
              {"stringData", Obj({{"t", "canary"}})}});
}

std::string Id(const Value& object) {
  return std::string(object.StringAt({"kind"})) + " " + std::string(object.StringAt({"metadata", "name"}));
}

std::map<std::string, Value> ObjectsIn(const std::string& yaml) {
  const auto documents = json::ParseYaml(yaml);
  REQUIRE_MESSAGE(documents.ok(), std::string(MessageOf(documents.status())));
  std::map<std::string, Value> objects;
  for (const Value& document : *documents) objects[Id(document)] = document;
  return objects;
}

// Less the id, which Restate gives, and what the API server defaults to for an image without a tag.
Value Comparable(Value object) {
  if (object.FindPath({"spec", "template", "spec"})) {
    for (const std::string_view list : {"containers", "initContainers"}) {
      json::Array* containers = object["spec"]["template"]["spec"][list].array();
      for (std::size_t i = 0; containers && i < containers->size(); ++i) (*containers)[i].Erase("imagePullPolicy");
    }
  }
  if (object.FindPath({"metadata", "annotations"}))
    object["metadata"]["annotations"].Erase("restate.dev/deployment-id");
  return Bare(std::move(object));
}

TEST_CASE("what is rendered for recorded RestateDeployments is what the reference made") {
  Value environments = json::Array();
  for (const Recording& recording : RecordingsOf("RestateCloudEnvironment"))
    environments.array()->push_back(recording.cr);
  environments.array()->push_back(Token());
  int compared = 0;
  for (const Recording& recording : RecordingsOf("RestateDeployment")) {
    if (!recording.Find("ReplicaSet")) continue;
    CAPTURE(recording.file);
    Value list = Obj({{"apiVersion", "v1"}, {"kind", "List"}, {"items", environments}});
    list["items"].array()->insert(list["items"].array()->begin(), recording.cr);
    const Rendered rendered = RenderText(json::Dump(list));
    CHECK(rendered.errors.empty());
    auto made = ObjectsIn(rendered.text);
    for (const Value& object : recording.objects) {
      CHECK(json::DumpPretty(Comparable(made[Id(object)])) == json::DumpPretty(Comparable(object)));
      ++compared;
    }
  }
  CHECK(compared >= 22);
}

TEST_CASE("of recorded RestateClusters everything is rendered that the reference made, past every canary") {
  int compared = 0;
  for (const Recording& recording : RecordingsOf("RestateCluster")) {
    CAPTURE(recording.file);
    const Rendered rendered = RenderText(json::Dump(recording.cr));
    CHECK(rendered.errors.empty());
    std::map<std::string, Value> theirs;
    for (const Value& object : recording.objects) theirs[Id(object)] = object;
    const auto ours = ObjectsIn(rendered.text);
    for (const auto& their : theirs) CHECK_MESSAGE(ours.contains(their.first), their.first);
    for (const auto& our : ours) CHECK_MESSAGE(theirs.contains(our.first), our.first);
    ++compared;
  }
  CHECK(compared >= 13);
}

// golden/render/NAME.in.yaml becomes NAME.yaml; where RESTATE_GOLDEN_WRITE is set, that is written.
void CheckGolden(const std::string& name) {
  const Rendered rendered = RenderText(FileText(TestSource("golden/render/" + name + ".in.yaml")));
  std::string text = rendered.text;
  for (const std::string& error : rendered.errors) text += "# error: " + error + "\n";
  const auto path = TestSource("golden/render/" + name + ".yaml");
  if (std::getenv("RESTATE_GOLDEN_WRITE")) std::ofstream(path) << text;
  CHECK(UnifiedDiff(FileText(path), text, path.string(), "rendered") == "");
}

TEST_CASE("a service and the cluster it names, in one file") { CheckGolden("service"); }
TEST_CASE("a cluster that waits for its identity at AWS") { CheckGolden("aws"); }
TEST_CASE("an environment with its token, and a service of it") { CheckGolden("cloud"); }
TEST_CASE("a version in Knative mode") { CheckGolden("knative"); }

constexpr std::string_view kGreeter = R"(
apiVersion: restate.dev/v1beta1
kind: RestateDeployment
metadata: {name: greeter}
spec:
  selector: {matchLabels: {app: greeter}}
  template:
    metadata: {labels: {app: greeter}}
    spec: {containers: [{name: greeter, image: greeter}]}
  restate: {register: {cluster: main}}
)";

TEST_CASE("a mistake keeps its object off the output, and nobody else's") {
  std::string text(kGreeter);
  text +=
      "---\nkind: RestateDeployment\napiVersion: restate.dev/v1beta1\nmetadata: {name: bad}\n"
      "spec: {replicas: many, template: {spec: {}}, restate: {register: {cluster: main}}}\n"
      "---\na: [\n---\nkind: RestateDeploiment\napiVersion: restate.dev/v1beta1\n";
  const Rendered rendered = RenderText(text);
  CHECK(rendered.text.find("bad") == std::string::npos);
  CHECK(ObjectsIn(rendered.text).size() == 2);
  REQUIRE(rendered.errors.size() == 3);
  CHECK(rendered.errors[0].starts_with("test.yaml, document 3: "));
  CHECK(rendered.errors[0].find("line 18") != std::string::npos);
  CHECK(rendered.errors[1] ==
        "test.yaml, document 2: RestateDeployment default/bad: spec.replicas: must be of type integer, not \"many\"");
  CHECK(rendered.errors[2] == "test.yaml, document 4: there is no kind RestateDeploiment in restate.dev");
}

TEST_CASE("what only the operator's own check finds is an error too") {
  std::string text(kGreeter);
  text.replace(text.find("app: greeter}}\n  template"), 12, "app: another");
  const Rendered rendered = RenderText(text);
  CHECK(rendered.text.empty());
  REQUIRE(rendered.errors.size() == 1);
  CHECK(rendered.errors[0].starts_with(
      "test.yaml, document 1: RestateDeployment default/greeter: InvalidSpec: spec.selector"));
}

TEST_CASE("the same object twice is a mistake, also by the default namespace") {
  std::string text(kGreeter);
  std::string again(kGreeter);
  again.replace(again.find("name: greeter"), 13, "name: greeter, namespace: here");
  RenderSettings settings = SettingsOfRecordings();
  settings.default_namespace = "here";
  const Rendered rendered = RenderText(text + "---" + again, settings);
  CHECK(rendered.errors ==
        std::vector<std::string>{
            "test.yaml, document 2: RestateDeployment here/greeter is in test.yaml, document 1 already"});
  CHECK(ObjectsIn(rendered.text)
            .at("ReplicaSet greeter-" +
                std::string(ObjectsIn(rendered.text).rbegin()->second.StringAt({"metadata", "name"}).substr(8)))
            .StringAt({"metadata", "namespace"}) == "here");
}

TEST_CASE("what `kubectl get -o yaml` shows of a live object changes nothing") {
  const Rendered fresh = RenderText(kGreeter);
  auto object = json::ParseYaml(kGreeter)->front();
  object["metadata"]["resourceVersion"] = "77";
  object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  object["metadata"]["managedFields"] = Arr({});
  object["status"] = Obj({{"replicas", 1}, {"collisionCount", 3}});
  CHECK(RenderText(json::Dump(object)).text == fresh.text);
}

TEST_CASE("a token that is not in the files is made up, and that is said") {
  const Value environment = RecordingsOf("RestateCloudEnvironment").back().cr;
  const Rendered rendered = RenderText(json::Dump(environment));
  CHECK(rendered.errors.empty());
  CHECK(ObjectsIn(rendered.text).size() == 2);
  CHECK(rendered.text.find("# assumes that there is a Secret restate-operator/tok,") != std::string::npos);
  const Rendered known = RenderText(json::Dump(environment) + "\n---\n" + json::Dump(Token()));
  CHECK(known.text.find("# assumes") == std::string::npos);
  CHECK(known.text != rendered.text);
}

TEST_CASE("every example is as the CRDs want it, and makes something") {
  int tried = 0;
  for (const auto& file : std::filesystem::directory_iterator(TestSource("../examples"))) {
    if (file.path().extension() != ".yaml") continue;
    CAPTURE(file.path().filename().string());
    const Rendered rendered = RenderText(FileText(file.path()));
    CHECK(rendered.errors == std::vector<std::string>{});
    CHECK_FALSE(ObjectsIn(rendered.text).empty());
    ++tried;
  }
  CHECK(tried >= 7);
}

TEST_CASE("JSON is one List that a program can read") {
  RenderSettings settings = SettingsOfRecordings();
  settings.format = Format::kJson;
  const auto list = json::Parse(RenderText(kGreeter, settings).text);
  REQUIRE(list.ok());
  CHECK(list->StringAt({"kind"}) == "List");
  CHECK(list->Find("items")->array()->size() == 2);
  const auto none = json::Parse(RenderText("", settings).text);
  REQUIRE(none.ok());
  CHECK(none->Find("items")->array()->empty());
}

TEST_CASE("a suspended object says so and makes nothing") {
  std::string text(kGreeter);
  text.replace(text.find("name: greeter"), 13, "name: greeter, annotations: {restate.dev/reconcile: disabled}");
  const Rendered rendered = RenderText(text);
  CHECK(ObjectsIn(rendered.text).empty());
  CHECK(rendered.text.find("# then waits: Disabled: ") != std::string::npos);
}

}  // namespace
}  // namespace restate::cli
