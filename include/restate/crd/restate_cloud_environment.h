// RestateCloudEnvironment: an environment of Restate Cloud, and the tunnel through which it reaches services in this
// cluster.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "restate/crd/condition.h"
#include "restate/json/value.h"
#include "restate/schema/field.h"

namespace restate::crd {

// A key of a Secret in the operator's namespace.
struct TokenSecret {
  std::string name;
  std::string key;

  friend bool operator==(const TokenSecret&, const TokenSecret&) = default;
};

constexpr auto Describe(schema::Of<TokenSecret>) {
  using S = TokenSecret;
  return schema::Struct(
      "The Secret with the environment's API token.",
      schema::Field("name", &S::name, "Name of the Secret, in the operator's namespace."),
      schema::Field("key", &S::key, "Key in the Secret's data. Blanks around the token do not matter."));
}

struct CloudAuthentication {
  TokenSecret secret;

  friend bool operator==(const CloudAuthentication&, const CloudAuthentication&) = default;
};

constexpr auto Describe(schema::Of<CloudAuthentication>) {
  using S = CloudAuthentication;
  return schema::Struct("How the operator and the tunnel prove to Restate Cloud who they are.",
                        schema::Field("secret", &S::secret));
}

// The pods that hold the tunnel open. Kubernetes' own types stay json::Value.
struct TunnelSpec {
  std::optional<bool> remote_proxy;
  std::optional<std::int32_t> replicas;
  std::optional<std::string> image;
  std::optional<std::string> image_pull_policy;
  std::optional<std::vector<json::Value>> env;
  std::optional<json::Value> resources;
  std::optional<json::Value> dns_config;
  std::optional<std::string> dns_policy;
  std::optional<std::vector<json::Value>> tolerations;
  std::optional<std::map<std::string, std::string>> node_selector;
  std::optional<json::Value> affinity;

  friend bool operator==(const TunnelSpec&, const TunnelSpec&) = default;
};

constexpr auto Describe(schema::Of<TunnelSpec>) {
  using S = TunnelSpec;
  return schema::Struct(
      "The pods that hold the tunnel open. Everything has a default.",
      schema::Field("remoteProxy", &S::remote_proxy,
                    "true: the tunnel's Service also offers the environment's ingress (8080) and admin API (9070) "
                    "inside this cluster. false when left out."),
      schema::Field("replicas", &S::replicas, "How many tunnel pods run; 1 when left out."),
      schema::Field("image", &S::image, "Image of the tunnel client; the operator's default when left out."),
      schema::Field("imagePullPolicy", &S::image_pull_policy,
                    "Always, IfNotPresent or Never. Kubernetes' default when left out."),
      schema::Field(
          "env", &S::env,
          "Environment variables of the tunnel client. A name that the operator sets by default is taken over.")
          .Schema("EnvVar")
          .MapKey("name"),
      schema::Field(
          "resources", &S::resources,
          "CPU and memory of the tunnel client. Requests of 1 CPU and 1Gi, limits of 2 CPU and 2Gi when left out.")
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
          .Schema("Affinity"));
}

struct RestateCloudEnvironmentSpec {
  std::string environment_id;
  std::string region;
  std::string signing_public_key;
  CloudAuthentication authentication;
  std::optional<TunnelSpec> tunnel;

  friend bool operator==(const RestateCloudEnvironmentSpec&, const RestateCloudEnvironmentSpec&) = default;
};

constexpr auto Describe(schema::Of<RestateCloudEnvironmentSpec>) {
  using S = RestateCloudEnvironmentSpec;
  return schema::Struct(
      "Which environment it is, and how its tunnel runs.",
      schema::Field("environmentId", &S::environment_id, "Id of the environment, env_..., as Restate Cloud shows it."),
      schema::Field("region", &S::region, "Region of the environment, such as us or eu."),
      schema::Field(
          "signingPublicKey", &S::signing_public_key,
          "Public key of the environment, publickeyv1_...; requests that are not signed with it are refused."),
      schema::Field("authentication", &S::authentication), schema::Field("tunnel", &S::tunnel));
}

struct RestateCloudEnvironmentStatus {
  std::optional<std::vector<Condition>> conditions;
  std::optional<Reconciliation> reconciliation;
  std::optional<std::int64_t> observed_generation;
  std::optional<std::int32_t> replicas;
  std::optional<std::int32_t> ready_replicas;
  std::optional<std::vector<std::string>> env_secrets;

  friend bool operator==(const RestateCloudEnvironmentStatus&, const RestateCloudEnvironmentStatus&) = default;
};

constexpr auto Describe(schema::Of<RestateCloudEnvironmentStatus>) {
  using S = RestateCloudEnvironmentStatus;
  return schema::Struct(
      "What the operator last saw.",
      schema::Field("conditions", &S::conditions,
                    "Observations, one per type. Ready is True when the tunnel's objects are in place. Reconciling is "
                    "there while the operator works or tunnel pods are not ready, Stalled when it cannot go on without "
                    "a person."),
      schema::Field("reconciliation", &S::reconciliation, kReconciliationDoc),
      schema::Field("observedGeneration", &S::observed_generation, "metadata.generation that this status is about."),
      schema::Field("replicas", &S::replicas, "Tunnel pods that exist."),
      schema::Field("readyReplicas", &S::ready_replicas, "Tunnel pods that are ready."),
      schema::Field("envSecrets", &S::env_secrets,
                    "Names of Secrets that spec.tunnel.env reads, of which the tunnel's image sees the values; at most "
                    "20."));
}

// The whole object, less apiVersion, kind and metadata.
struct RestateCloudEnvironment {
  RestateCloudEnvironmentSpec spec;
  std::optional<RestateCloudEnvironmentStatus> status;

  friend bool operator==(const RestateCloudEnvironment&, const RestateCloudEnvironment&) = default;
};

constexpr auto Describe(schema::Of<RestateCloudEnvironment>) {
  using S = RestateCloudEnvironment;
  return schema::Struct(
      "Connects an environment of Restate Cloud with this Kubernetes cluster: the operator runs a tunnel through which "
      "it reaches services here.",
      schema::Field("spec", &S::spec), schema::Field("status", &S::status));
}

}  // namespace restate::crd
