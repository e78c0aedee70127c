// Kinds that a RestateCluster has objects of in some installations, or with some settings, only.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "restate/cluster/observed.h"

namespace restate::cluster {

struct OptionalResource {
  kube::Resource resource;
  std::string_view selector;            // label selector of its watch
  bool (*wanted)(const plan::Config&);  // false: no request is ever made about it
  bool defined_apart = true;            // by a CRD, which may be missing; else it is Kubernetes' own
  bool needed = true;                   // false: passes can do without for ever, as where its list is forbidden
};

// The pods of nodes, and those of the one canary whose pods say something before it ends.
inline constexpr std::string_view kPodSelector = "app.kubernetes.io/name in (restate,restate-pia-canary)";

// A pass takes what is not listed in the cache for not installed. So none may begin before each of these that is wanted
// and defined, is listed: a cluster that is made in such a moment would have no signing key.
inline constexpr std::array<OptionalResource, 6> kOptionalResources{{
    {kSecretProviderClasses, "app.kubernetes.io/name=restate",
     [](const plan::Config& config) { return config.manage_secret_provider_classes; }},
    {kPodIdentityAssociations, "app.kubernetes.io/name=restate",
     [](const plan::Config& config) { return !config.aws_pod_identity_association_cluster.empty(); }},
    {kSecurityGroupPolicies, "app.kubernetes.io/name=restate", [](const plan::Config&) { return true; }},
    {kPolicyMembers, "app.kubernetes.io/name=restate",
     [](const plan::Config& config) { return config.gcp_workload_identity; }},
    {kJobs, "app.kubernetes.io/name in (restate-pia-canary,restate-wi-canary)",
     [](const plan::Config& config) {
       return config.gcp_workload_identity || !config.aws_pod_identity_association_cluster.empty();
     },
     false},
    {kControllerRevisions, "app.kubernetes.io/name=restate", [](const plan::Config&) { return true; }, false, false},
}};

}  // namespace restate::cluster
