// Scene: a RestateCluster with its objects in some state, as planners see it. No server: the objects come from the real
// builders and lie in a cache.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "restate/cluster/cluster.h"
#include "restate/json/value.h"
#include "restate/runtime/cache.h"

namespace restate::cluster {

kube::ObjectPtr Make(const json::Value& body);

class Scene {
 public:
  // "east", one node, its finalizer set; nothing exists yet.
  Scene();

  json::Value& cr() { return cr_; }
  json::Value& spec() { return cr_["spec"]; }
  json::Value& compute() { return spec()["compute"]; }
  json::Value& security() { return spec()["security"]; }
  void Delete() { cr_["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; }

  // Everything exists as the spec wants it just now, and all nodes are ready.
  void Run();
  // A live object; it must exist.
  json::Value& At(const kube::Resource& resource, std::string_view name);
  json::Value& StatefulSet() { return At(kube::kStatefulSets, kRestate); }
  json::Value& Claim(int ordinal) { return At(kube::kPersistentVolumeClaims, ClaimName(ordinal)); }
  json::Value& Namespace() { return At(kube::kNamespaces, "east"); }
  void Add(const kube::Resource& resource, json::Value body);
  void Remove(const kube::Resource& resource, std::string_view name);
  static std::string ClaimName(int ordinal) { return "storage-restate-" + std::to_string(ordinal); }

  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  plan::Config config;
  std::vector<kube::Resource> listed;  // optional APIs that are there

  Observed See() const;
  ClusterPlan Plan() const { return Kind::MakePlan(See()); }
  // The steps as text, without applies that would change nothing in fields of ours.
  std::vector<std::string> Steps() const;
  plan::Report Report(const plan::Outcome& outcome = {}) const;

 private:
  json::Value cr_;
  std::map<std::pair<kube::Resource, std::string>, json::Value> objects_;
};

// What a condition of a report says: "True Reconciled"; "none" where there is none of that type.
std::string ConditionOf(const plan::Report& report, std::string_view type);
std::string ReadyOf(const plan::Report& report);

// The body of the apply to this object; null: there is none.
json::Value Applied(const ClusterPlan& plan, const kube::Resource& resource, std::string_view name);

}  // namespace restate::cluster
