// Whole diffs, against a server in this process. It knows nothing of dry runs: what it answers is what a real one
// would. That nothing is written is for dry_run_http_test.cpp to show, and for the lab.
#include "restate/cli/diff.h"

#include <doctest/doctest.h>

#include "cli/kinds.h"
#include "fake/fake_api.h"
#include "restate/base/error.h"

namespace restate::cli {
namespace {

using json::Obj;
using json::Value;

constexpr std::string_view kGreeter = R"(
apiVersion: restate.dev/v1beta1
kind: RestateDeployment
metadata: {name: greeter, namespace: default}
spec:
  selector: {matchLabels: {app: greeter}}
  template:
    metadata: {labels: {app: greeter}}
    spec: {containers: [{name: greeter, image: greeter}]}
  restate: {register: {url: "http://restate.example:9070"}}
)";

struct Server {
  Server() {
    for (ListedKind& kind : settings.kinds) {
      api.Serve(kind.resource);
      for (Listing& listing : kind.listings) listing.optional = true;  // it does not serve all of them
    }
  }

  Difference Diff(std::string_view text) {
    Manifests manifests;
    ReadManifests(text, "test.yaml", manifests);
    return cli::Diff(manifests, settings, client, {});
  }

  fake::FakeApi api;
  DiffSettings settings{.kinds = ListedKinds()};
  std::unique_ptr<kube::HttpClient> http = *kube::NewHttpClient({.base_url = api.url()});
  kube::Client client{*http};
};

TEST_CASE("what is not there is shown whole, in the order in which it is made") {
  Server server;
  const Difference found = server.Diff(kGreeter);
  CHECK(found.errors.empty());
  const auto own = found.text.find("--- /dev/null\n+++ then restate.dev/v1beta1 RestateDeployment default/greeter\n");
  const auto set = found.text.find("+++ then apps/v1 ReplicaSet default/greeter-");
  const auto service = found.text.find("+++ then v1 Service default/greeter-");
  CHECK(own == 0);
  CHECK(set > own);
  CHECK(service > set);
  CHECK(service != std::string::npos);
  for (const char* noise : {"managedFields", "resourceVersion", "creationTimestamp", "generation:"}) {
    CHECK(found.text.find(noise) == std::string::npos);
  }
  CHECK(found.text.find("# RestateDeployment default/greeter: then waits: ReplicaSetNoStatus: ") != std::string::npos);
}

TEST_CASE("a list that may not be read is an error and no difference") {
  Server server;
  server.api.OnRequest([](const fake::ApiRequest& request) -> std::optional<fake::Fault> {
    if (request.method != "GET" || request.plural != "replicasets") return std::nullopt;
    return fake::Fault::Refuse(403, "Forbidden", "you may not list replicasets");
  });
  const Difference found = server.Diff(kGreeter);
  CHECK(found.text.empty());
  REQUIRE(found.errors.size() == 1);
  CHECK(found.errors[0].find("you may not list replicasets") != std::string::npos);
}

TEST_CASE("what the server refuses is told in its words, with what was found before") {
  Server server;
  server.api.OnRequest([](const fake::ApiRequest& request) -> std::optional<fake::Fault> {
    if (request.method != "POST" || request.plural != "replicasets") return std::nullopt;
    return fake::Fault::Refuse(422, "Invalid", "spec.template: Invalid value");
  });
  const Difference found = server.Diff(kGreeter);
  CHECK(found.text.find("RestateDeployment default/greeter") != std::string::npos);
  CHECK(found.text.find("then apps/v1") == std::string::npos);
  REQUIRE(found.errors.size() == 1);
  CHECK(found.errors[0].find("create replicasets default/greeter-") != std::string::npos);
  CHECK(found.errors[0].find("spec.template: Invalid value") != std::string::npos);
}

TEST_CASE("a name that is taken is an error, also where no list shows who has it") {
  Server server;
  const Value taken = Obj({{"apiVersion", "v1"},
                           {"kind", "Service"},
                           {"metadata", Obj({{"name", "tunnel-east"}, {"namespace", "restate-operator"}})},
                           {"spec", Obj({{"ports", json::Arr({Obj({{"port", 80}})})}})}});
  server.api.CreateNamespace("restate-operator");
  server.api.Add(kube::kServices, taken);
  server.api.Add(kube::kSecrets, Obj({{"apiVersion", "v1"},
                                      {"kind", "Secret"},
                                      {"metadata", Obj({{"name", "token"}, {"namespace", "restate-operator"}})},
                                      {"data", Obj({{"t", "Y2FuYXJ5"}})}}));
  server.settings.config.operator_namespace = "restate-operator";
  for (Listing& listing : server.settings.kinds[2].listings) {
    if (listing.resource == kube::kServices) listing.selector = "app.kubernetes.io/name=restate-cloud-tunnel-client";
  }
  const Difference found = server.Diff(R"(
apiVersion: restate.dev/v1beta1
kind: RestateCloudEnvironment
metadata: {name: east}
spec:
  authentication: {secret: {name: token, key: t}}
  environmentId: env_201kabc
  region: us
  signingPublicKey: publickeyv1_2bQk1FaBcDeFgHiJkLmNoPqRsTuVwXyZ
)");
  REQUIRE(found.errors.size() == 1);
  CHECK(found.errors[0].find("NameTaken: Service restate-operator/tunnel-east") != std::string::npos);
  CHECK(found.text.find("Y2FuYXJ5") == std::string::npos);
  CHECK(found.text.find("canary") == std::string::npos);
}

}  // namespace
}  // namespace restate::cli
