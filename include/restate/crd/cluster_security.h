// The `security` part of a RestateCluster: who may reach the cluster, and what it proves who it is with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "restate/json/value.h"
#include "restate/schema/field.h"

namespace restate::crd {

// Peers allowed in. A list that is absent allows nobody, an empty one allows everybody. Items are NetworkPolicyPeers.
struct NetworkPeers {
  std::optional<std::vector<json::Value>> ingress;
  std::optional<std::vector<json::Value>> admin;
  std::optional<std::vector<json::Value>> node;
  std::optional<std::vector<json::Value>> metrics;

  friend bool operator==(const NetworkPeers&, const NetworkPeers&) = default;
};

constexpr auto Describe(schema::Of<NetworkPeers>) {
  using S = NetworkPeers;
  return schema::Struct(
      "Who may connect to the pods, port by port. A port that is left out is closed to all but the operator and the "
      "cluster; an empty list opens it to everybody.",
      schema::Field("ingress", &S::ingress, "Who may call services through the ingress port 8080.")
          .Schema("NetworkPolicyPeer")
          .Atomic(),
      schema::Field("admin", &S::admin, "Who may use the admin API on port 9070.").Schema("NetworkPolicyPeer").Atomic(),
      schema::Field("node", &S::node, "Who may reach the node port 5122, which also serves metrics.")
          .Schema("NetworkPolicyPeer")
          .Atomic(),
      schema::Field("metrics", &S::metrics, "Former name of node; looked at only when node is left out.")
          .Schema("NetworkPolicyPeer")
          .Atomic());
}

struct EgressRule {
  std::optional<std::vector<json::Value>> ports;  // NetworkPolicyPorts
  std::optional<std::vector<json::Value>> to;     // NetworkPolicyPeers

  friend bool operator==(const EgressRule&, const EgressRule&) = default;
};

constexpr auto Describe(schema::Of<EgressRule>) {
  using S = EgressRule;
  return schema::Struct("A destination that the pods may connect to.",
                        schema::Field("ports", &S::ports, "Ports that may be used; all when left out or empty.")
                            .Schema("NetworkPolicyPort")
                            .Atomic(),
                        schema::Field("to", &S::to, "Peers that may be reached; everywhere when left out or empty.")
                            .Schema("NetworkPolicyPeer")
                            .Atomic());
}

struct SecretKey {
  std::string secret_name;
  std::string key;

  friend bool operator==(const SecretKey&, const SecretKey&) = default;
};

constexpr auto Describe(schema::Of<SecretKey>) {
  using S = SecretKey;
  return schema::Struct(
      "One key of a Secret in the cluster's namespace.",
      schema::Field("secretName", &S::secret_name, "Name of the Secret, in the namespace of the cluster's pods."),
      schema::Field("key", &S::key, "Key in the Secret's data."));
}

// A key that the Secrets Store CSI driver fetches.
struct SecretProvider {
  std::optional<std::string> provider;
  std::optional<std::map<std::string, std::string>> parameters;
  std::string path;

  friend bool operator==(const SecretProvider&, const SecretProvider&) = default;
};

constexpr auto Describe(schema::Of<SecretProvider>) {
  using S = SecretProvider;
  return schema::Struct(
      "Takes the key from an external store through the Secrets Store CSI driver, which must be installed.",
      schema::Field("provider", &S::provider, "Name of the driver's provider, such as aws or gcp."),
      schema::Field("parameters", &S::parameters, "Parameters for the provider, copied into the SecretProviderClass."),
      schema::Field("path", &S::path, "File in the mounted volume that holds the private key."));
}

struct SigningKey {
  std::string version;
  std::optional<SecretKey> secret;
  std::optional<SecretProvider> secret_provider;

  friend bool operator==(const SigningKey&, const SigningKey&) = default;
};

constexpr auto Describe(schema::Of<SigningKey>) {
  using S = SigningKey;
  return schema::Struct(
      "Private key with which Restate signs its requests, so that services can tell them from others. Give it by "
      "secret or by secretProvider.",
      schema::Field("version", &S::version, "Format of the key; v1 is the only one."),
      schema::Field("secret", &S::secret, "Takes the key, a PEM text, from a Secret in the cluster's namespace."),
      schema::Field("secretProvider", &S::secret_provider));
}

struct ClusterSecurity {
  std::optional<std::map<std::string, std::string>> service_annotations;
  std::optional<std::map<std::string, std::string>> service_account_annotations;
  std::optional<bool> disable_network_policies;
  std::optional<bool> allow_operator_access_to_admin;
  std::optional<NetworkPeers> network_peers;
  std::optional<std::vector<EgressRule>> network_egress_rules;
  std::optional<std::string> aws_pod_identity_association_role_arn;
  std::optional<std::vector<std::string>> aws_pod_security_groups;
  std::optional<SigningKey> request_signing_private_key;
  std::optional<std::vector<SecretKey>> trusted_ca_certs;

  friend bool operator==(const ClusterSecurity&, const ClusterSecurity&) = default;
};

constexpr auto Describe(schema::Of<ClusterSecurity>) {
  using S = ClusterSecurity;
  return schema::Struct(
      "Network isolation, cloud identity, keys and certificates.",
      schema::Field("serviceAnnotations", &S::service_annotations,
                    "Annotations for the Service restate, on top of this object's own."),
      schema::Field("serviceAccountAnnotations", &S::service_account_annotations,
                    "Annotations for the ServiceAccount restate, on top of this object's own; cloud identities are "
                    "often bound this way."),
      schema::Field("disableNetworkPolicies", &S::disable_network_policies,
                    "true: no network policies are made, and those the operator made are removed."),
      schema::Field("allowOperatorAccessToAdmin", &S::allow_operator_access_to_admin,
                    "false: the network policies keep the operator away from the admin API too, so it cannot register "
                    "deployments. true when left out."),
      schema::Field("networkPeers", &S::network_peers),
      schema::Field("networkEgressRules", &S::network_egress_rules,
                    "Destinations the pods may reach besides DNS, the public internet, each other and pods that carry "
                    "the cluster's allow label."),
      schema::Field("awsPodIdentityAssociationRoleArn", &S::aws_pod_identity_association_role_arn,
                    "IAM role for the pods through EKS Pod Identity. Needs the ACK EKS controller and an operator that "
                    "knows its EKS cluster."),
      schema::Field("awsPodSecurityGroups", &S::aws_pod_security_groups,
                    "Ids of AWS security groups for the pods. Needs the VPC resource controller."),
      schema::Field("requestSigningPrivateKey", &S::request_signing_private_key),
      schema::Field(
          "trustedCaCerts", &S::trusted_ca_certs,
          "PEM certificates that Restate trusts besides the public ones, from Secrets in the cluster's namespace."));
}

}  // namespace restate::crd
