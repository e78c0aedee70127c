#include "absl/strings/str_cat.h"
#include "announce.h"
#include "canary.h"
#include "cloud_identity.h"
#include "conditions.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/optional_resources.h"
#include "steps.h"

namespace restate::cluster {
namespace {

constexpr absl::Duration kNextLook = absl::Minutes(1);

void WaitFor(ClusterPlan& plan, Reason reason, std::string message) {
  plan.LookAgainIn(kNextLook);
  AddWait(plan, plan::Wait{reason, std::move(message)});
}

void MakeSecurityGroups(const Observed& seen, ClusterPlan& plan) {
  if (!seen.WantsSecurityGroups()) return Unmake(seen, kSecurityGroupPolicies, kRestate, plan);
  if (!seen.Serves(kSecurityGroupPolicies)) return;
  plan::Apply step =
      ApplyOf(kSecurityGroupPolicies, SecurityGroupPolicyFor(seen), seen.Child(kSecurityGroupPolicies, kRestate));
  step.if_refused =
      Warn(seen, "SecurityGroupPolicyRefused",
           absl::StrCat("spec.security.awsPodSecurityGroups: SecurityGroupPolicy ", seen.name(), "/",
                        std::string(kRestate), " is refused, so the pods keep the security groups that they have"));
  // Pods get its groups as they are made: the plan with those pods is the next one, which sees it.
  step.ends_plan = !SecurityGroupsStand(seen);
  plan.steps.push_back(std::move(step));
}

// What the ACK controller says about an association that it has not made; the first that says anything.
std::string TroubleOf(const json::Value& association) {
  for (const std::string_view type : {"ACK.Terminal", "ACK.Recoverable", "ACK.ResourceSynced"}) {
    if (std::string words = WordsOf(association, type); !words.empty()) return absl::StrCat(": ", words);
  }
  return {};
}

void MakePodIdentity(const Observed& seen, ClusterPlan& plan) {
  if (!seen.WantsPodIdentity()) {
    Unmake(seen, kPodIdentityAssociations, kRestate, plan);
    return Unmake(seen, kJobs, kPodIdentityCanary, plan);
  }
  if (!seen.Serves(kPodIdentityAssociations)) {
    return WaitFor(plan, Reason::kPodIdentityNotSynced,
                   absl::StrCat("the CRD ", kube::DefinitionOf(kPodIdentityAssociations),
                                " is not installed; install the ACK controller for EKS, or remove "
                                "spec.security.awsPodIdentityAssociationRoleArn"));
  }
  Make(seen, kPodIdentityAssociations, PodIdentityAssociationFor(seen), plan);
  const kube::ObjectPtr live = seen.Child(kPodIdentityAssociations, kRestate);
  const json::Value body = live ? live->Body() : json::Value();
  if (!IsTrue(body, "ACK.ResourceSynced")) {
    return WaitFor(plan, Reason::kPodIdentityNotSynced,
                   absl::StrCat("PodIdentityAssociation ", seen.name(), "/", std::string(kRestate),
                                " has not been made at AWS yet", TroubleOf(body)));
  }
  RunCanary(seen,
            {.name = kPodIdentityCanary,
             .job = PodIdentityCanaryFor(seen),
             .pending = Reason::kPodIdentityCanaryPending,
             .failed = Reason::kPodIdentityCanaryFailed,
             .looks = "AWS credentials",
             .advice = "They come from the EKS Pod Identity agent, and its webhook may need a moment to catch up"},
            seen.pod_identity_injected, plan);
}

void MakeWorkloadIdentity(const Observed& seen, ClusterPlan& plan) {
  if (!seen.WantsWorkloadIdentity()) {
    Unmake(seen, kPolicyMembers, kPolicyMember, plan);
    return Unmake(seen, kJobs, kWorkloadIdentityCanary, plan);
  }
  if (!seen.Serves(kPolicyMembers)) {
    return WaitFor(plan, Reason::kPolicyMemberCrdNotFound,
                   absl::StrCat("the CRD ", kube::DefinitionOf(kPolicyMembers),
                                " is not installed; install Config Connector, or start the operator without "
                                "GCP_WORKLOAD_IDENTITY"));
  }
  Make(seen, kPolicyMembers, PolicyMemberFor(seen), plan);
  const kube::ObjectPtr live = seen.Child(kPolicyMembers, kPolicyMember);
  const json::Value body = live ? live->Body() : json::Value();
  const bool about_the_past =
      live && body.IntAt({"status", "observedGeneration"}, live->generation()) < live->generation();
  if (about_the_past || !IsTrue(body, "Ready")) {
    const std::string words = about_the_past ? std::string() : WordsOf(body, "Ready");
    return WaitFor(plan, Reason::kPolicyMemberNotReady,
                   absl::StrCat("IAMPolicyMember ", seen.name(), "/", std::string(kPolicyMember),
                                " has not been made at Google Cloud yet", words.empty() ? "" : ": ", words));
  }
  RunCanary(seen,
            {.name = kWorkloadIdentityCanary,
             .job = WorkloadIdentityCanaryFor(seen),
             .pending = Reason::kWorkloadIdentityCanaryPending,
             .failed = Reason::kWorkloadIdentityCanaryFailed,
             .looks = "Google credentials",
             .advice = "They come from the metadata server of GKE, which takes some minutes to know a new binding"},
            false, plan);
}

}  // namespace

void MakeIdentities(const Observed& seen, ClusterPlan& plan) {
  MakeSecurityGroups(seen, plan);
  MakePodIdentity(seen, plan);
  if (!plan.wait) MakeWorkloadIdentity(seen, plan);
}

}  // namespace restate::cluster
