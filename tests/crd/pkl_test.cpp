#include "restate/crd/pkl.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "files.h"
#include "restate/json/value.h"
#include "restate/schema/pkl.h"

namespace restate::crd {
namespace {

using json::Arr;
using json::Obj;

std::string Module(const std::string& name) {
  const auto modules = PklModules();
  const auto found = std::find_if(modules.begin(), modules.end(), [&](const auto& m) { return m.name == name; });
  REQUIRE_MESSAGE(found != modules.end(), "no module " << name);
  return found->text;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("the modules in pkl/ are those that the code makes") {
  CHECK(PklModules().size() == 4);
  for (const GeneratedFile& module : PklModules()) {
    const auto file = TestSource("../pkl") / module.name;
    const bool fresh = std::filesystem::exists(file) && FileText(file) == module.text;
    CHECK_MESSAGE(fresh, "pkl/" << module.name << " is stale: run `just generate-pkl` and commit the result");
  }
}

TEST_CASE("what the API server would refuse is in the Pkl type") {
  const std::string deployment = Module("RestateDeployment.pkl");
  CHECK(Has(deployment, "fixed apiVersion: String = \"restate.dev/v1beta1\""));
  CHECK(Has(deployment, "  port: Int32(this >= 1, this <= 65535)?\n"));
  CHECK(Has(deployment, "  deploymentMode: (\"replicaset\"|\"knative\")?\n"));
  CHECK(Has(deployment, "  tag: String(this.contains(Regex(#\"^[a-z]([-a-z0-9]*[a-z0-9])?$\"#)))?\n"));
  CHECK(Has(deployment,
            "  register: RestateRegister(List(this.cluster, this.cloud, this.service, this.url)"
            ".count((it) -> it != null) == 1)\n"));
  CHECK(Has(deployment, "  namespace: String?\n"));
  const std::string cluster = Module("RestateCluster.pkl");
  CHECK(Has(cluster, "  name: String(this.length >= 1, this.length <= 63, "));
  CHECK(Has(cluster, "  affinity: Kubernetes.Affinity?\n"));
  CHECK(Has(cluster, "  env: Listing<Kubernetes.EnvVar>?\n"));
  CHECK_FALSE(Has(cluster, "class Status"));  // nobody writes one
}

TEST_CASE("a field with the name of a keyword can be set in Pkl") {
  CHECK(schema::PklName("import") == "`import`");
  CHECK(schema::PklName("a-b") == "`a-b`");
  CHECK(schema::PklName("9lives") == "`9lives`");
  CHECK(schema::PklName("name") == "name");
}

TEST_CASE("a comment is broken between words and keeps its lines apart") {
  const std::string word(50, 'x');
  CHECK(schema::PklComment(word + " " + word + " " + word, "  ") ==
        "  /// " + word + " " + word + "\n  /// " + word + "\n");
  CHECK(schema::PklComment("one\ntwo", "") == "/// one\n/// two\n");
  CHECK(schema::PklComment("", "  ").empty());
}

TEST_CASE("structs become classes named after the way to them") {
  schema::PklClasses classes;
  const auto text = Obj({{"type", "string"}});
  const auto inner = Obj({{"type", "object"}, {"properties", Obj({{"b", text}})}, {"required", Arr({"b"})}});
  const auto outer = Obj({{"type", "object"}, {"properties", Obj({{"a", inner}})}});
  classes.Add("Spec", Obj({{"type", "object"}, {"properties", Obj({{"box", outer}})}}));
  CHECK(classes.text() ==
        "\nclass BoxA {\n  b: String\n}\n\nclass Box {\n  a: BoxA?\n}\n\nclass Spec {\n  box: Box?\n}\n");
  CHECK_FALSE(classes.uses_kubernetes());
}

}  // namespace
}  // namespace restate::crd
