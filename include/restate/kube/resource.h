// Resource: a kind of the Kubernetes API and where it is served. Key: one object of a kind.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "restate/json/value.h"

namespace restate::kube {

// What this program calls itself at the API server: field manager, reporting controller, user agent. It is the
// reference's, so that a swap of operators finds its fields.
inline constexpr std::string_view kManager = "restate-operator";

struct Resource {
  std::string_view group;  // "" for the core group
  std::string_view version;
  std::string_view kind;
  std::string_view plural;
  bool namespaced = true;

  std::string ApiVersion() const;  // "apps/v1", "v1"
  friend bool operator==(const Resource&, const Resource&) = default;
  friend auto operator<=>(const Resource&, const Resource&) = default;
};

// Namespace and name; the namespace is empty for cluster-scoped objects.
struct Key {
  std::string ns;
  std::string name;

  std::string ToString() const;  // "ns/name", "name"
  friend bool operator==(const Key&, const Key&) = default;
  friend auto operator<=>(const Key&, const Key&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Key& k) {
    return H::combine(std::move(h), k.ns, k.name);
  }
};

// The name of the CustomResourceDefinition of a resource that has one: "configurations.serving.knative.dev".
std::string DefinitionOf(const Resource& resource);

// URL path of a collection (all namespaces when `ns` is empty), and of an object, percent-encoded.
std::string CollectionPath(const Resource& resource, std::string_view ns);
std::string ObjectPath(const Resource& resource, const Key& key, std::string_view subresource = "");

Key KeyOf(const json::Value& object);

// The kinds this program reads or writes, beside its own.
inline constexpr Resource kReplicaSets{"apps", "v1", "ReplicaSet", "replicasets"};
inline constexpr Resource kAutoscalers{"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"};
inline constexpr Resource kServices{"", "v1", "Service", "services"};
inline constexpr Resource kDeployments{"apps", "v1", "Deployment", "deployments"};
inline constexpr Resource kStatefulSets{"apps", "v1", "StatefulSet", "statefulsets"};
inline constexpr Resource kServiceAccounts{"", "v1", "ServiceAccount", "serviceaccounts"};
inline constexpr Resource kConfigMaps{"", "v1", "ConfigMap", "configmaps"};
inline constexpr Resource kSecrets{"", "v1", "Secret", "secrets"};
inline constexpr Resource kPersistentVolumeClaims{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"};
inline constexpr Resource kPodDisruptionBudgets{"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"};
inline constexpr Resource kNetworkPolicies{"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "Event", "events"};
inline constexpr Resource kCustomResourceDefinitions{"apiextensions.k8s.io", "v1", "CustomResourceDefinition",
                                                     "customresourcedefinitions", false};
inline constexpr Resource kPods{"", "v1", "Pod", "pods"};
inline constexpr Resource kNamespaces{"", "v1", "Namespace", "namespaces", false};

}  // namespace restate::kube
