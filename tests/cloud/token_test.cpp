// Another token rolls the pods, once, and nothing else does.
#include <doctest/doctest.h>

#include "cloud/scene.h"
#include "restate/cloud/objects.h"

namespace restate::cloud {
namespace {

constexpr std::string_view kKey = kTokenDigestAnnotation;

std::string OfDeployment(const json::Value& deployment) {
  return std::string(deployment.StringAt({"metadata", "annotations", kKey}));
}
std::string OfPods(const json::Value& deployment) {
  return std::string(deployment.StringAt({"spec", "template", "metadata", "annotations", kKey}));
}

// What the plan applies is there from now on.
void Carry(Scene& scene) {
  const json::Value applied = Applied(scene.Plan(), kube::kDeployments);
  REQUIRE_FALSE(applied.is_null());
  scene.Deployment()["metadata"]["annotations"] = *applied.FindPath({"metadata", "annotations"});
  scene.Deployment()["spec"]["template"] = *applied.FindPath({"spec", "template"});
}

TEST_CASE("new pods begin with the token that there is, and the Deployment says which") {
  Scene scene;
  const json::Value applied = Applied(scene.Plan(), kube::kDeployments);
  CHECK(OfDeployment(applied) == "digest-1");
  CHECK(OfPods(applied).empty());
}

TEST_CASE("another token rolls the pods once, and a further one once more") {
  Scene scene;
  scene.Run();
  CHECK(scene.Steps().empty());
  for (const std::string digest : {"digest-2", "digest-3", "digest-1"}) {
    scene.token = digest;
    CHECK(scene.Steps().size() == 1);
    Carry(scene);
    CHECK(OfPods(scene.Deployment()) == digest);
    CHECK(OfDeployment(scene.Deployment()) == digest);
    CHECK(scene.Steps().empty());
  }
}

TEST_CASE("where somebody removed our note from the Deployment, its pods still say which token they have") {
  Scene scene;
  scene.Run();
  scene.token = std::string("digest-2");
  Carry(scene);
  scene.Deployment()["metadata"].Erase("annotations");
  scene.token = std::string("digest-3");
  Carry(scene);
  CHECK(OfPods(scene.Deployment()) == "digest-3");
}

TEST_CASE("without a token the Deployment stays as it is, and is not made") {
  Scene scene;
  scene.token = MakeError(Reason::kSecretNotFound, "there is no Secret operator/tok");
  CHECK(Applied(scene.Plan(), kube::kDeployments).is_null());
  CHECK_FALSE(Applied(scene.Plan(), kube::kServices).is_null());
  scene.token = std::string("digest-1");
  scene.Run();
  scene.token = MakeError(Reason::kSecretKeyNotFound, "Secret operator/tok has no key t");
  scene.spec()["authentication"]["secret"]["name"] = "helm-release";
  CHECK(Applied(scene.Plan(), kube::kDeployments).is_null());
}

}  // namespace
}  // namespace restate::cloud
