// Which change calls for a pass of which RestateDeployment.
#include "restate/deployment/triggers.h"

#include <doctest/doctest.h>

#include "plan/stage.h"
#include "restate/deployment/observed.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;

kube::ObjectPtr Deployment(std::string_view name, json::Value metadata = Obj({}), json::Value target = Obj({})) {
  metadata["name"] = name;
  metadata["namespace"] = "shop";
  metadata["uid"] = std::string(name) + "-uid";
  metadata["resourceVersion"] = "1";
  return plan::Stage::Make(Obj({{"apiVersion", kRestateDeployments.ApiVersion()},
                                {"kind", kRestateDeployments.kind},
                                {"metadata", std::move(metadata)},
                                {"spec", Obj({{"restate", Obj({{"register", std::move(target)}})}})}}));
}

kube::ObjectPtr Cluster(std::string_view name, std::string_view ready, std::string_view version = "1") {
  return plan::Stage::Make(
      Obj({{"apiVersion", kRestateClusters.ApiVersion()},
           {"kind", kRestateClusters.kind},
           {"metadata", Obj({{"name", name}, {"uid", "cluster-uid"}, {"resourceVersion", version}})},
           {"status", Obj({{"conditions", Arr({Obj({{"type", "Ready"}, {"status", ready}})})}})}}));
}

kube::ObjectPtr Autoscaler(std::string_view label, std::string_view owner, int generation, int replicas) {
  return plan::Stage::Make(Obj({{"apiVersion", "autoscaling/v2"},
                                {"kind", "HorizontalPodAutoscaler"},
                                {"metadata", Obj({{"name", "greeter-4b5"},
                                                  {"namespace", "shop"},
                                                  {"uid", "u"},
                                                  {"resourceVersion", std::to_string(10 * generation + replicas)},
                                                  {"generation", generation},
                                                  {"labels", Obj({{label, owner}})}})},
                                {"status", Obj({{"currentReplicas", replicas}})}}));
}

TEST_CASE("LV8: a RestateCluster that comes, goes, or becomes ready wakes those that name it, and nobody else") {
  runtime::Cache cache;
  cache.Put(kRestateDeployments, Deployment("a", Obj({}), Obj({{"cluster", "prod"}})));
  cache.Put(kRestateDeployments, Deployment("b", Obj({}), Obj({{"cluster", "prod"}})));
  cache.Put(kRestateDeployments, Deployment("c", Obj({}), Obj({{"cluster", "test"}})));
  cache.Put(kRestateDeployments, Deployment("d", Obj({}), Obj({{"url", "http://prod"}})));
  const std::vector<kube::Key> dependents = {{"shop", "a"}, {"shop", "b"}};
  CHECK(KeysOfClusterChange({nullptr, Cluster("prod", "False")}, cache) == dependents);
  CHECK(KeysOfClusterChange({Cluster("prod", "False"), Cluster("prod", "True", "2")}, cache) == dependents);
  CHECK(KeysOfClusterChange({Cluster("prod", "True"), Cluster("prod", "Unknown", "2")}, cache) == dependents);
  CHECK(KeysOfClusterChange({Cluster("prod", "True"), nullptr}, cache) == dependents);
  CHECK(KeysOfClusterChange({Cluster("prod", "True"), Cluster("prod", "True", "2")}, cache).empty());
  CHECK(KeysOfClusterChange({nullptr, Cluster("other", "True")}, cache).empty());
}

TEST_CASE("an autoscaler wakes its object when somebody edits or deletes it, not each time it counts") {
  const auto before = Autoscaler(kOwnedByLabel, "greeter", 1, 2);
  CHECK(!KeyOfSpecChange({before, Autoscaler(kOwnedByLabel, "greeter", 1, 3)}));
  CHECK(KeyOfSpecChange({before, Autoscaler(kOwnedByLabel, "greeter", 2, 2)}) == kube::Key{"shop", "greeter"});
  CHECK(KeyOfSpecChange({before, nullptr}) == kube::Key{"shop", "greeter"});
  CHECK(!KeyOfSpecChange({nullptr, Autoscaler("app", "greeter", 1, 2)}));
}

TEST_CASE("F5: an object that went with our finalizer on it was taken from us") {
  const auto ours = Obj({{"finalizers", Arr({"other/x", "deployments.restate.dev"})}});
  const auto others = Obj({{"finalizers", Arr({"other/x"})}});
  CHECK(WasTakenAway({Deployment("a", ours), nullptr}));
  CHECK(!WasTakenAway({Deployment("a", others), nullptr}));  // we let it go
  CHECK(!WasTakenAway({Deployment("a", ours), Deployment("a", others)}));
  CHECK(!WasTakenAway({nullptr, Deployment("a", ours)}));
}

TEST_CASE("Knative objects name their RestateDeployment in an annotation, Revisions too") {
  const auto revision =
      plan::Stage::Make(Obj({{"apiVersion", kRevisions.ApiVersion()},
                             {"kind", kRevisions.kind},
                             {"metadata", Obj({{"name", "greeter-blue-00001"},
                                               {"namespace", "shop"},
                                               {"uid", "r"},
                                               {"resourceVersion", "1"},
                                               {"annotations", Obj({{"restate.dev/deployment", "greeter"}})}})}}));
  CHECK(KeyOfKnativeChange({nullptr, revision}) == kube::Key{"shop", "greeter"});
  CHECK(KeyOfKnativeChange({revision, nullptr}) == kube::Key{"shop", "greeter"});
  CHECK(!KeyOfKnativeChange({nullptr, Deployment("greeter")}));
}

}  // namespace
}  // namespace restate::deployment
