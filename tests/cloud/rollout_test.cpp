// What a pass decides and says.
#include <doctest/doctest.h>

#include "cloud/scene.h"
#include "restate/cloud/objects.h"

namespace restate::cloud {
namespace {

using json::Arr;
using json::Obj;

TEST_CASE("everything is made, the finalizer first") {
  Scene scene;
  scene.cr()["metadata"].Erase("finalizers");
  const auto steps = scene.Steps();
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].find("restatecloudenvironments") != std::string::npos);
  CHECK(steps[1].find("services operator/tunnel-east") != std::string::npos);
  CHECK(steps[2].find("deployments operator/tunnel-east") != std::string::npos);
}

TEST_CASE("a tunnel that runs needs nothing and is Ready") {
  Scene scene;
  scene.Run();
  CHECK(scene.Steps().empty());
  const plan::Report report = scene.Report();
  CHECK(ConditionOf(report, "Ready") == "True Reconciled");
  CHECK(ConditionOf(report, "Reconciling") == "none");
  CHECK(ConditionOf(report, "Stalled") == "none");
  CHECK_FALSE(report.waiting);
  CHECK_FALSE(report.event);
  CHECK(report.status->wanted.IntAt({"observedGeneration"}) == 3);
  CHECK(report.status->wanted.IntAt({"replicas"}) == 1);
  CHECK(report.status->wanted.IntAt({"readyReplicas"}) == 1);
  CHECK(report.status->wanted.StringAt({"reconciliation"}) == "Reconciling");
}

TEST_CASE("labels and annotations are copied, less what only means something on the object; ours win") {
  Scene scene;
  scene.cr()["metadata"]["labels"] = Obj({{"team", "x"},
                                          {"app.kubernetes.io/name", "mine"},
                                          {"app.kubernetes.io/instance", "mine"},
                                          {"argocd.argoproj.io/instance", "mine"}});
  scene.cr()["metadata"]["annotations"] = Obj({{"note", "1"},
                                               {"restate.dev/reconcile", "enabled"},
                                               {"deployment.kubernetes.io/revision", "7"},
                                               {"restate.dev/bearer-token-digest", "mine"},
                                               {"kubectl.kubernetes.io/last-applied-configuration", "{}"}});
  const Observed seen = scene.See();
  const plan::StringMap labels{{"app.kubernetes.io/instance", "tunnel-east"},
                               {"app.kubernetes.io/name", "restate-cloud-tunnel-client"},
                               {"team", "x"}};
  const json::Value deployment = DeploymentFor(seen), service = ServiceFor(seen);
  for (const json::Value* found :
       {deployment.Find("metadata"), service.Find("metadata"), deployment.FindPath({"spec", "template", "metadata"})}) {
    CHECK(json::ToMap(found->Find("labels")) == labels);
    plan::StringMap annotations = json::ToMap(found->Find("annotations"));
    const bool noted = annotations.erase("restate.dev/bearer-token-digest") > 0;
    CHECK(noted == (found == deployment.Find("metadata")));
    CHECK(annotations == plan::StringMap{{"note", "1"}});
  }
  CHECK(deployment.StringAt({"metadata", "annotations", "restate.dev/bearer-token-digest"}) == "digest-1");
}

TEST_CASE("while pods are not ready the object is Ready and says which pods are waited for, and why") {
  Scene scene;
  scene.tunnel()["replicas"] = 2;
  scene.Run();
  scene.Deployment()["status"]["readyReplicas"] = 1;
  scene.AddPod("tunnel-east-1",
               Obj({{"phase", "Running"}, {"conditions", Arr({Obj({{"type", "Ready"}, {"status", "True"}})})}}));
  scene.AddPod(
      "tunnel-east-2",
      Obj({{"phase", "Pending"},
           {"containerStatuses", Arr({Obj({{"name", "restate-cloud-tunnel-client"},
                                           {"state", Obj({{"waiting", Obj({{"reason", "ImagePullBackOff"}})}})}})})}}));
  const plan::Report report = scene.Report();
  CHECK(ConditionOf(report, "Ready") == "True Reconciled");
  CHECK(ConditionOf(report, "Reconciling") == "True TunnelPodsNotReady");
  CHECK(MessageOf(report, "Reconciling") ==
        "The tunnel has 1 ready pods instead of the expected 2: tunnel-east-2 (container restate-cloud-tunnel-client: "
        "ImagePullBackOff)");
  REQUIRE(report.waiting);
  CHECK(report.waiting->reason == Reason::kTunnelPodsNotReady);
}

TEST_CASE("that the pods are ready is told at once, that a Deployment was just changed is not") {
  Scene scene;
  scene.Run();
  CHECK(scene.Report().status->urgent);
  const json::Value deployment = scene.Deployment();
  scene.Deployment()["metadata"]["generation"] = 2;
  CHECK_FALSE(scene.Report().status->urgent);
  scene.Deployment() = deployment;
  scene.Deployment()["status"]["readyReplicas"] = 0;
  scene.cr()["status"] = scene.Report().status->wanted;
  CHECK_FALSE(scene.Report().status->urgent);
  scene.Deployment() = deployment;
  CHECK(scene.Report().status->urgent);
  scene.cr()["status"] = scene.Report().status->wanted;
  CHECK_FALSE(scene.Report().status->urgent);
}

TEST_CASE("a quota that admits no pods is told in the server's words") {
  Scene scene;
  scene.Run();
  scene.Deployment()["status"] = Obj({{"observedGeneration", 1},
                                      {"conditions", Arr({Obj({{"type", "ReplicaFailure"},
                                                               {"status", "True"},
                                                               {"reason", "FailedCreate"},
                                                               {"message", "pods are forbidden: exceeded quota"}})})}});
  CHECK(MessageOf(scene.Report(), "Reconciling").find("exceeded quota") != std::string::npos);
}

TEST_CASE("zero replicas are fine, and nothing is waited for") {
  Scene scene;
  scene.tunnel()["replicas"] = 0;
  scene.Run();
  CHECK(ConditionOf(scene.Report(), "Ready") == "True Reconciled");
  CHECK(ConditionOf(scene.Report(), "Reconciling") == "none");
}

TEST_CASE("replicas that the spec leaves open are left to whoever scales") {
  Scene scene;
  scene.Run();
  CHECK_FALSE(Applied(scene.Plan(), kube::kDeployments).FindPath({"spec", "replicas"}));
  scene.Deployment()["spec"]["replicas"] = 3;
  CHECK(scene.Steps().empty());
  CHECK(MessageOf(scene.Report(), "Reconciling").find("expected 3") != std::string::npos);
}

TEST_CASE("a missing Secret stalls the object, and the message names it") {
  Scene scene;
  scene.token = MakeError(Reason::kSecretNotFound, "spec.authentication.secret: there is no Secret operator/tok");
  const plan::Report report = scene.Report();
  CHECK(ConditionOf(report, "Ready") == "False SecretNotFound");
  CHECK(ConditionOf(report, "Stalled") == "True SecretNotFound");
  CHECK(MessageOf(report, "Ready").find("operator/tok") != std::string::npos);
  REQUIRE(report.event);
  CHECK(report.event->warning);
}

TEST_CASE("Secrets that the environment's variables reach are listed") {
  Scene scene;
  const auto reference = [](std::string_view name, std::string_view secret) {
    return Obj({{"name", name}, {"valueFrom", Obj({{"secretKeyRef", Obj({{"name", secret}, {"key", "k"}})}})}});
  };
  scene.tunnel()["env"] = Arr({reference("A", "two"), reference("B", "one"), reference("C", "two")});
  scene.Run();
  CHECK(*scene.Report().status->wanted.Find("envSecrets") == Arr({"one", "two"}));
}

TEST_CASE("a name that somebody else has is left alone, and so is everything else") {
  for (const bool deployment : {true, false}) {
    CAPTURE(deployment);
    Scene scene;
    scene.Run();
    json::Value& theirs = deployment ? scene.Deployment() : scene.Service();
    theirs["metadata"].Erase("ownerReferences");
    CHECK(scene.Plan().steps.empty());
    CHECK(ConditionOf(scene.Report(), "Ready") == "False NameTaken");
    CHECK(ConditionOf(scene.Report(), "Stalled") == "True NameTaken");
    CHECK(MessageOf(scene.Report(), "Ready").find("operator/tunnel-east") != std::string::npos);
    CHECK((scene.Report().status->wanted.Find("replicas") == nullptr) == deployment);
  }
}

TEST_CASE("a Deployment on its way out is waited for") {
  Scene scene;
  scene.Run();
  scene.Deployment()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(Applied(scene.Plan(), kube::kDeployments).is_null());
  CHECK(MessageOf(scene.Report(), "Reconciling").find("being deleted") != std::string::npos);
}

TEST_CASE("a suspended object is left alone but for its status") {
  Scene scene;
  scene.Run();
  scene.Service()["spec"]["selector"] = Obj({{"a", "b"}});
  scene.cr()["status"] = scene.Report().status->wanted;
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  CHECK(scene.Plan().steps.empty());
  const plan::Report report = scene.Report();
  CHECK(ConditionOf(report, "Reconciling") == "False Disabled");
  CHECK(ConditionOf(report, "Ready") == "True Reconciled");
  CHECK(report.status->wanted.StringAt({"reconciliation"}) == "Disabled");
  CHECK(report.status->urgent);
  scene.cr()["status"] = report.status->wanted;
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "Disabled"}});
  CHECK(scene.Steps().size() == 1);
}

TEST_CASE("a deleted object is let go, once, and suspension does not hold it") {
  Scene scene;
  scene.Run();
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  scene.Delete();
  const CloudPlan plan = scene.Plan();
  REQUIRE(plan.steps.size() == 2);
  const auto* announce = std::get_if<plan::Announce>(&plan.steps[0]);
  REQUIRE(announce);
  CHECK(announce->event.reason == "DeleteRequested");
  CHECK(announce->event.note == "Delete `east`");
  CHECK(std::holds_alternative<plan::Patch>(plan.steps[1]));
  CHECK_FALSE(scene.Report().status);
  scene.cr()["metadata"]["finalizers"] = Arr({"somebody/else"});
  CHECK(scene.Plan().steps.empty());
}

}  // namespace
}  // namespace restate::cloud
