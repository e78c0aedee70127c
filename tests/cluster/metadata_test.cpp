// Labels and annotations of a RestateCluster: what is copied to its objects and what is not.
#include "restate/cluster/metadata.h"

#include <doctest/doctest.h>

#include "cluster/scene.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

// Of the pods, as the next apply of the StatefulSet has it.
StringMap OfPods(const Scene& scene, std::string_view field) {
  const json::Value set = Applied(scene.Plan(), kube::kStatefulSets, "restate");
  return json::ToMap(set.FindPath({"spec", "template", "metadata", field}));
}

TEST_CASE("by what other tools know their objects, they do not know ours") {
  Scene scene;
  const std::string keys[] = {"applyset.kubernetes.io/part-of",   "argocd.argoproj.io/instance",
                              "kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name",
                              "meta.helm.sh/release-name",        "restate.dev/deployment-id",
                              "restate.dev/remove-version-at",    "kubectl.kubernetes.io/last-applied-configuration"};
  for (const std::string& key : keys) {
    scene.cr()["metadata"]["labels"][key] = "x";
    scene.cr()["metadata"]["annotations"][key] = "x";
  }
  scene.cr()["metadata"]["labels"]["team"] = "a";
  scene.cr()["metadata"]["annotations"]["note"] = "b";
  const Observed seen = scene.See();
  StringMap labels = SelectorLabels(seen);
  labels["team"] = "a";
  for (const json::Value& object : {NamespaceFor(seen), ServiceFor(seen), ConfigMapFor(seen)}) {
    CHECK(json::ToMap(object.FindPath({"metadata", "labels"})) == labels);
    CHECK(json::ToMap(object.FindPath({"metadata", "annotations"})) == StringMap{{"note", "b"}});
  }
  CHECK(OfPods(scene, "labels") == labels);
  CHECK(OfPods(scene, "annotations") == StringMap{{"note", "b"}});
}

TEST_CASE("pods that have such a label keep it until they roll anyhow") {
  const std::string label = "argocd.argoproj.io/instance";
  Scene scene;
  scene.Run();
  json::Value& set = scene.StatefulSet();
  set["spec"]["template"]["metadata"]["labels"][label] = "of old";
  const json::Value pods = Obj({{"f:metadata", json::Object()}, {"f:spec", json::Object()}});
  const json::Value owned = Obj({{"f:spec", Obj({{"f:template", pods}})}});
  set["metadata"]["managedFields"] =
      Arr({Obj({{"manager", kManager}, {"operation", "Apply"}, {"apiVersion", "apps/v1"}, {"fieldsV1", owned}})});
  CHECK(OfPods(scene, "labels")[label] == "of old");
  scene.compute()["image"] = "restate:1.8";
  CHECK(!OfPods(scene, "labels").contains(label));
}

TEST_CASE("the namespace gets restrictions of the cluster and no privileges, and that is told") {
  const std::string enforce = "pod-security.kubernetes.io/enforce";
  const auto label = [&](const Scene& scene) {
    return std::string(NamespaceFor(scene.See()).StringAt({"metadata", "labels", enforce}, "none"));
  };
  Scene scene;
  scene.cr()["metadata"]["labels"] = Obj({{enforce, "restricted"}});
  scene.Run();
  CHECK(label(scene) == "restricted");
  CHECK(ConditionOf(scene.Report(), "Warning") == "none");
  scene.cr()["metadata"]["labels"] = Obj({{enforce, "privileged"}});
  CHECK(label(scene) == "none");
  CHECK(ConditionOf(scene.Report(), "Warning") == "True PrivilegeNotCopied");
  scene.Namespace()["metadata"].Erase("ownerReferences");  // then it is none of our business
  CHECK(ConditionOf(scene.Report(), "Warning") == "none");
}

TEST_CASE("who lives with others is told so") {
  Scene scene;
  scene.config.operator_namespace = "east";
  scene.Run();
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
  CHECK(ConditionOf(scene.Report(), "Warning") == "True SharedNamespace");
}

}  // namespace
}  // namespace restate::cluster
