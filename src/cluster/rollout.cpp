#include "absl/strings/str_cat.h"
#include "cloud_identity.h"
#include "old_configs.h"
#include "restate/cluster/cluster.h"
#include "restate/cluster/gates.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/provisioning.h"
#include "restate/cluster/spec_check.h"
#include "restate/cluster/storage.h"
#include "restate/cluster/warnings.h"
#include "restate/plan/finalizer.h"
#include "restate/plan/suspension.h"
#include "steps.h"

namespace restate::cluster {
namespace {

constexpr absl::Duration kSteadyPass = absl::Minutes(5);  // what no watch event brings is found by then
constexpr absl::Duration kSickLook = absl::Seconds(5);
constexpr absl::Duration kReplacingLook = absl::Seconds(1);  // the StatefulSet is to be away for a moment only

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
    if (!wanted.contains(name)) Unmake(seen, kube::kNetworkPolicies, name, plan);
  }
}

// Ok: the pass goes on.
absl::Status MakeSigningKeyClass(const Observed& seen, ClusterPlan& plan) {
  if (!seen.WantsSecretProviderClass()) {
    Unmake(seen, kSecretProviderClasses, kSigningKeyClass, plan);
  } else if (!seen.config.manage_secret_provider_classes) {
    return MakeError(Reason::kSecretProviderClassesDisabled,
                     "secretProvider signing requires SecretProviderClass management; enable it or use a Kubernetes "
                     "Secret signing source");
  } else if (seen.Serves(kSecretProviderClasses)) {
    Make(seen, kSecretProviderClasses, SecretProviderClassFor(seen), plan);
  }
  return absl::OkStatus();
}

void MakeServices(const Observed& seen, ClusterPlan& plan) {
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
    plan.wait = plan::Suspended();
    return plan;
  }
  plan.LookAgainIn(kSteadyPass);
  plan.failure = CheckSpec(seen);
  if (plan.failure.ok()) plan.failure = CheckNamesFree(seen);
  if (!plan.failure.ok()) return plan;
  AnnounceWarnings(seen, plan);
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
  plan.failure = MakeSigningKeyClass(seen, plan);
  if (!plan.failure.ok()) return plan;
  Make(seen, kube::kServiceAccounts, ServiceAccountFor(seen), plan);
  Make(seen, kube::kConfigMaps, ConfigMapFor(seen), plan);
  MakeIdentities(seen, plan);
  if (plan.wait) return plan;
  MakeServices(seen, plan);
  MakeNodes(seen, plan);
  RetireConfigs(seen, plan);
  return plan;
}

}  // namespace restate::cluster
