// Which identity the pods have at their cloud.
#include "absl/strings/str_join.h"
#include "pod.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

constexpr std::string_view kGcpServiceAccount = "iam.gke.io/gcp-service-account";

}  // namespace

PodPart CloudIdentityPart(const Observed& seen) {
  const crd::ClusterSecurity& security = seen.security();
  const std::string& eks_cluster = seen.config.aws_pod_identity_association_cluster;
  PodPart part;
  if (security.aws_pod_identity_association_role_arn && !eks_cluster.empty()) {
    part.annotations["restate.dev/aws-pod-identity-association-cluster"] = eks_cluster;
    part.annotations["restate.dev/aws-pod-identity-association-role-arn"] =
        *security.aws_pod_identity_association_role_arn;
  }
  const auto groups = security.aws_pod_security_groups.value_or(std::vector<std::string>());
  if (!groups.empty() && seen.serves_security_groups) {
    part.annotations["restate.dev/aws-security-groups"] = absl::StrJoin(groups, ",");
  }
  const json::Value account = ServiceAccountFor(seen);
  const std::string_view email = account.StringAt({"metadata", "annotations", kGcpServiceAccount});
  if (seen.config.gcp_workload_identity && !email.empty()) {
    part.annotations["restate.dev/gcp-service-account"] = email;
  }
  return part;
}

}  // namespace restate::cluster
