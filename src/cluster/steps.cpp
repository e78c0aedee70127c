#include "steps.h"

namespace restate::cluster {

void AddWait(ClusterPlan& plan, std::optional<plan::Wait> wait) {
  if (!plan.wait) plan.wait = std::move(wait);
}

// The uid of what we looked at: another object that took its name meanwhile is not overwritten.
plan::Apply ApplyOf(const kube::Resource& resource, json::Value body, const kube::ObjectPtr& live) {
  if (live) body["metadata"]["uid"] = live->uid();
  return {.resource = resource,
          .body = std::move(body),
          .manager = std::string(kManager),
          .subresource = "",
          .live = live,
          .must_be_new = true};
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
