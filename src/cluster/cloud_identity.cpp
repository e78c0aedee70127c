#include "cloud_identity.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pod.h"
#include "restate/base/dns_label.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Obj;

constexpr std::string_view kSecurityGroupsNote = "restate.dev/aws-security-groups";  // of the pods
constexpr std::string_view kEmailSuffix = ".iam.gserviceaccount.com";

// Those that pods get when they are made: of the policy that is there. While it is not as wanted (not made yet,
// refused, its API away) the pods stay as they are: another roll would bring them nothing.
std::string GroupsOfPods(const Observed& seen) {
  if (!seen.WantsSecurityGroups()) return {};
  if (SecurityGroupsStand(seen)) return absl::StrJoin(*seen.security().aws_pod_security_groups, ",");
  return std::string(seen.stateful_set.StringAt({"spec", "template", "metadata", "annotations", kSecurityGroupsNote}));
}

}  // namespace

bool SecurityGroupsStand(const Observed& seen) {
  const kube::ObjectPtr live = seen.Child(kSecurityGroupPolicies, kRestate);
  if (!live || live->deleting()) return false;
  const json::Value body = live->Body(), wanted = SecurityGroupPolicyFor(seen);
  const auto same = [&](std::string_view field) {
    const json::Value* value = body.FindPath({"spec", field});
    return value && *value == *wanted.FindPath({"spec", field});
  };
  return same("podSelector") && same("securityGroups");
}

std::optional<std::string> ProjectOf(std::string_view email) {
  const auto at = email.find('@');
  if (at == std::string_view::npos || !email.ends_with(kEmailSuffix)) return std::nullopt;
  const std::string_view name = email.substr(0, at), domain = email.substr(at + 1);
  if (domain.size() < kEmailSuffix.size()) return std::nullopt;
  const std::string_view project = domain.substr(0, domain.size() - kEmailSuffix.size());
  if (!IsDnsLabel(name) || !IsDnsLabel(project)) return std::nullopt;
  return std::string(project);
}

json::Value PodIdentityAssociationFor(const Observed& seen) {
  json::Value association = ObjectFor(seen, kPodIdentityAssociations, kRestate);
  association["spec"] = Obj({{"clusterName", seen.config.aws_pod_identity_association_cluster},
                             {"namespace", seen.name()},
                             {"serviceAccount", kRestate},
                             {"roleARN", *seen.security().aws_pod_identity_association_role_arn}});
  return association;
}

json::Value SecurityGroupPolicyFor(const Observed& seen) {
  const std::vector<std::string>& groups = *seen.security().aws_pod_security_groups;
  json::Value policy = ObjectFor(seen, kSecurityGroupPolicies, kRestate);
  policy["spec"] = Obj({{"podSelector", SelectorOf(seen)},
                        {"securityGroups", Obj({{"groupIds", json::Array(groups.begin(), groups.end())}})}});
  return policy;
}

json::Value PolicyMemberFor(const Observed& seen) {
  const std::string email = seen.gcp_service_account(), project = ProjectOf(email).value_or("");
  json::Value member = ObjectFor(seen, kPolicyMembers, kPolicyMember, {{"cnrm.cloud.google.com/project-id", project}});
  // With its apiVersion, although that has a default: what an apply leaves out of this reference, the server takes away
  // before it puts the default in, and Config Connector refuses that as a change.
  const json::Value account = Obj({{"apiVersion", kPolicyMembers.ApiVersion()},
                                   {"kind", "IAMServiceAccount"},
                                   {"external", absl::StrCat("projects/", project, "/serviceAccounts/", email)}});
  member["spec"] = Obj({{"member", absl::StrCat("serviceAccount:", project, ".svc.id.goog[", seen.name(), "/",
                                                std::string(kRestate), "]")},
                        {"role", "roles/iam.workloadIdentityUser"},
                        {"resourceRef", account}});
  return member;
}

PodPart CloudIdentityPart(const Observed& seen) {
  PodPart part;
  if (seen.WantsPodIdentity()) {
    part.annotations["restate.dev/aws-pod-identity-association-cluster"] =
        seen.config.aws_pod_identity_association_cluster;
    part.annotations["restate.dev/aws-pod-identity-association-role-arn"] =
        *seen.security().aws_pod_identity_association_role_arn;
  }
  if (const std::string groups = GroupsOfPods(seen); !groups.empty()) {
    part.annotations[std::string(kSecurityGroupsNote)] = groups;
  }
  if (seen.WantsWorkloadIdentity()) part.annotations["restate.dev/gcp-service-account"] = seen.gcp_service_account();
  return part;
}

}  // namespace restate::cluster
