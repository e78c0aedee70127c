// Passes over a RestateCluster: what is done in which order, what is waited for, and what is left alone.
#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "cluster/scene.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

const Steps kNothing;

std::string WaitOf(const ClusterPlan& plan) { return plan.wait ? std::string(RowOf(plan.wait->reason).name) : "none"; }

TEST_CASE("a new cluster is made from the outside in, and closed before it has pods") {
  Scene scene;
  scene.cr()["metadata"].Erase("finalizers");
  const Steps steps = scene.Steps();
  REQUIRE(steps.size() == 15);
  CHECK(absl::StrContains(steps.at(0), "clusters.restate.dev"));
  CHECK(steps.at(1) == "apply namespaces east as restate-operator");
  CHECK(steps.at(2) == "apply networkpolicies east/deny-all as restate-operator");
  CHECK(steps.at(9) == "apply serviceaccounts east/restate as restate-operator");
  CHECK(steps.at(10) == "apply configmaps east/restate-config-42c4b0e3 as restate-operator");
  CHECK(steps.at(11) == "apply services east/restate as restate-operator");
  CHECK(steps.at(13) == "apply poddisruptionbudgets east/restate as restate-operator");
  CHECK(steps.at(14) == "apply statefulsets east/restate as restate-operator");
  CHECK(WaitOf(scene.Plan()) == "StatefulSetNoStatus");
  for (const plan::Step& step : scene.Plan().steps) {
    if (const auto* apply = std::get_if<plan::Apply>(&step)) CHECK(apply->must_be_new);
  }
}

TEST_CASE("a cluster that is as it should be is Ready, and nothing is done") {
  Scene scene;
  scene.Run();
  CHECK(scene.Steps() == kNothing);
  CHECK(WaitOf(scene.Plan()) == "none");
  const auto report = scene.Report();
  CHECK(ReadyOf(report) == "True Reconciled");
  CHECK(ConditionOf(report, "Reconciling") == "none");
  const json::Value& status = report.status->wanted;
  CHECK(status.IntAt({"observedGeneration"}) == 3);
  CHECK(status.IntAt({"replicas"}) == 1);
  CHECK(status.IntAt({"readyReplicas"}) == 1);
  CHECK(status.StringAt({"reconciliation"}) == "Reconciling");
  CHECK(!report.event);
}

TEST_CASE("nothing is said of a pass that changed something: the next one knows what came of it") {
  Scene scene;
  scene.Run();
  CHECK(ReadyOf(scene.Report({.changed = true})) == "nothing");
  CHECK(ReadyOf(scene.Report({.error = MakeError(Reason::kApiRejected, "no"), .changed = true})) ==
        "Unknown FailedReconcile");
}

TEST_CASE("what the nodes lack is told one thing at a time") {
  struct Row {
    std::string reason;
    std::function<void(Scene&)> change;
  };
  const auto status = [](std::string field, json::Value value) {
    return [=](Scene& scene) { scene.StatefulSet()["status"][field] = value; };
  };
  const Row rows[] = {
      {"StatefulSetNoStatus", status("observedGeneration", 0)},
      {"StatefulSetNoStatus", [](Scene& s) { s.StatefulSet().Erase("status"); }},
      {"StatefulSetScaling", status("replicas", 2)},
      {"StatefulSetPodNotReady", status("readyReplicas", 0)},
      {"StatefulSetUpdating",
       [](Scene& s) {
         s.StatefulSet()["status"]["updatedReplicas"] = 0;
         s.StatefulSet()["status"]["updateRevision"] = "r-2";
       }},
      {"PersistentVolumeClaimNotBound", [](Scene& s) { s.Claim(0)["status"]["phase"] = "Pending"; }},
      {"NamespaceTerminating",
       [](Scene& s) { s.Namespace()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; }},
      {"StatefulSetReplaced",
       [](Scene& s) { s.StatefulSet()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    Scene scene;
    scene.Run();
    row.change(scene);
    CHECK(scene.Steps() == kNothing);
    const auto report = scene.Report();
    CHECK(ReadyOf(report) == "False " + row.reason);
    CHECK(ConditionOf(report, "Reconciling") == "True " + row.reason);
  }
}

TEST_CASE("a cluster that was scaled to zero is not Ready, and not under way either") {
  Scene scene;
  scene.compute()["replicas"] = 0;
  scene.Run();
  const auto report = scene.Report();
  CHECK(ReadyOf(report) == "False ScaledToZero");
  CHECK(ConditionOf(report, "Reconciling") == "none");
  CHECK(ConditionOf(report, "Stalled") == "none");
}

TEST_CASE("where the spec leaves the number of nodes open, the StatefulSet's is wanted") {
  Scene scene;
  scene.compute().Erase("replicas");
  scene.Run();
  scene.StatefulSet()["spec"]["replicas"] = 3;
  scene.StatefulSet()["status"]["replicas"] = 3;
  CHECK(scene.Steps() == kNothing);
  CHECK(ReadyOf(scene.Report()) == "False StatefulSetPodNotReady");
}

TEST_CASE("what the server refuses keeps nothing back, but for what shuts the nodes off and what they are told") {
  Scene scene;
  for (const plan::Step& step : scene.Plan().steps) {
    const auto* apply = std::get_if<plan::Apply>(&step);
    if (!apply) continue;
    const std::string name(apply->body.StringAt({"metadata", "name"}));
    CAPTURE(name);
    const bool needed =
        apply->resource == kube::kNamespaces || apply->resource == kube::kConfigMaps || name == "deny-all";
    CHECK(apply->others_go_on == !needed);
  }
}

TEST_CASE("a namespace of somebody else is used and not touched") {
  Scene scene;
  scene.Run();
  scene.Namespace()["metadata"].Erase("ownerReferences");
  scene.Namespace()["metadata"]["labels"] = Obj({{"theirs", "yes"}});
  CHECK(scene.Steps() == kNothing);
  CHECK(Applied(scene.Plan(), kube::kNamespaces, "east").is_null());
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
}

TEST_CASE("an object of somebody else under a name of ours stops everything, and is named") {
  Scene scene;
  scene.Run();
  scene.At(kube::kServiceAccounts, "restate")["metadata"].Erase("ownerReferences");
  CHECK(scene.Plan().steps.empty());
  CHECK(ReadyOf(scene.Report()) == "False NameTaken");
  CHECK(absl::StrContains(std::string(MessageOf(scene.Plan().failure)), "ServiceAccount east/restate"));
}

TEST_CASE("network policies come and go with the spec, and others' stay") {
  Scene scene;
  scene.Run();
  json::Value former = scene.At(kube::kNetworkPolicies, "deny-all");
  former["metadata"]["name"] = "allow-egress-to-kube-dns";
  former["metadata"]["uid"] = "former";
  scene.Add(kube::kNetworkPolicies, former);
  CHECK(scene.Steps() == Steps{"delete networkpolicies east/allow-egress-to-kube-dns uid former"});
  former["metadata"].Erase("ownerReferences");
  scene.Add(kube::kNetworkPolicies, former);
  CHECK(scene.Steps() == kNothing);
  scene.security()["disableNetworkPolicies"] = true;
  CHECK(scene.Steps().size() == 7);
  scene.config.manage_network_policies = false;
  CHECK(scene.Steps() == kNothing);
}

TEST_CASE("a larger size: the claims grow, then the StatefulSet is replaced around its running pods") {
  Scene scene;
  scene.compute()["replicas"] = 2;
  scene.Run();
  scene.spec()["storage"]["storageRequestBytes"] = 2147483648;
  CHECK(scene.Steps() == Steps{"apply persistentvolumeclaims east/storage-restate-0 as restate-operator",
                               "apply persistentvolumeclaims east/storage-restate-1 as restate-operator",
                               "delete statefulsets east/restate uid statefulsets-restate"});
  const ClusterPlan plan = scene.Plan();
  CHECK(std::get<plan::Delete>(plan.steps.back()).propagation == "Orphan");
  CHECK(plan.look_again == absl::Seconds(1));
  const auto claim = Applied(plan, kube::kPersistentVolumeClaims, "storage-restate-1");
  CHECK(claim.StringAt({"spec", "resources", "requests", "storage"}) == "2147483648");
  // Until then it keeps the claim template that it cannot change.
  const auto set = Applied(plan, kube::kStatefulSets, "restate");
  CHECK(set.FindPath({"spec", "volumeClaimTemplates"})
            ->array()
            ->front()
            .StringAt({"spec", "resources", "requests", "storage"}) == "1073741824");
}

TEST_CASE("a StatefulSet that is gone is made with the wanted claims, wherever the process ended") {
  Scene scene;
  scene.Run();
  scene.spec()["storage"]["storageRequestBytes"] = 2147483648;
  scene.Remove(kube::kStatefulSets, "restate");
  CHECK(scene.Steps() == Steps{"apply statefulsets east/restate as restate-operator",
                               "apply persistentvolumeclaims east/storage-restate-0 as restate-operator"});
  const auto set = Applied(scene.Plan(), kube::kStatefulSets, "restate");
  CHECK(set.FindPath({"spec", "volumeClaimTemplates"})
            ->array()
            ->front()
            .StringAt({"spec", "resources", "requests", "storage"}) == "2147483648");
}

TEST_CASE("no StatefulSet goes while a claim waits for its volume, and its pods can be mended all the same") {
  Scene scene;
  scene.Run();
  scene.spec()["storage"]["storageRequestBytes"] = 2147483648;
  scene.compute()["image"] = "restate:1.8";
  scene.Claim(0)["status"]["phase"] = "Pending";
  CHECK(scene.Steps() == Steps{"apply statefulsets east/restate as restate-operator"});
  CHECK(WaitOf(scene.Plan()) == "PersistentVolumeClaimNotBound");
}

TEST_CASE("no claim shrinks, and equal sizes in another notation are equal") {
  Scene scene;
  scene.Run();
  scene.Claim(0)["spec"]["resources"]["requests"]["storage"] = "5Gi";
  CHECK(scene.Steps() == kNothing);
  scene.Claim(0)["spec"]["resources"]["requests"]["storage"] = "1Gi";
  json::Value& claims = scene.StatefulSet()["spec"]["volumeClaimTemplates"];
  (*claims.array())[0]["spec"]["resources"]["requests"]["storage"] = "1Gi";
  CHECK(scene.Steps() == kNothing);
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
}

TEST_CASE("another class of attributes: claims get it, larger ones keep their size") {
  Scene scene;
  scene.Run();
  scene.Claim(0)["spec"]["resources"]["requests"]["storage"] = "5Gi";
  scene.spec()["storage"]["volumeAttributesClassName"] = "gold";
  CHECK(scene.Steps() == Steps{"apply persistentvolumeclaims east/storage-restate-0 as restate-operator",
                               "delete statefulsets east/restate uid statefulsets-restate"});
  const auto claim = Applied(scene.Plan(), kube::kPersistentVolumeClaims, "storage-restate-0");
  CHECK(claim.StringAt({"spec", "volumeAttributesClassName"}) == "gold");
  CHECK(claim.StringAt({"spec", "resources", "requests", "storage"}) == "5Gi");
}

TEST_CASE("claims of others are not ours to grow") {
  Scene scene;
  scene.Run();
  scene.spec()["storage"]["storageRequestBytes"] = 2147483648;
  scene.Claim(0)["metadata"]["labels"] = Obj({{"app.kubernetes.io/name", "restate"}});
  CHECK(scene.Steps() == Steps{"delete statefulsets east/restate uid statefulsets-restate"});
}

TEST_CASE("kubectl's memory is not copied; where pods have it, they keep it until they roll anyhow") {
  const std::string memory = "kubectl.kubernetes.io/last-applied-configuration";
  Scene scene;
  scene.cr()["metadata"]["annotations"] = Obj({{memory, "{}"}, {"restate.dev/reconcile", "enabled"}, {"note", "x"}});
  scene.Run();
  json::Value& set = scene.StatefulSet();
  CHECK(json::ToMap(set.FindPath({"spec", "template", "metadata", "annotations"})) ==
        std::map<std::string, std::string>{{"note", "x"}});
  set["spec"]["template"]["metadata"]["annotations"][memory] = "of old";
  const json::Value pods = Obj({{"f:metadata", json::Object()}, {"f:spec", json::Object()}});
  const json::Value owned = Obj({{"f:spec", Obj({{"f:serviceName", json::Object()}, {"f:template", pods}})}});
  set["metadata"]["managedFields"] =
      Arr({Obj({{"manager", kManager}, {"operation", "Apply"}, {"apiVersion", "apps/v1"}, {"fieldsV1", owned}})});
  const auto kept = [&] {
    const json::Value applied = Applied(scene.Plan(), kube::kStatefulSets, "restate");
    return std::string(applied.StringAt({"spec", "template", "metadata", "annotations", memory}, "none"));
  };
  CHECK(kept() == "of old");
  scene.compute()["image"] = "restate:1.8";
  CHECK(kept() == "none");
}

TEST_CASE("a suspended cluster is left alone and says so") {
  Scene scene;
  scene.Run();
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  scene.cr()["metadata"].Erase("finalizers");
  scene.cr()["status"] =
      Obj({{"provisioned", true}, {"conditions", Arr({Obj({{"type", "Ready"}, {"status", "True"}})})}});
  scene.Remove(kube::kStatefulSets, "restate");
  CHECK(scene.Plan().steps.empty());
  CHECK(!scene.Plan().look_again);
  const auto report = scene.Report();
  CHECK(ConditionOf(report, "Reconciling") == "False Disabled");
  CHECK(absl::StartsWith(ReadyOf(report), "True"));
  CHECK(report.status->wanted.StringAt({"reconciliation"}) == "Disabled");
  CHECK(report.status->wanted.BoolAt({"provisioned"}));
  scene.cr()["status"]["reconciliation"] = "Disabled";
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "Disabled"}});
  CHECK(scene.Report().status->wanted.StringAt({"reconciliation"}) == "ResumingReconciliation");
}

TEST_CASE("deletion lets go of the object, even of a suspended one or one with mistakes") {
  Scene scene;
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  scene.compute()["image"] = "";
  scene.Delete();
  const ClusterPlan plan = scene.Plan();
  REQUIRE(plan.steps.size() == 2);
  CHECK(std::get<plan::Announce>(plan.steps.front()).event.reason == "DeleteRequested");
  CHECK(absl::StrContains(plan::ToString(plan.steps.back()), "clusters.restate.dev"));
  CHECK(ReadyOf(scene.Report()) == "nothing");
  scene.cr()["metadata"].Erase("finalizers");
  CHECK(scene.Plan().steps.empty());
}

TEST_CASE("that a cluster was provisioned is never forgotten, whatever else is wrong with the status") {
  Scene scene;
  scene.Run();
  scene.cr()["status"] = Obj({{"provisioned", true}, {"conditions", "nonsense"}});
  CHECK(scene.Report().status->wanted.BoolAt({"provisioned"}));
}

}  // namespace
}  // namespace restate::cluster
