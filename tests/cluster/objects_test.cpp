// What the recordings do not show of the objects of a cluster.
#include "restate/cluster/objects.h"

#include <doctest/doctest.h>

#include "cluster/scene.h"
#include "restate/json/text.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

json::Value Policy(const Scene& scene, std::string_view name) {
  for (json::Value& policy : NetworkPoliciesFor(scene.See())) {
    if (policy.StringAt({"metadata", "name"}) == name) return policy["spec"];
  }
  return {};
}

json::Value PodSpec(const Scene& scene) {
  const Observed seen = scene.See();
  return *StatefulSetFor(seen, ClaimTemplateFor(seen)).FindPath({"spec", "template", "spec"});
}

TEST_CASE("the name of a configuration has no leading zeros, so that the reference finds it") {
  Scene scene;
  // The first four bytes of SHA-256("17") are 45 23 54 0f.
  scene.spec()["config"] = "17";
  CHECK(ConfigMapName(scene.See()) == "restate-config-f542345");
}

TEST_CASE("sizes are printed to the last byte") {
  Scene scene;
  scene.spec()["storage"]["storageRequestBytes"] = 9007199254740993;
  CHECK(ClaimTemplateFor(scene.See()).StringAt({"spec", "resources", "requests", "storage"}) == "9007199254740993");
}

TEST_CASE("a grace period of zero is passed on, and sidecars are sidecars whatever they say") {
  Scene scene;
  scene.compute()["terminationGracePeriodSeconds"] = 0;
  scene.compute()["sidecars"] = Arr({Obj({{"name", "s"}, {"restartPolicy", "Never"}})});
  const json::Value pod = PodSpec(scene);
  CHECK(pod.IntAt({"terminationGracePeriodSeconds"}, -1) == 0);
  CHECK(pod.Find("initContainers")->array()->front().StringAt({"restartPolicy"}) == "Always");
}

TEST_CASE("who opens the node port to everybody does not close it by having the operator provision") {
  Scene scene;
  scene.config.operator_label_name = "app";
  scene.config.operator_label_value = "operator";
  scene.config.operator_namespace = "ops";
  scene.spec()["cluster"] = Obj({{"autoProvision", true}});
  scene.security()["networkPeers"] = Obj({{"node", json::Array()}});
  const json::Value open = Policy(scene, "allow-metrics-access");
  CHECK(!open.Find("ingress")->array()->front().Find("from"));
  scene.security()["networkPeers"] = json::Object();
  const json::Value closed = Policy(scene, "allow-metrics-access");
  CHECK(closed.Find("ingress")->array()->front().Find("from")->array()->size() == 2);  // the nodes, the operator
}

TEST_CASE("node peers win over their former name, and an operator without a label is let in nowhere") {
  Scene scene;
  scene.security()["networkPeers"] =
      Obj({{"node", Arr({Obj({{"podSelector", Obj({})}})})}, {"metrics", json::Array()}});
  CHECK(json::Dump(Policy(scene, "allow-metrics-access")).find("\"from\"") != std::string::npos);
  CHECK(Policy(scene, "allow-admin-access").Find("ingress")->array()->empty());
}

TEST_CASE("the user's variables replace defaults and come after ours") {
  Scene scene;
  scene.compute()["env"] = Arr({Obj({{"name", "RESTATE_LOG_FORMAT"}, {"value", "pretty"}})});
  const json::Value pod = PodSpec(scene);
  const json::Array& env = *pod.Find("containers")->array()->front().Find("env")->array();
  CHECK(env.back().StringAt({"value"}) == "pretty");
  int found = 0;
  for (const json::Value& variable : env) found += variable.StringAt({"name"}) == "RESTATE_LOG_FORMAT";
  CHECK(found == 1);
}

}  // namespace
}  // namespace restate::cluster
