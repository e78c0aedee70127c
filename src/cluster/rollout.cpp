#include "absl/strings/str_cat.h"
#include "restate/cluster/cluster.h"
#include "restate/cluster/gates.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/provisioning.h"
#include "restate/cluster/spec_check.h"
#include "restate/cluster/storage.h"
#include "restate/plan/finalizer.h"

namespace restate::cluster {
namespace {

constexpr absl::Duration kSteadyPass = absl::Minutes(5);     // what no watch event brings is found by then
constexpr absl::Duration kSickLook = absl::Seconds(5);
constexpr absl::Duration kReplacingLook = absl::Seconds(1);  // the StatefulSet is to be away for a moment only

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

void MakeNamespace(const Observed& seen, ClusterPlan& plan) {
  // One that was there before, and belongs to somebody, is used as it is.
  if (seen.home && !seen.Owns(*seen.home)) return;
  plan.steps.push_back(ApplyOf(kube::kNamespaces, NamespaceFor(seen), seen.home));
}

// The wanted policies come before those that are not: a cluster is never open for the moment in between.
void MakeNetworkPolicies(const Observed& seen, ClusterPlan& plan) {
  if (!seen.config.manage_network_policies) return;
  std::map<std::string, json::Value, std::less<>> wanted;
  for (json::Value& policy : NetworkPoliciesFor(seen)) {
    wanted[std::string(policy.StringAt({"metadata", "name"}))] = policy;
    Make(seen, kube::kNetworkPolicies, std::move(policy), plan);
  }
  for (const std::string_view name : kNetworkPolicyNames) {
    const kube::ObjectPtr live = seen.Child(kube::kNetworkPolicies, name);
    if (!live || wanted.contains(name) || !seen.Owns(*live)) continue;
    plan.steps.push_back(plan::Delete{kube::kNetworkPolicies, live->key(), live->uid()});
  }
}

void MakeSurroundings(const Observed& seen, ClusterPlan& plan) {
  Make(seen, kube::kServiceAccounts, ServiceAccountFor(seen), plan);
  Make(seen, kube::kConfigMaps, ConfigMapFor(seen), plan);
  Make(seen, kube::kServices, ServiceFor(seen), plan);
  Make(seen, kube::kServices, NodeServiceFor(seen), plan);
  Make(seen, kube::kPodDisruptionBudgets, DisruptionBudgetFor(seen), plan);
}

// The StatefulSet goes, its pods stay, and the next one takes them over: with the same template they are not restarted.
// By the time this step comes the server has taken the pod template and the sizes of the claims, so that the next one
// will be taken as well.
void ReplaceStatefulSet(const Observed& seen, ClusterPlan& plan) {
  const kube::ObjectPtr live = seen.Child(kube::kStatefulSets, kRestate);
  plan.steps.push_back(plan::Delete{kube::kStatefulSets, live->key(), live->uid(), "Orphan"});
  plan.again = false;  // it takes the server a moment
  plan.LookAgainIn(kReplacingLook);
  AddWait(plan, plan::Wait{Reason::kStatefulSetReplaced,
                           absl::StrCat("StatefulSet ", live->key().ToString(),
                                        " is replaced by one with other claims; its pods go on running")});
}

// In this order, so that a volume that cannot grow keeps nobody from mending the pods.
void MakeNodes(const Observed& seen, ClusterPlan& plan) {
  const auto leaving = StatefulSetLeaving(seen);
  if (!leaving) Make(seen, kube::kStatefulSets, StatefulSetFor(seen, LiveClaimTemplateFor(seen)), plan);
  for (plan::Apply& growth : GrowClaims(seen)) plan.steps.push_back(std::move(growth));
  if (leaving) {
    plan.LookAgainIn(kReplacingLook);
    return AddWait(plan, leaving);
  }
  AddWait(plan, ClaimNotBound(seen));
  if (!plan.wait && ClaimTemplateDiffers(seen)) return ReplaceStatefulSet(seen, plan);
  if (Provisions(seen) && !seen.provisioned()) return Provision(seen, plan);
  AddWait(plan, StatefulSetNotReady(seen));
  if (plan.wait) return;
  AddWait(plan, NodesNotHealthy(seen));
  if (plan.wait) plan.LookAgainIn(kSickLook);
}

}  // namespace

ClusterPlan PlanRollout(const Observed& seen) {
  ClusterPlan plan;
  if (seen.suspended()) {
    plan.wait =
        plan::Wait{Reason::kSuspended, "Reconciliation is suspended by the restate.dev/reconcile=disabled annotation."};
    return plan;
  }
  plan.LookAgainIn(kSteadyPass);
  plan.failure = CheckSpec(seen);
  if (plan.failure.ok()) plan.failure = CheckNamesFree(seen);
  if (!plan.failure.ok()) return plan;
  if (auto finalizer = plan::AddFinalizer(kRestateClusters, seen.body, crd::kRestateCluster.finalizer, kManager)) {
    plan.steps.push_back(*std::move(finalizer));
  }
  plan.again = true;  // whether the cluster is ready, the objects say that these steps may change
  if (auto wait = NamespaceTerminating(seen)) {
    AddWait(plan, wait);
    return plan;
  }
  MakeNamespace(seen, plan);
  MakeNetworkPolicies(seen, plan);
  MakeSurroundings(seen, plan);
  MakeNodes(seen, plan);
  return plan;
}

}  // namespace restate::cluster
