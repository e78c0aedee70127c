// What a user sees of an object that does not fit, and what survives reading and writing.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "files.h"
#include "restate/base/error.h"
#include "restate/crd/restate_cloud_environment.h"
#include "restate/crd/restate_cluster.h"
#include "restate/crd/restate_deployment.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"
#include "restate/schema/codec.h"

namespace restate::crd {
namespace {

using json::Value;

Value Yaml(std::string_view text) {
  auto documents = json::ParseYaml(text);
  REQUIRE_MESSAGE(documents.ok(), documents.status().message().data());
  REQUIRE(documents->size() == 1);
  return documents->front();
}

// The message for `spec`, or "fine".
template <class Spec>
std::string Verdict(const Value& spec) {
  const auto decoded = schema::Decode<Spec>(spec, "spec");
  if (decoded.ok()) return "fine";
  CHECK(ReasonOf(decoded.status()) == Reason::kInvalidSpec);
  return std::string(MessageOf(decoded.status()));
}

Value Deployment() {
  return Yaml(R"(
restate: {register: {cluster: main}}
selector: {matchLabels: {app: greeter}}
template: {spec: {containers: [{name: greeter, image: greeter:1}]}}
)");
}

Value Cluster() {
  return Yaml(R"(
compute: {image: "restate:1"}
storage: {storageRequestBytes: 1073741824}
)");
}

Value CloudEnvironment() {
  return Yaml(R"(
environmentId: env_1
region: eu
signingPublicKey: publickeyv1_1
authentication: {secret: {name: token, key: t}}
)");
}

// `base` with the value of `text` at a dotted path.
Value With(Value base, std::string_view path, std::string_view text) {
  Value* at = &base;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    at = &(*at)[path.substr(0, dot)];
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  *at = Yaml("- " + std::string(text)).array()->front();
  return base;
}

TEST_CASE("a RestateDeployment that does not fit is told where and why") {
  const std::vector<std::array<std::string, 3>> mistakes = {
      {"replicas", "many", "spec.replicas: expected an integer"},
      {"replicas", "1.5", "spec.replicas: expected an integer"},
      {"replicas", "-1", "spec.replicas: must be at least 0"},
      {"replicas", "3000000000", "spec.replicas: must be at most 2147483647"},
      {"replicas", "99999999999999999999", "spec.replicas: expected an integer"},
      {"replicas", "18446744073709551615", "spec.replicas: must be at most 2147483647"},
      {"deploymentMode", "deployment", "spec.deploymentMode: \"deployment\" is not one of replicaset, knative"},
      {"deploymentMode", "[]", "spec.deploymentMode: expected a string"},
      {"restate", "main", "spec.restate: expected an object"},
      {"restate", "{}", "spec.restate.register: is required"},
      {"restate.register", "{}", "spec.restate.register: set exactly one of cluster, cloud, service, url; none is set"},
      {"restate.register.url", "http://a",
       "spec.restate.register: set exactly one of cluster, cloud, service, url; cluster, url are set"},
      {"restate.register", "{service: {name: a, namespace: b, port: x}}",
       "spec.restate.register.service.port: expected an integer"},
      {"restate.register", "{service: {name: a, namespace: b, port: 0}}",
       "spec.restate.register.service.port: must be at least 1"},
      {"restate.register", "{service: {name: a, namespace: b, port: 65536}}",
       "spec.restate.register.service.port: must be at most 65535"},
      {"restate.register", "{service: {name: a}}", "spec.restate.register.service.namespace: is required"},
      {"restate.useHttp11", "'true'", "spec.restate.useHttp11: expected true or false"},
      {"restate.drainDelaySeconds", "-1", "spec.restate.drainDelaySeconds: must be at least 0"},
      {"restate.tunnelMode", "inside", "spec.restate.tunnelMode: \"inside\" is not one of external, in-process"},
      {"restate.drain", "{onTimeout: wait}", "spec.restate.drain.onTimeout: \"wait\" is not one of hold, force"},
      {"template", "{}", "spec.template.spec: is required"},
      {"template", "null", "spec.template: is required"},
      {"template.metadata", "{labels: {a.b/c: 1}}", "spec.template.metadata.labels[\"a.b/c\"]: expected a string"},
      {"template.metadata", "{annotations: [a]}", "spec.template.metadata.annotations: expected a map"},
      {"autoscaling", "3", "spec.autoscaling: expected an object"},
  };
  CHECK(Verdict<RestateDeploymentSpec>(Deployment()) == "fine");
  for (const auto& [path, value, message] : mistakes) {
    CHECK(Verdict<RestateDeploymentSpec>(With(Deployment(), path, value)) == message);
  }
}

TEST_CASE("a RestateCluster that does not fit is told where and why") {
  const std::vector<std::array<std::string, 3>> mistakes = {
      {"storage", "{}", "spec.storage.storageRequestBytes: is required"},
      {"storage.storageRequestBytes", "0", "spec.storage.storageRequestBytes: must be at least 1"},
      {"storage.storageRequestBytes", "1Gi", "spec.storage.storageRequestBytes: expected an integer"},
      {"cluster", "{autoProvision: 'yes'}", "spec.cluster.autoProvision: expected true or false"},
      {"compute", "{}", "spec.compute.image: is required"},
      {"compute.args", "[a, 1]", "spec.compute.args[1]: expected a string"},
      {"compute.args", "--verbose", "spec.compute.args: expected a list"},
      {"compute.nodeSelector", "{zone: true}", "spec.compute.nodeSelector.zone: expected a string"},
      {"security", "{trustedCaCerts: [{secretName: a, key: b}, {key: b}]}",
       "spec.security.trustedCaCerts[1].secretName: is required"},
      {"security", "{networkEgressRules: [everything]}", "spec.security.networkEgressRules[0]: expected an object"},
      {"security", "{networkPeers: {admin: {}}}", "spec.security.networkPeers.admin: expected a list"},
      {"security", "{requestSigningPrivateKey: {secretProvider: {path: a}}}",
       "spec.security.requestSigningPrivateKey.version: is required"},
      {"config", "{}", "spec.config: expected a string"},
  };
  CHECK(Verdict<RestateClusterSpec>(Cluster()) == "fine");
  for (const auto& [path, value, message] : mistakes) {
    CHECK(Verdict<RestateClusterSpec>(With(Cluster(), path, value)) == message);
  }
}

TEST_CASE("a RestateCloudEnvironment that does not fit is told where and why") {
  const std::vector<std::array<std::string, 3>> mistakes = {
      {"region", "null", "spec.region: is required"},
      {"environmentId", "1", "spec.environmentId: expected a string"},
      {"authentication", "{}", "spec.authentication.secret: is required"},
      {"authentication.secret", "{name: a}", "spec.authentication.secret.key: is required"},
      {"tunnel", "[]", "spec.tunnel: expected an object"},
      {"tunnel", "{replicas: two}", "spec.tunnel.replicas: expected an integer"},
      {"tunnel", "{remoteProxy: 1}", "spec.tunnel.remoteProxy: expected true or false"},
  };
  CHECK(Verdict<RestateCloudEnvironmentSpec>(CloudEnvironment()) == "fine");
  for (const auto& [path, value, message] : mistakes) {
    CHECK(Verdict<RestateCloudEnvironmentSpec>(With(CloudEnvironment(), path, value)) == message);
  }
}

TEST_CASE("what the user leaves out stays open, less the published defaults") {
  const auto spec = schema::Decode<RestateDeploymentSpec>(Deployment(), "spec");
  REQUIRE(spec.ok());
  CHECK(spec->replicas == 1);
  CHECK(spec->revision_history_limit == 10);
  CHECK_FALSE(spec->deployment_mode);
  CHECK_FALSE(spec->restate.drain_delay_seconds);
  CHECK_FALSE(spec->restate.delete_policy);
  const Value zero = With(With(Deployment(), "replicas", "0"), "revisionHistoryLimit", "null");
  CHECK(schema::Decode<RestateDeploymentSpec>(zero, "spec")->replicas == 0);
  CHECK(schema::Decode<RestateDeploymentSpec>(zero, "spec")->revision_history_limit == 10);
  const auto cluster = schema::Decode<RestateClusterSpec>(With(Cluster(), "cluster", "{}"), "spec");
  CHECK_FALSE(cluster->cluster->auto_provision);
}

TEST_CASE("a null alternative does not count as set") {
  const Value spec = With(Deployment(), "restate.register.url", "null");
  CHECK(Verdict<RestateDeploymentSpec>(spec) == "fine");
}

TEST_CASE("closed and open network peers are told apart") {
  const Value open = With(Cluster(), "security", "{networkPeers: {ingress: []}}");
  const auto spec = schema::Decode<RestateClusterSpec>(open, "spec");
  REQUIRE(spec.ok());
  CHECK(spec->security->network_peers->ingress->empty());
  CHECK_FALSE(spec->security->network_peers->admin);
  CHECK(schema::Encode(*spec) == open);
}

TEST_CASE("members of another version of the CRD are ignored") {
  const Value newer = With(Deployment(), "restate.register.mesh", "{name: a}");
  CHECK(Verdict<RestateDeploymentSpec>(With(newer, "canary", "[1]")) == "fine");
}

TEST_CASE("a cluster with everything in it survives reading and writing") {
  const Value spec = Yaml(FileText(TestSource("crd/full_cluster.yaml")));
  const auto decoded = schema::Decode<RestateClusterSpec>(spec, "spec");
  REQUIRE_MESSAGE(decoded.ok(), decoded.status().message().data());
  CHECK(json::DumpPretty(schema::Encode(*decoded)) == json::DumpPretty(spec));
}

TEST_CASE("an environment with everything in it survives reading and writing") {
  const Value spec = Yaml(FileText(TestSource("crd/full_cloud_environment.yaml")));
  const auto decoded = schema::Decode<RestateCloudEnvironmentSpec>(spec, "spec");
  REQUIRE_MESSAGE(decoded.ok(), decoded.status().message().data());
  CHECK(json::DumpPretty(schema::Encode(*decoded)) == json::DumpPretty(spec));
}

TEST_CASE("a deployment with everything in it survives reading and writing, its status too") {
  const Value object = Yaml(FileText(TestSource("crd/full_deployment.yaml")));
  const auto decoded = schema::Decode<RestateDeployment>(object, "");
  REQUIRE_MESSAGE(decoded.ok(), decoded.status().message().data());
  CHECK(decoded->status->deletion->on_timeout == OnTimeout::kForce);
  CHECK(json::DumpPretty(schema::Encode(*decoded)) == json::DumpPretty(object));
}

TEST_CASE("recorded deployments are read as the API server stored them") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TestSource("golden/objects"))) {
    if (entry.path().extension() != ".json") continue;
    const auto recording = json::Parse(FileText(entry.path()));
    REQUIRE(recording.ok());
    const Value* stored = recording->FindPath({"stored", "spec"});
    if (recording->StringAt({"cr", "kind"}) != "RestateDeployment" || !stored) continue;
    CAPTURE(entry.path().string());
    const auto spec = schema::Decode<RestateDeploymentSpec>(*recording->FindPath({"cr", "spec"}), "spec");
    REQUIRE_MESSAGE(spec.ok(), spec.status().message().data());
    CHECK(json::Dump(schema::Encode(*spec)) == json::Dump(*stored));
    ++seen;
  }
  CHECK(seen > 0);
}

}  // namespace
}  // namespace restate::crd
