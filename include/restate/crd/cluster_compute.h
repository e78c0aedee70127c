// The `compute` part of a RestateCluster: the pods that run restate-server. Kubernetes' own types stay json::Value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "restate/json/value.h"
#include "restate/schema/field.h"

namespace restate::crd {

inline constexpr std::int64_t kDefaultTerminationGraceSeconds = 60;

struct ClusterCompute {
  std::string image;
  std::optional<std::string> image_pull_policy;
  std::optional<std::vector<json::Value>> image_pull_secrets;
  std::optional<std::int32_t> replicas;
  std::optional<std::vector<std::string>> command;
  std::optional<std::vector<std::string>> args;
  std::optional<std::vector<json::Value>> env;
  std::optional<json::Value> resources;
  std::optional<json::Value> dns_config;
  std::optional<std::string> dns_policy;
  std::optional<std::vector<json::Value>> tolerations;
  std::optional<std::map<std::string, std::string>> node_selector;
  std::optional<json::Value> affinity;
  std::optional<std::vector<json::Value>> topology_spread_constraints;
  std::optional<std::string> priority_class_name;
  std::optional<json::Value> lifecycle;
  std::optional<std::map<std::string, std::string>> annotations;
  std::optional<std::map<std::string, std::string>> labels;
  std::optional<std::vector<json::Value>> sidecars;
  std::optional<std::int64_t> termination_grace_period_seconds;
  std::optional<std::vector<json::Value>> extra_volumes;
  std::optional<std::vector<json::Value>> extra_volume_mounts;

  friend bool operator==(const ClusterCompute&, const ClusterCompute&) = default;
};

constexpr auto Describe(schema::Of<ClusterCompute>) {
  using S = ClusterCompute;
  return schema::Struct(
      "The pods that run restate-server. A change rolls them.",
      schema::Field("image", &S::image, "Image of restate-server, with its tag."),
      schema::Field("imagePullPolicy", &S::image_pull_policy,
                    "Always, IfNotPresent or Never. Kubernetes' default when left out."),
      schema::Field("imagePullSecrets", &S::image_pull_secrets, "Secrets with the credentials of the image's registry.")
          .Schema("LocalObjectReference"),
      schema::Field("replicas", &S::replicas, "How many nodes the cluster has; 1 when left out."),
      schema::Field("command", &S::command, "Replaces the image's entrypoint."),
      schema::Field("args", &S::args, "Arguments for restate-server."),
      schema::Field("env", &S::env,
                    "Environment variables of restate-server. A name that the operator sets by default is taken over.")
          .Schema("EnvVar")
          .MapKey("name"),
      schema::Field("resources", &S::resources, "CPU and memory of restate-server: requests and limits.")
          .Schema("ResourceRequirements"),
      schema::Field("dnsConfig", &S::dns_config, "DNS settings of the pods on top of what dnsPolicy gives.")
          .Schema("PodDNSConfig"),
      schema::Field("dnsPolicy", &S::dns_policy, "Where the pods take DNS settings from; ClusterFirst when left out."),
      schema::Field("tolerations", &S::tolerations, "Taints of Kubernetes nodes that the pods put up with.")
          .Schema("Toleration"),
      schema::Field("nodeSelector", &S::node_selector, "Labels that a Kubernetes node must have to run the pods.")
          .NotNullable()
          .Atomic(),
      schema::Field("affinity", &S::affinity, "Rules that draw the pods to nodes and pods, or keep them apart.")
          .Schema("Affinity"),
      schema::Field("topologySpreadConstraints", &S::topology_spread_constraints,
                    "How the pods spread over zones and nodes.")
          .Schema("TopologySpreadConstraint"),
      schema::Field("priorityClassName", &S::priority_class_name, "PriorityClass of the pods."),
      schema::Field("lifecycle", &S::lifecycle,
                    "Hooks that run after restate-server has started and before it is stopped.")
          .Schema("Lifecycle"),
      schema::Field("annotations", &S::annotations,
                    "Annotations of the pods only. Those of this object are copied to the pods as well."),
      schema::Field("labels", &S::labels,
                    "Labels of the pods only. They cannot change what the operator's selectors need."),
      schema::Field("sidecars", &S::sidecars,
                    "Containers that run beside restate-server; they start before it and stop after it.")
          .Schema("Container"),
      schema::Field("terminationGracePeriodSeconds", &S::termination_grace_period_seconds,
                    "Seconds a pod has to shut down before it is killed; 60 when left out."),
      schema::Field("extraVolumes", &S::extra_volumes,
                    "Volumes for the pods. Their names must differ from those of the operator's own.")
          .Schema("Volume"),
      schema::Field(
          "extraVolumeMounts", &S::extra_volume_mounts,
          "Mounts for the restate-server container. Their paths must differ from those of the operator's own.")
          .Schema("VolumeMount"));
}

}  // namespace restate::crd
