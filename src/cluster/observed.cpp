#include "restate/cluster/observed.h"

#include "restate/cluster/metadata.h"
#include "restate/plan/suspension.h"

namespace restate::cluster {

bool Observed::suspended() const { return plan::IsSuspended(*object, body); }

kube::ObjectPtr Observed::Child(const kube::Resource& resource, std::string_view child_name) const {
  const auto found = children.find({resource, std::string(child_name)});
  return found == children.end() ? nullptr : found->second;
}

std::int64_t Observed::replicas() const {
  if (spec.compute.replicas) return *spec.compute.replicas;
  return stateful_set.IntAt({"spec", "replicas"}, 1);
}

const crd::ClusterSecurity& Observed::security() const {
  static const crd::ClusterSecurity kNone;
  return spec.security ? *spec.security : kNone;
}

bool Observed::WantsSecretProviderClass() const {
  const auto& key = security().request_signing_private_key;
  return key && key->secret_provider;
}

bool Observed::WantsPodIdentity() const {
  return security().aws_pod_identity_association_role_arn && !config.aws_pod_identity_association_cluster.empty();
}

bool Observed::WantsSecurityGroups() const {
  const auto& groups = security().aws_pod_security_groups;
  return groups && !groups->empty();
}

std::string Observed::gcp_service_account() const {
  if (!config.gcp_workload_identity) return {};
  StringMap annotations = security().service_account_annotations.value_or(StringMap());
  annotations.merge(CommonAnnotations(*this));
  return annotations[std::string(kGcpServiceAccount)];
}

}  // namespace restate::cluster
