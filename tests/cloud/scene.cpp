#include "cloud/scene.h"

#include <doctest/doctest.h>

#include "absl/strings/str_cat.h"
#include "restate/cloud/objects.h"

namespace restate::cloud {
namespace {

using json::Arr;
using json::Obj;

const kube::Key kKey{"", "east"};

// Whether everything of `desired` is in `live`: enough to tell what an apply would change.
bool Contains(const json::Value& live, const json::Value& desired) {
  if (!desired.is_object()) return live == desired;
  for (const auto& [name, value] : *desired.object()) {
    const json::Value* member = live.Find(name);
    if (!member || !Contains(*member, value)) return false;
  }
  return true;
}

const json::Value* Condition(const plan::Report& report, std::string_view type) {
  REQUIRE(report.status);
  const json::Value* conditions = report.status->wanted.Find("conditions");
  REQUIRE(conditions);
  REQUIRE(conditions->array());
  for (const json::Value& condition : *conditions->array()) {
    if (condition.StringAt({"type"}) == type) return &condition;
  }
  return nullptr;
}

}  // namespace

kube::ObjectPtr Make(const json::Value& body) {
  auto object = kube::Object::From(body);
  REQUIRE_MESSAGE(object.ok(), std::string(restate::MessageOf(object.status())));
  return *std::move(object);
}

Scene::Scene() {
  config.operator_namespace = "operator";
  cr_ = Obj({{"apiVersion", "restate.dev/v1beta1"},
             {"kind", "RestateCloudEnvironment"},
             {"metadata", Obj({{"name", kKey.name},
                               {"uid", "cr-uid"},
                               {"generation", 3},
                               {"resourceVersion", "7"},
                               {"finalizers", Arr({"cloudenvironments.restate.dev"})}})},
             {"spec", Obj({{"environmentId", "env_1"},
                           {"region", "eu"},
                           {"signingPublicKey", "publickeyv1_1"},
                           {"authentication", Obj({{"secret", Obj({{"name", "tok"}, {"key", "t"}})}})}})}});
}

void Scene::Run() {
  const Observed seen = See();
  for (json::Value body : {DeploymentFor(seen), ServiceFor(seen)}) {
    const bool pods = body.StringAt({"kind"}) == "Deployment";
    json::Value& metadata = body["metadata"];
    metadata["uid"] = pods ? "deployment-uid" : "service-uid";
    metadata["generation"] = 1;
    metadata["resourceVersion"] = "10";
    objects_[pods ? kube::kDeployments : kube::kServices] = std::move(body);
  }
  json::Value& spec = Deployment()["spec"];
  if (!spec.Find("replicas")) spec["replicas"] = 1;
  const json::Value wanted = spec["replicas"];
  Deployment()["status"] =
      Obj({{"observedGeneration", 1}, {"replicas", wanted}, {"updatedReplicas", wanted}, {"readyReplicas", wanted}});
}

void Scene::AddPod(std::string_view name, json::Value status) {
  pods_.push_back(Obj({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", Obj({{"name", name},
                                         {"namespace", "operator"},
                                         {"uid", name},
                                         {"resourceVersion", "11"},
                                         {"labels", Obj({{"app.kubernetes.io/instance", "tunnel-east"}})}})},
                       {"status", std::move(status)}}));
}

Observed Scene::See() const {
  runtime::Cache cache;
  cache.Put(kRestateCloudEnvironments, Make(cr_));
  for (const auto& [resource, body] : objects_) cache.Put(resource, Make(body));
  for (const json::Value& pod : pods_) cache.Put(kube::kPods, Make(pod));
  auto seen = Gather(kKey, cache, config, now);
  REQUIRE(seen.has_value());
  seen->token_digest = token;
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
  const json::Value* condition = Condition(report, type);
  if (!condition) return "none";
  return absl::StrCat(std::string(condition->StringAt({"status"})), " ", std::string(condition->StringAt({"reason"})));
}

std::string MessageOf(const plan::Report& report, std::string_view type) {
  const json::Value* condition = Condition(report, type);
  return condition ? std::string(condition->StringAt({"message"})) : std::string();
}

json::Value Applied(const CloudPlan& plan, const kube::Resource& resource) {
  for (const plan::Step& step : plan.steps) {
    const auto* apply = std::get_if<plan::Apply>(&step);
    if (apply && apply->resource == resource) return apply->body;
  }
  return {};
}

}  // namespace restate::cloud
