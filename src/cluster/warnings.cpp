#include "restate/cluster/warnings.h"

#include "absl/strings/str_cat.h"
#include "announce.h"
#include "pod.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/optional_resources.h"

namespace restate::cluster {
namespace {

constexpr std::string_view kWarning = "Warning";  // type of the condition

std::optional<Warning> OfSigningKey(const Observed& seen) {
  const auto& key = seen.security().request_signing_private_key;
  const std::string field = "spec.security.requestSigningPrivateKey";
  if (!key || key->secret) return std::nullopt;
  if (!key->secret_provider) {
    return Warning{"RequestsNotSigned",
                   absl::StrCat(field, " has neither secret nor secretProvider: Restate does not sign its requests")};
  }
  if (!seen.config.manage_secret_provider_classes || seen.Serves(kSecretProviderClasses)) return std::nullopt;
  return Warning{"SecretProviderClassesNotInstalled",
                 absl::StrCat(field, ".secretProvider: the Secrets Store CSI driver (CRD ",
                              kube::DefinitionOf(kSecretProviderClasses), ") is not installed, so ",
                              SignsByProvider(seen) ? "pods that have the key keep it, and none can start with it"
                                                    : "Restate does not sign its requests",
                              ". Install it, or give the key by secret")};
}

std::optional<Warning> OfPodIdentity(const Observed& seen) {
  const auto& arn = seen.security().aws_pod_identity_association_role_arn;
  if (!arn || !seen.config.aws_pod_identity_association_cluster.empty()) return std::nullopt;
  return Warning{
      "PodIdentityNotConfigured",
      "spec.security.awsPodIdentityAssociationRoleArn: the operator was not told the name of its EKS cluster "
      "(AWS_POD_IDENTITY_ASSOCIATION_CLUSTER), so the pods get no identity"};
}

std::optional<Warning> OfSecurityGroups(const Observed& seen) {
  const auto& groups = seen.security().aws_pod_security_groups;
  if (!groups || groups->empty() || seen.Serves(kSecurityGroupPolicies)) return std::nullopt;
  return Warning{"SecurityGroupPoliciesNotInstalled",
                 absl::StrCat("spec.security.awsPodSecurityGroups: the CRD ", kube::DefinitionOf(kSecurityGroupPolicies),
                              " of the VPC resource controller is not installed, so the pods are in no security group "
                              "of their own")};
}

std::optional<Warning> OfNamespace(const Observed& seen) {
  if (seen.name() != "default" && seen.name() != seen.config.operator_namespace) return std::nullopt;
  return Warning{
      "SharedNamespace",
      absl::StrCat("metadata.name: the cluster lives in the namespace ", seen.name(),
                   ", which it shares with others; who may make pods there reaches its data and its Secrets. "
                   "Another name gives it a namespace of its own")};
}

std::optional<Warning> OfPrivilege(const Observed& seen) {
  if (seen.home && !seen.Owns(*seen.home)) return std::nullopt;
  for (const auto& [label, value] : json::ToMap(seen.body.FindPath({"metadata", "labels"}))) {
    if (!IsPrivilege(label, value)) continue;
    return Warning{"PrivilegeNotCopied",
                   absl::StrCat("metadata.labels[", label, "]: ", value,
                                " is not copied to the namespace, where it would let every pod do everything. Label "
                                "the namespace itself if that is meant")};
  }
  return std::nullopt;
}

std::optional<Warning> OfEarlierPods(const Observed& seen) {
  if (!KeepsEarlierPods(seen)) return std::nullopt;
  return Warning{"EarlierPods",
                 "The pods are as an earlier operator made them, without the restrictions of the Pod Security Standard "
                 "restricted. They are not restarted for that: they get them with the next change of spec.compute or "
                 "spec.config"};
}

std::string Joined(const std::vector<Warning>& warnings) {
  std::string text;
  for (const Warning& warning : warnings) absl::StrAppend(&text, text.empty() ? "" : "; ", warning.message);
  return plan::CutMessage(std::move(text));
}

std::string_view ToldOf(const Observed& seen) {
  if (!seen.status || !seen.status->conditions) return {};
  for (const crd::Condition& condition : *seen.status->conditions) {
    if (condition.type == kWarning && condition.message) return *condition.message;
  }
  return {};
}

}  // namespace

std::vector<Warning> WarningsFor(const Observed& seen) {
  std::vector<Warning> warnings;
  if (!seen.decoded.ok()) return warnings;
  for (auto of : {OfSigningKey, OfPodIdentity, OfSecurityGroups, OfNamespace, OfPrivilege, OfEarlierPods}) {
    if (auto warning = of(seen)) warnings.push_back(*std::move(warning));
  }
  return warnings;
}

std::optional<crd::Condition> WarningCondition(const Observed& seen, const plan::ConditionFrame& frame,
                                               const std::vector<kube::Event>& refused) {
  std::vector<Warning> warnings = WarningsFor(seen);
  for (const kube::Event& event : refused) warnings.push_back({event.reason, event.note});
  if (warnings.empty()) return std::nullopt;
  auto condition = plan::MakeCondition(frame, kWarning, "True", {.message = Joined(warnings)});
  condition.reason = warnings.front().reason;
  return condition;
}

void AnnounceWarnings(const Observed& seen, ClusterPlan& plan) {
  const std::vector<Warning> warnings = WarningsFor(seen);
  const std::string_view told = ToldOf(seen);
  if (told == Joined(warnings)) return;
  for (const Warning& warning : warnings) {
    if (told.find(warning.message) != std::string_view::npos) continue;
    plan.steps.push_back(plan::Announce{Warn(seen, std::string(warning.reason), warning.message)});
  }
}

}  // namespace restate::cluster
