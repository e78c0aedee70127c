// Scene: a RestateCloudEnvironment with its tunnel in some state, as planners see it. No server: the objects come from
// the real builders and lie in a cache.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "restate/cloud/cloud.h"
#include "restate/json/value.h"
#include "restate/runtime/cache.h"

namespace restate::cloud {

kube::ObjectPtr Make(const json::Value& body);

class Scene {
 public:
  // "east", its finalizer set; nothing exists yet but the token.
  Scene();

  json::Value& cr() { return cr_; }
  json::Value& spec() { return cr_["spec"]; }
  json::Value& tunnel() { return spec()["tunnel"]; }
  void Delete() { cr_["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; }

  // The tunnel is as the spec wants it just now, and its pods are ready.
  void Run();
  json::Value& Deployment() { return objects_.at(kube::kDeployments); }
  json::Value& Service() { return objects_.at(kube::kServices); }
  void Remove(const kube::Resource& resource) { objects_.erase(resource); }
  // A pod in this state; `status` as in its status.
  void AddPod(std::string_view name, json::Value status);

  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  plan::Config config;
  absl::StatusOr<std::string> token = std::string("digest-1");

  Observed See() const;
  CloudPlan Plan() const { return Kind::MakePlan(See()); }
  // The steps as text, without applies that would change nothing in fields of ours.
  std::vector<std::string> Steps() const;
  plan::Report Report(const plan::Outcome& outcome = {}) const;

 private:
  json::Value cr_;
  std::map<kube::Resource, json::Value> objects_;
  std::vector<json::Value> pods_;
};

// What a condition of a report says: "True Reconciled"; "none" where there is none of that type.
std::string ConditionOf(const plan::Report& report, std::string_view type);
std::string MessageOf(const plan::Report& report, std::string_view type);

// The body of the apply to the tunnel's object of this kind; null: there is none.
json::Value Applied(const CloudPlan& plan, const kube::Resource& resource);

}  // namespace restate::cloud
