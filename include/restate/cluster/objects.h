// The objects of a cluster, as pure functions of what was observed.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "restate/cluster/observed.h"

namespace restate::cluster {

json::Value NamespaceFor(const Observed& seen);
json::Value ServiceAccountFor(const Observed& seen);

// Its name has the content's hash in it: another configuration is another object, and the pods roll over to it.
inline constexpr std::string_view kConfigMapPrefix = "restate-config-";
std::string ConfigMapName(const Observed& seen);
json::Value ConfigMapFor(const Observed& seen);

json::Value ServiceFor(const Observed& seen);      // for clients: ingress, admin, metrics
json::Value NodeServiceFor(const Observed& seen);  // headless: gives each node its name

// At most one node is taken away at a time.
json::Value DisruptionBudgetFor(const Observed& seen);

// Every name that a network policy of a cluster has or had.
inline constexpr std::array<std::string_view, 9> kNetworkPolicyNames = {
    "deny-all",
    "allow-egress-to-dns",
    "allow-restate-egress-to-public-internet",
    "allow-restate-egress-to-aws-pod-identity",
    "allow-restate-egress",
    "allow-ingress-access",
    "allow-admin-access",
    "allow-metrics-access",
    "allow-egress-to-kube-dns",  // former name, never made
};
// Those that are wanted, the one that denies everything first. Empty when spec.security.disableNetworkPolicies is set.
std::vector<json::Value> NetworkPoliciesFor(const Observed& seen);

// Each only where the spec wants it (Observed::Wants...).
json::Value SecretProviderClassFor(const Observed& seen);
json::Value PodIdentityAssociationFor(const Observed& seen);
json::Value SecurityGroupPolicyFor(const Observed& seen);
json::Value PolicyMemberFor(const Observed& seen);
json::Value PodIdentityCanaryFor(const Observed& seen);
json::Value WorkloadIdentityCanaryFor(const Observed& seen);

// The claim template, and the same with the size and the classes of the live StatefulSet: those cannot be changed
// there.
json::Value ClaimTemplateFor(const Observed& seen);
json::Value LiveClaimTemplateFor(const Observed& seen);

json::Value StatefulSetFor(const Observed& seen, json::Value claim_template);

}  // namespace restate::cluster
