#include "steps.h"

#include "restate/cluster/objects.h"

namespace restate::cluster {

namespace {

// What others of its objects can be made without. Not without the policy that shuts the nodes off, which the rest of
// them open; nor without a configuration.
bool OthersGoOnWithout(const kube::Resource& resource, std::string_view name) {
  if (resource == kube::kNetworkPolicies) return name != kNetworkPolicyNames.front();
  return resource == kube::kServiceAccounts || resource == kube::kServices || resource == kube::kPodDisruptionBudgets ||
         resource == kube::kStatefulSets;
}

}  // namespace

void AddWait(ClusterPlan& plan, std::optional<plan::Wait> wait) {
  if (!plan.wait) plan.wait = std::move(wait);
}

// The uid of what we looked at: another object that took its name meanwhile is not overwritten.
plan::Apply ApplyOf(const kube::Resource& resource, json::Value body, const kube::ObjectPtr& live) {
  if (live) body["metadata"]["uid"] = live->uid();
  const bool others_go_on = OthersGoOnWithout(resource, body.StringAt({"metadata", "name"}));
  return {.resource = resource,
          .body = std::move(body),
          .manager = std::string(kManager),
          .subresource = "",
          .live = live,
          .must_be_new = true,
          .others_go_on = others_go_on};
}

void Make(const Observed& seen, const kube::Resource& resource, json::Value body, ClusterPlan& plan) {
  const kube::ObjectPtr live = seen.Child(resource, body.StringAt({"metadata", "name"}));
  plan.steps.push_back(ApplyOf(resource, std::move(body), live));
}

void Unmake(const Observed& seen, const kube::Resource& resource, std::string_view name, ClusterPlan& plan) {
  const kube::ObjectPtr live = seen.Child(resource, name);
  if (!live || !seen.Owns(*live) || live->deleting()) return;
  plan.steps.push_back(plan::Delete{resource, live->key(), live->uid()});
}

}  // namespace restate::cluster
