#include "cluster/scene.h"

#include <doctest/doctest.h>

#include "absl/strings/str_cat.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

const kube::Key kKey{"", "east"};

kube::Resource ResourceOf(const json::Value& body) {
  for (const kube::Resource& resource :
       {kube::kNamespaces, kube::kServiceAccounts, kube::kConfigMaps, kube::kServices, kube::kPodDisruptionBudgets,
        kube::kNetworkPolicies, kube::kStatefulSets, kube::kPersistentVolumeClaims}) {
    if (resource.kind == body.StringAt({"kind"})) return resource;
  }
  FAIL("an unknown kind");
  return {};
}

// Whether everything of `desired` is in `live`: enough to tell what an apply would change.
bool Contains(const json::Value& live, const json::Value& desired) {
  if (!desired.is_object()) return live == desired;
  for (const auto& [name, value] : *desired.object()) {
    const json::Value* member = live.Find(name);
    if (!member || !Contains(*member, value)) return false;
  }
  return true;
}

json::Value ClaimOf(const Observed& seen, int ordinal) {
  json::Value claim = ClaimTemplateFor(seen);
  claim["apiVersion"] = "v1";
  claim["kind"] = "PersistentVolumeClaim";
  claim["metadata"]["name"] = Scene::ClaimName(ordinal);
  claim["metadata"]["namespace"] = seen.name();
  claim["status"] = Obj({{"phase", "Bound"}});
  return claim;
}

}  // namespace

kube::ObjectPtr Make(const json::Value& body) {
  auto object = kube::Object::From(body);
  REQUIRE_MESSAGE(object.ok(), std::string(MessageOf(object.status())));
  return *std::move(object);
}

Scene::Scene() {
  cr_ = Obj({{"apiVersion", "restate.dev/v1"},
             {"kind", "RestateCluster"},
             {"metadata", Obj({{"name", kKey.name},
                               {"uid", "cr-uid"},
                               {"generation", 3},
                               {"resourceVersion", "7"},
                               {"finalizers", Arr({"clusters.restate.dev"})}})},
             {"spec", Obj({{"storage", Obj({{"storageRequestBytes", 1073741824}})},
                           {"compute", Obj({{"image", "restate:1.7"}, {"replicas", 1}})}})}});
}

void Scene::Add(const kube::Resource& resource, json::Value body) {
  const std::string name(body.StringAt({"metadata", "name"}));
  json::Value& metadata = body["metadata"];
  if (!metadata.Find("uid")) metadata["uid"] = absl::StrCat(std::string(resource.plural), "-", name);
  if (!metadata.Find("generation")) metadata["generation"] = 1;
  metadata["resourceVersion"] = "10";
  objects_[{resource, name}] = std::move(body);
}

void Scene::Run() {
  const Observed seen = See();
  std::vector<json::Value> bodies{NamespaceFor(seen),
                                  ServiceAccountFor(seen),
                                  ConfigMapFor(seen),
                                  ServiceFor(seen),
                                  NodeServiceFor(seen),
                                  DisruptionBudgetFor(seen),
                                  StatefulSetFor(seen, ClaimTemplateFor(seen))};
  for (json::Value& policy : NetworkPoliciesFor(seen)) bodies.push_back(std::move(policy));
  for (int i = 0; i < seen.replicas(); ++i) bodies.push_back(ClaimOf(seen, i));
  for (const json::Value& body : bodies) Add(ResourceOf(body), body);
  StatefulSet()["status"] = Obj({{"observedGeneration", 1},
                                 {"replicas", seen.replicas()},
                                 {"readyReplicas", seen.replicas()},
                                 {"updatedReplicas", seen.replicas()},
                                 {"currentRevision", "r-1"},
                                 {"updateRevision", "r-1"}});
}

json::Value& Scene::At(const kube::Resource& resource, std::string_view name) {
  return objects_.at({resource, std::string(name)});
}

void Scene::Remove(const kube::Resource& resource, std::string_view name) {
  objects_.erase({resource, std::string(name)});
}

Observed Scene::See() const {
  runtime::Cache cache;
  cache.Put(kRestateClusters, Make(cr_));
  for (const kube::Resource& resource : listed) cache.Replace(resource, {}, "1");
  for (const auto& [place, body] : objects_) cache.Put(place.first, Make(body));
  auto seen = Gather(kKey, cache, config, now);
  REQUIRE(seen.has_value());
  return *std::move(seen);
}

std::vector<std::string> Scene::Steps() const {
  std::vector<std::string> steps;
  for (const plan::Step& step : Plan().steps) {
    const auto* apply = std::get_if<plan::Apply>(&step);
    if (apply && apply->live && Contains(apply->live->Body(), apply->body)) continue;
    steps.push_back(plan::ToString(step));
  }
  return steps;
}

plan::Report Scene::Report(const plan::Outcome& outcome) const {
  const Observed seen = See();
  return Kind::MakeReport(seen, Kind::MakePlan(seen), outcome);
}

std::string ConditionOf(const plan::Report& report, std::string_view type) {
  REQUIRE(report.status);
  const json::Value* conditions = report.status->wanted.Find("conditions");
  REQUIRE(conditions);
  REQUIRE(conditions->array());
  for (const json::Value& condition : *conditions->array()) {
    if (condition.StringAt({"type"}) != type) continue;
    return absl::StrCat(std::string(condition.StringAt({"status"})), " ", std::string(condition.StringAt({"reason"})));
  }
  return "none";
}

std::string ReadyOf(const plan::Report& report) { return report.status ? ConditionOf(report, "Ready") : "nothing"; }

json::Value Applied(const ClusterPlan& plan, const kube::Resource& resource, std::string_view name) {
  for (const plan::Step& step : plan.steps) {
    const auto* apply = std::get_if<plan::Apply>(&step);
    if (apply && apply->resource == resource && apply->body.StringAt({"metadata", "name"}) == name) return apply->body;
  }
  return {};
}

}  // namespace restate::cluster
