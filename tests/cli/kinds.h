// The kinds with everything that is listed for them, as the operator's own composition has it.
#pragma once

#include <vector>

#include "restate/cli/stage.h"
#include "restate/cloud/observed.h"
#include "restate/cluster/observed.h"
#include "restate/cluster/optional_resources.h"
#include "restate/deployment/observed.h"

namespace restate::cli {

inline ListedKind Listed(const kube::Resource& resource, const std::vector<kube::Resource>& others) {
  ListedKind kind{resource, {{.resource = resource}}};
  for (const kube::Resource& other : others) kind.listings.push_back({.resource = other});
  return kind;
}

inline std::vector<ListedKind> ListedKinds() {
  std::vector<ListedKind> kinds{
      Listed(deployment::kRestateDeployments, {kube::kReplicaSets, kube::kServices, kube::kAutoscalers, kube::kSecrets,
                                               deployment::kConfigurations, deployment::kRoutes, deployment::kRevisions,
                                               deployment::kRestateClusters, deployment::kRestateCloudEnvironments}),
      Listed(cluster::kRestateClusters, {kube::kNamespaces, kube::kServiceAccounts, kube::kConfigMaps, kube::kServices,
                                         kube::kPodDisruptionBudgets, kube::kStatefulSets,
                                         kube::kPersistentVolumeClaims, kube::kPods, kube::kNetworkPolicies}),
      Listed(cloud::kRestateCloudEnvironments, {kube::kDeployments, kube::kServices, kube::kPods, kube::kSecrets})};
  for (const auto& optional : cluster::kOptionalResources) {
    kinds[1].listings.push_back({.resource = optional.resource, .optional = true});
  }
  return kinds;
}

}  // namespace restate::cli
