// RestateCluster: a Restate server of one or more nodes, in a namespace of its own that is named after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "restate/crd/cluster_compute.h"
#include "restate/crd/cluster_security.h"
#include "restate/crd/condition.h"
#include "restate/schema/field.h"

namespace restate::crd {

struct ClusterProvisioning {
  bool auto_provision = false;

  friend bool operator==(const ClusterProvisioning&, const ClusterProvisioning&) = default;
};

constexpr auto Describe(schema::Of<ClusterProvisioning>) {
  using S = ClusterProvisioning;
  return schema::Struct("How the nodes become one Restate cluster.",
                        schema::Field("autoProvision", &S::auto_provision,
                                      "true: the operator provisions the cluster as soon as its first pod runs. The "
                                      "server must then not do so itself: set auto-provision = false in config.")
                            .Default());
}

struct ClusterStorage {
  std::int64_t storage_request_bytes = 0;
  std::optional<std::string> storage_class_name;
  std::optional<std::string> volume_attributes_class_name;

  friend bool operator==(const ClusterStorage&, const ClusterStorage&) = default;
};

constexpr auto Describe(schema::Of<ClusterStorage>) {
  using S = ClusterStorage;
  return schema::Struct(
      "The volume of each pod.",
      schema::Field("storageRequestBytes", &S::storage_request_bytes,
                    "Size of the volume in bytes. It can grow where the storage class allows it; it never shrinks.")
          .Min(1),
      schema::Field(
          "storageClassName", &S::storage_class_name,
          "StorageClass of the volumes; the Kubernetes cluster's default when left out. Existing volumes keep theirs."),
      schema::Field("volumeAttributesClassName", &S::volume_attributes_class_name,
                    "VolumeAttributesClass of the volumes, which may change later; it sets such things as IOPS."));
}

struct RestateClusterSpec {
  std::optional<std::string> cluster_name;
  std::optional<ClusterProvisioning> cluster;
  ClusterStorage storage;
  ClusterCompute compute;
  std::optional<ClusterSecurity> security;
  std::optional<std::string> config;

  friend bool operator==(const RestateClusterSpec&, const RestateClusterSpec&) = default;
};

constexpr auto Describe(schema::Of<RestateClusterSpec>) {
  using S = RestateClusterSpec;
  return schema::Struct(
      "What is wanted of the cluster.",
      schema::Field("clusterName", &S::cluster_name,
                    "Name that the nodes know their cluster by; the name of this object when left out. It must not "
                    "change once data exists."),
      schema::Field("cluster", &S::cluster), schema::Field("storage", &S::storage),
      schema::Field("compute", &S::compute), schema::Field("security", &S::security),
      schema::Field("config", &S::config, "Configuration file of restate-server, in TOML. A change rolls the pods."));
}

struct RestateClusterStatus {
  std::optional<std::vector<Condition>> conditions;
  std::optional<bool> provisioned;
  std::optional<Reconciliation> reconciliation;
  std::optional<std::int64_t> observed_generation;
  std::optional<std::int32_t> replicas;
  std::optional<std::int32_t> ready_replicas;

  friend bool operator==(const RestateClusterStatus&, const RestateClusterStatus&) = default;
};

constexpr auto Describe(schema::Of<RestateClusterStatus>) {
  using S = RestateClusterStatus;
  return schema::Struct(
      "What the operator last saw.",
      schema::Field("conditions", &S::conditions,
                    "Observations, one per type. Ready is True when every node is up. Reconciling is there while the "
                    "operator works towards that, Stalled when it cannot without a person."),
      schema::Field("provisioned", &S::provisioned,
                    "true once the operator has provisioned the cluster; it never does so twice."),
      schema::Field("reconciliation", &S::reconciliation, kReconciliationDoc),
      schema::Field("observedGeneration", &S::observed_generation, "metadata.generation that this status is about."),
      schema::Field("replicas", &S::replicas, "Nodes that exist."),
      schema::Field("readyReplicas", &S::ready_replicas, "Nodes that are ready."));
}

// The whole object, less apiVersion, kind and metadata.
struct RestateCluster {
  RestateClusterSpec spec;
  std::optional<RestateClusterStatus> status;

  friend bool operator==(const RestateCluster&, const RestateCluster&) = default;
};

constexpr auto Describe(schema::Of<RestateCluster>) {
  using S = RestateCluster;
  return schema::Struct(
      "A Restate server of one or more nodes. It runs in a namespace named after this object, which the operator makes "
      "if it is missing.",
      schema::Field("spec", &S::spec), schema::Field("status", &S::status));
}

}  // namespace restate::crd
