// The key with which Restate signs its requests, where the Secrets Store CSI driver brings it.
#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "cluster/scene.h"
#include "restate/cluster/objects.h"
#include "restate/json/text.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

const std::string kClass = "secretproviderclasses east/request-signing-key-v1";

// A cluster that runs and then gets a key from the driver.
struct Signed : Scene {
  Signed() {
    listed = {kSecretProviderClasses};
    Run();
    security()["requestSigningPrivateKey"] = Obj(
        {{"version", "v1"},
         {"secretProvider", Obj({{"provider", "aws"}, {"path", "key.pem"}, {"parameters", Obj({{"objects", "x"}})}})}});
  }
  json::Value& Key() { return security()["requestSigningPrivateKey"]; }
  bool Mounts() const {
    return absl::StrContains(json::Dump(Applied(Plan(), kube::kStatefulSets, "restate")), "secrets-store.csi.k8s.io");
  }
};

TEST_CASE("the class is made before the pods that mount it") {
  Signed scene;
  CHECK(scene.Steps() ==
        Steps{"apply " + kClass + " as restate-operator", "apply statefulsets east/restate as restate-operator"});
  CHECK(scene.Mounts());
  const json::Value body = Applied(scene.Plan(), kSecretProviderClasses, "request-signing-key-v1");
  CHECK(body.StringAt({"spec", "provider"}) == "aws");
  CHECK(body.StringAt({"spec", "parameters", "objects"}) == "x");
}

TEST_CASE("the class goes when the key comes from elsewhere, and somebody else's stays") {
  Signed scene;
  json::Value made = SecretProviderClassFor(scene.See());
  made["metadata"]["uid"] = "made";
  scene.Add(kSecretProviderClasses, made);
  SUBCASE("no key") { scene.security().Erase("requestSigningPrivateKey"); }
  SUBCASE("a Secret") { scene.Key() = Obj({{"version", "v1"}, {"secret", Obj({{"secretName", "s"}, {"key", "k"}})}}); }
  CHECK(scene.Steps().front() == "delete " + kClass + " uid made");
  scene.At(kSecretProviderClasses, "request-signing-key-v1")["metadata"].Erase("ownerReferences");
  for (const std::string& step : scene.Steps()) CHECK(!absl::StrContains(step, "secretproviderclasses"));
  CHECK(scene.Plan().failure.ok());
}

TEST_CASE("a class of somebody else under that name is left alone and named where ours is needed") {
  Signed scene;
  json::Value theirs = SecretProviderClassFor(scene.See());
  theirs["metadata"].Erase("ownerReferences");
  scene.Add(kSecretProviderClasses, theirs);
  CHECK(scene.Plan().steps.empty());
  CHECK(ReadyOf(scene.Report()) == "False NameTaken");
}

TEST_CASE("without the driver the cluster runs unsigned, and says so once") {
  Signed scene;
  scene.listed.clear();
  REQUIRE(scene.Steps().size() == 1);
  CHECK(absl::StartsWith(scene.Steps().front(), "announce SecretProviderClassesNotInstalled: "));
  CHECK(!scene.Mounts());
  const auto report = scene.Report();
  CHECK(ReadyOf(report) == "True Reconciled");
  CHECK(ConditionOf(report, "Warning") == "True SecretProviderClassesNotInstalled");
  CHECK(absl::StrContains(json::Dump(report.status->wanted), "spec.security.requestSigningPrivateKey.secretProvider"));
  scene.cr()["status"] = report.status->wanted;
  CHECK(scene.Steps() == Steps{});
  CHECK(ConditionOf(scene.Report(), "Warning") == "True SecretProviderClassesNotInstalled");
  scene.listed = {kSecretProviderClasses};
  CHECK(scene.Mounts());
  CHECK(ConditionOf(scene.Report(), "Warning") == "none");
}

TEST_CASE("pods that have a key by the driver keep it where its API is not to be seen") {
  Signed scene;
  scene.Run();
  scene.listed.clear();
  CHECK(scene.Steps().size() == 1);  // the warning
  CHECK(scene.Mounts());
  scene.security().Erase("requestSigningPrivateKey");
  CHECK(!scene.Mounts());
}

TEST_CASE("a key from nowhere is no mistake, but it is told") {
  Signed scene;
  scene.Key() = Obj({{"version", "v1"}});
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
  CHECK(ConditionOf(scene.Report(), "Warning") == "True RequestsNotSigned");
}

TEST_CASE("switched off, the kind is left alone and the pods are not touched") {
  Signed scene;
  scene.config.manage_secret_provider_classes = false;
  for (const bool installed : {true, false}) {
    if (!installed) scene.listed.clear();
    const auto plan = scene.Plan();
    CHECK(ReasonOf(plan.failure) == Reason::kSecretProviderClassesDisabled);
    CHECK(MessageOf(plan.failure) ==
          "secretProvider signing requires SecretProviderClass management; enable it or use a Kubernetes Secret "
          "signing source");
    CHECK(!Applied(plan, kube::kNetworkPolicies, "deny-all").is_null());
    CHECK(Applied(plan, kube::kStatefulSets, "restate").is_null());
    CHECK(Applied(plan, kSecretProviderClasses, "request-signing-key-v1").is_null());
    CHECK(ReadyOf(scene.Report()) == "False SecretProviderClassesDisabled");
    CHECK(ConditionOf(scene.Report(), "Warning") == "none");
  }
  scene.Key() = Obj({{"version", "v1"}, {"secret", Obj({{"secretName", "s"}, {"key", "k"}})}});
  CHECK(scene.Plan().failure.ok());
}

}  // namespace
}  // namespace restate::cluster
