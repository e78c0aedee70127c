#include "deployment/scene.h"

#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "restate/deployment/objects.h"
#include "restate/runtime/cache.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;

const kube::Key kKey{"shop", "greeter"};

kube::ObjectPtr Make(const json::Value& body) {
  auto object = kube::Object::From(body);
  REQUIRE_MESSAGE(object.ok(), std::string(MessageOf(object.status())));
  return *std::move(object);
}

std::string Rfc3339(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

json::Value StatusFor(int replicas, int ready) {
  return Obj(
      {{"replicas", replicas}, {"readyReplicas", ready}, {"availableReplicas", ready}, {"observedGeneration", 1}});
}

}  // namespace

Scene::Scene() {
  cr_ = Obj({{"apiVersion", "restate.dev/v1beta1"},
             {"kind", "RestateDeployment"},
             {"metadata", Obj({{"namespace", kKey.ns},
                               {"name", kKey.name},
                               {"uid", "cr-uid"},
                               {"generation", 1},
                               {"resourceVersion", "7"},
                               {"finalizers", Arr({"deployments.restate.dev"})}})},
             {"spec", Obj({{"selector", Obj({{"matchLabels", Obj({{"app", "greeter"}})}})},
                           {"template", Obj({{"metadata", Obj({{"labels", Obj({{"app", "greeter"}})}})}})},
                           {"restate", Obj({{"register", Obj({{"url", "http://restate:9070"}})}})}})}});
  Want("v1");
}

void Scene::Want(std::string_view label) {
  spec()["template"]["spec"] =
      Obj({{"containers", Arr({Obj({{"name", "c"}, {"image", absl::StrCat("i:", std::string(label))}})})}});
}

void Scene::Delete(absl::Time at) { cr_["metadata"]["deletionTimestamp"] = Rfc3339(at); }

void Scene::Add(std::string_view label, const VersionState& state) {
  Scene past = *this;
  past.Want(label);
  const Observed seen = past.See();
  json::Value set = ReplicaSetFor(seen);
  set["metadata"]["uid"] = absl::StrCat("uid-of-", std::string(label));
  set["metadata"]["generation"] = 1;
  set["metadata"]["resourceVersion"] = "10";
  set["metadata"]["creationTimestamp"] = Rfc3339(now - absl::Minutes(state.minutes_old));
  set["spec"]["replicas"] = state.replicas;
  set["status"] = StatusFor(state.replicas, state.ready < 0 ? state.replicas : state.ready);
  if (!state.id.empty()) set["metadata"]["annotations"][kDeploymentIdAnnotation] = state.id;
  if (!state.remove_at.empty()) set["metadata"]["annotations"][kRemoveVersionAtAnnotation] = state.remove_at;
  const std::string key(label);
  names_[key] = seen.name;
  if (state.service) {
    json::Value service = ServiceFor(seen, Version{.resource = kube::kReplicaSets, .object = Make(set), .body = set});
    service["metadata"]["uid"] = absl::StrCat("service-of-", key);
    if (!state.id.empty()) service["metadata"]["annotations"][kDeploymentIdAnnotation] = state.id;
    services_[key] = std::move(service);
  }
  replica_sets_[key] = std::move(set);
}

std::string Scene::UriOf(std::string_view label) const {
  return absl::StrCat("http://", NameOf(label), ".shop.svc.cluster.local:9080/");
}

admin::DeploymentUse& Scene::Use(std::string_view label, std::string_view id) {
  auto& use = look.deployments[std::string(id)];
  use.uri = UriOf(label);
  return use;
}

void Scene::Cluster(std::string_view name, bool ready) {
  cluster =
      Obj({{"apiVersion", kRestateClusters.ApiVersion()},
           {"kind", kRestateClusters.kind},
           {"metadata", Obj({{"name", name}, {"uid", "cluster-uid"}, {"resourceVersion", "3"}})},
           {"status", Obj({{"conditions", Arr({Obj({{"type", "Ready"}, {"status", ready ? "True" : "False"}})})}})}});
}

void Scene::Cloud(std::string_view name) {
  config.operator_namespace = "operators";
  cloud = Obj({{"apiVersion", kRestateCloudEnvironments.ApiVersion()},
               {"kind", kRestateCloudEnvironments.kind},
               {"metadata", Obj({{"name", name}, {"uid", "cloud-uid"}, {"resourceVersion", "4"}})},
               {"spec", Obj({{"environmentId", "env_201kabc"},
                             {"region", "us"},
                             {"signingPublicKey", "publickeyv1_2bQk"},
                             {"authentication", Obj({{"secret", Obj({{"name", "tok"}, {"key", "t"}})}})}})}});
  secret =
      Obj({{"apiVersion", "v1"},
           {"kind", "Secret"},
           {"metadata", Obj({{"name", "tok"}, {"namespace", "operators"}, {"uid", "s"}, {"resourceVersion", "5"}})},
           {"data", Obj({{"t", "Y2FuYXJ5LXRva2Vu"}})}});  // canary-token
}

void Scene::Autoscaler(std::string_view label, json::Value spec) {
  const json::Value owner = Obj({{"apiVersion", kRestateDeployments.ApiVersion()},
                                 {"kind", kRestateDeployments.kind},
                                 {"name", kKey.name},
                                 {"uid", "cr-uid"},
                                 {"controller", true}});
  const std::string key(label);
  autoscalers_[key] = Obj({{"apiVersion", "autoscaling/v2"},
                           {"kind", "HorizontalPodAutoscaler"},
                           {"metadata", Obj({{"name", NameOf(label)},
                                             {"namespace", kKey.ns},
                                             {"uid", absl::StrCat("autoscaler-of-", key)},
                                             {"resourceVersion", "12"},
                                             {"ownerReferences", Arr({owner})}})},
                           {"spec", std::move(spec)}});
}

Observed Scene::See() const {
  runtime::Cache cache;
  cache.Put(kRestateDeployments, Make(cr_));
  for (const auto& [label, body] : replica_sets_) cache.Put(kube::kReplicaSets, Make(body));
  for (const auto& [label, body] : services_) cache.Put(kube::kServices, Make(body));
  for (const auto& [label, body] : autoscalers_) cache.Put(kube::kAutoscalers, Make(body));
  if (clusters_listed) {
    cache.Replace(kRestateClusters, cluster ? std::vector{Make(*cluster)} : std::vector<kube::ObjectPtr>(), "1");
  }
  if (clouds_listed) {
    const auto all_of = [](const std::optional<json::Value>& body) {
      return body ? std::vector{Make(*body)} : std::vector<kube::ObjectPtr>();
    };
    cache.Replace(kRestateCloudEnvironments, all_of(cloud), "1");
    cache.Replace(kube::kSecrets, all_of(secret), "1");
  }
  auto seen = Gather(kKey, cache, config, now, [](const kube::Key&, const kube::ObjectPtr& s) { return s; });
  REQUIRE(seen.has_value());
  const auto wanted = LookNeeded(*seen);
  seen->needs_look = wanted.has_value();
  for (const auto& [endpoint, unused] : LooksElsewhere(*seen)) {
    const auto found = elsewhere.find(endpoint.ToString());
    if (found == elsewhere.end()) {
      seen->elsewhere[endpoint].error = MakeError(Reason::kAdminCallFailed, endpoint.ToString() + ": no answer");
    } else {
      seen->elsewhere[endpoint].look = std::make_shared<const admin::Look>(found->second);
      seen->elsewhere[endpoint].answered = answered;
    }
  }
  const bool asked = seen->cluster != ClusterState::kMissing && seen->cluster != ClusterState::kNotSynced;
  if (!wanted || !seen->endpoint.ok() || !asked) return *std::move(seen);
  seen->usage.answered = answered;
  seen->usage.registered = registered;
  seen->usage.registered_id = registered_id;
  if (!look_error.ok()) {
    seen->usage.error = look_error;
  } else if (looked) {
    admin::Look taken = look;
    taken.counts_unpinned = wanted->count_unpinned;
    if (!wanted->count_unpinned) {
      for (auto& [id, use] : taken.deployments) use.unpinned = 0;
    }
    seen->usage.look = std::make_shared<const admin::Look>(std::move(taken));
  }
  return *std::move(seen);
}

std::string Scene::Labelled(std::string text) const {
  for (const auto& [label, name] : names_) text = absl::StrReplaceAll(text, {{name, label}});
  return text;
}

std::vector<std::string> Scene::Steps() const {
  std::vector<std::string> steps;
  for (const plan::Step& step : Plan().steps) {
    if (std::holds_alternative<plan::Announce>(step)) continue;
    const auto* apply = std::get_if<plan::Apply>(&step);
    if (apply && apply->resource == kube::kServices && apply->live) continue;
    steps.push_back(Labelled(plan::ToString(step)));
  }
  return steps;
}

std::vector<std::string> Scene::Announcements() const {
  std::vector<std::string> reasons;
  for (const plan::Step& step : Plan().steps) {
    if (const auto* announce = std::get_if<plan::Announce>(&step)) reasons.push_back(announce->event.reason);
  }
  return reasons;
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

std::string ReadyOf(const plan::Report& report) {
  if (!report.status) return "nothing";
  return ConditionOf(report, "Ready");
}

json::Value BodyOf(const DeploymentPlan& plan, std::string_view step_text) {
  for (const plan::Step& step : plan.steps) {
    if (plan::ToString(step) != step_text) continue;
    if (const auto* apply = std::get_if<plan::Apply>(&step)) return apply->body;
    if (const auto* create = std::get_if<plan::Create>(&step)) return create->body;
  }
  return {};
}

}  // namespace restate::deployment
