#include "restate/cluster/spec_check.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cloud_identity.h"
#include "pod.h"
#include "restate/base/dns_label.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/storage.h"
#include "server_config.h"
#include "spec_mistake.h"

namespace restate::cluster {
namespace {

constexpr std::size_t kMaxObjectName = 253;  // of most objects, and of a key in a Secret
constexpr std::array<std::string_view, 3> kSystemNamespaces = {"kube-system", "kube-public", "kube-node-lease"};

absl::Status CheckName(const Observed& seen) {
  if (std::find(kSystemNamespaces.begin(), kSystemNamespaces.end(), seen.name()) != kSystemNamespaces.end()) {
    return Invalid("metadata.name", absl::StrCat("a cluster lives in the namespace of its name, and ", seen.name(),
                                                 " is one of Kubernetes' own; choose another name"));
  }
  if (IsDnsLabel(seen.name())) return absl::OkStatus();
  return Invalid("metadata.name", absl::StrCat("a cluster lives in the namespace of its name, and ", seen.name(),
                                               " is no name for a namespace (at most ", kMaxDnsLabel,
                                               " lower-case letters, digits and '-'); choose another name"));
}

// The name of the cluster in the environment that the nodes have; empty: set in some other way.
std::string_view ClusterNameIn(const json::Value* pods) {
  const json::Value* containers = pods ? pods->FindPath({"spec", "containers"}) : nullptr;
  if (!containers || !containers->array()) return {};
  for (const json::Value& container : *containers->array()) {
    const json::Value* env = container.StringAt({"name"}) == kRestate ? container.Find("env") : nullptr;
    if (!env || !env->array()) continue;
    for (const json::Value& variable : *env->array()) {
      if (variable.StringAt({"name"}) == "RESTATE_CLUSTER_NAME") return variable.StringAt({"value"});
    }
  }
  return {};
}

// Nodes refuse to start on data of another cluster: all pods would be rolled into a crash.
absl::Status CheckClusterName(const Observed& seen) {
  if (seen.spec.cluster_name && seen.spec.cluster_name->empty()) {
    return Invalid("spec.clusterName", "must not be empty; remove it to use the name of this object");
  }
  const bool has_data = std::any_of(seen.claims.begin(), seen.claims.end(), [](const Claim& c) { return c.bound(); });
  if (!has_data) return absl::OkStatus();
  const json::Value pods = PodTemplateFor(seen);
  const std::string_view wanted = ClusterNameIn(&pods);
  const std::string_view live = ClusterNameIn(seen.stateful_set.FindPath({"spec", "template"}));
  if (live.empty() || wanted.empty() || live == wanted) return absl::OkStatus();
  return Invalid("spec.clusterName", absl::StrCat("the data of the nodes belongs to the cluster ", std::string(live),
                                                  ", and they would not "
                                                  "start as ",
                                                  std::string(wanted), "; set it to ", std::string(live)));
}

absl::Status CheckCompute(const Observed& seen) {
  const crd::ClusterCompute& compute = seen.spec.compute;
  if (compute.image.empty()) return Invalid("spec.compute.image", "must not be empty; name an image of restate-server");
  // The API server takes a StatefulSet with it, and refuses each of its pods.
  if (absl::StripAsciiWhitespace(compute.image) != compute.image) {
    return Invalid("spec.compute.image", "must not begin or end with white space; remove that");
  }
  if (compute.replicas.value_or(0) < 0) return Invalid("spec.compute.replicas", "must be 0 or more");
  return absl::OkStatus();
}

bool IsName(std::string_view text, std::string_view letters) {
  return !text.empty() && text.size() <= kMaxObjectName && text.find_first_not_of(letters) == std::string_view::npos;
}

// Of most objects: a DNS subdomain.
bool IsObjectName(std::string_view text) { return IsName(text, "abcdefghijklmnopqrstuvwxyz0123456789.-"); }

// What the API server does not look at, and pods would wait for in vain.
absl::Status CheckSecretKey(const std::string& field, const crd::SecretKey& secret) {
  constexpr std::string_view kAny = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (!IsObjectName(secret.secret_name)) return Invalid(field + ".secretName", "must be the name of a Secret");
  if (!IsName(secret.key, kAny) || secret.key == "." || secret.key.starts_with(".."))
    return Invalid(field + ".key", "must be a key of a Secret: letters, digits, '-', '_' and '.'");
  return absl::OkStatus();
}

// A StatefulSet with another name is taken, and its claims are refused where nobody sees it.
absl::Status CheckClasses(const Observed& seen) {
  const crd::ClusterStorage& storage = seen.spec.storage;
  const auto check = [](std::string_view field, const std::optional<std::string>& name, std::string_view kind) {
    if (!name || name->empty() || IsObjectName(*name)) return absl::OkStatus();
    return Invalid(
        field, absl::StrCat("must be the name of a ", std::string(kind), ": lower-case letters, digits, '-' and '.'"));
  };
  RETURN_IF_ERROR(check("spec.storage.storageClassName", storage.storage_class_name, "StorageClass"));
  return check("spec.storage.volumeAttributesClassName", storage.volume_attributes_class_name, "VolumeAttributesClass");
}

absl::Status CheckSigningKey(const Observed& seen) {
  const auto& key = seen.security().request_signing_private_key;
  const std::string field = "spec.security.requestSigningPrivateKey";
  if (!key) return absl::OkStatus();
  if (key->version != "v1") return Invalid(field + ".version", "must be v1, the only version there is");
  if (key->secret && key->secret_provider) {
    return Invalid(field, "has both secret and secretProvider; remove one of them");
  }
  if (key->secret) RETURN_IF_ERROR(CheckSecretKey(field + ".secret", *key->secret));
  if (!key->secret_provider) return absl::OkStatus();
  const std::string& path = key->secret_provider->path;
  if (path.empty() || path.front() == '/' || !NormalPath("/" + path)) {
    return Invalid(field + ".secretProvider.path",
                   "must be the path of a file within the mounted volume, relative and without '..'");
  }
  return absl::OkStatus();
}

absl::Status CheckCerts(const Observed& seen) {
  const auto certs = seen.security().trusted_ca_certs.value_or(std::vector<crd::SecretKey>());
  for (std::size_t i = 0; i < certs.size(); ++i) {
    const std::string field = absl::StrCat("spec.security.trustedCaCerts[", i, "]");
    RETURN_IF_ERROR(CheckSecretKey(field, certs[i]));
  }
  return absl::OkStatus();
}

absl::Status CheckIdentities(const Observed& seen) {
  const crd::ClusterSecurity& security = seen.security();
  if (seen.WantsPodIdentity() && security.aws_pod_identity_association_role_arn->empty()) {
    return Invalid("spec.security.awsPodIdentityAssociationRoleArn",
                   "must not be empty; remove it or name an IAM role");
  }
  const std::string email = seen.gcp_service_account();
  if (email.empty() || ProjectOf(email)) return absl::OkStatus();
  const auto& own = security.service_account_annotations;
  const bool here = own && own->contains(std::string(kGcpServiceAccount));
  return Invalid(absl::StrCat(here ? "spec.security.serviceAccountAnnotations" : "metadata.annotations", "[",
                              std::string(kGcpServiceAccount), "]"),
                 "must be name@PROJECT.iam.gserviceaccount.com, the e-mail address of a service account");
}

// No API shrinks a volume, and no claim may be deleted to get a smaller one (guarantees S6). Where there is none yet,
// what was too much may be taken back.
absl::Status CheckSize(const Observed& seen) {
  if (!ClaimTemplateShrinks(seen)) return absl::OkStatus();
  const bool has_volume =
      std::any_of(seen.claims.begin(), seen.claims.end(), [](const Claim& claim) { return claim.bound(); });
  if (!has_volume) return absl::OkStatus();
  const json::Value live = LiveClaimTemplateFor(seen);
  return Invalid("spec.storage.storageRequestBytes",
                 absl::StrCat("volumes cannot shrink, and they have ",
                              std::string(live.StringAt({"spec", "resources", "requests", "storage"})),
                              "; ask for at least that"));
}

}  // namespace

absl::Status CheckSpec(const Observed& seen) {
  RETURN_IF_ERROR(CheckName(seen));
  RETURN_IF_ERROR(seen.decoded);
  RETURN_IF_ERROR(CheckSigningKey(seen));
  RETURN_IF_ERROR(CheckCompute(seen));
  RETURN_IF_ERROR(CheckClasses(seen));
  RETURN_IF_ERROR(CheckServersDoNotProvision(seen));
  RETURN_IF_ERROR(CheckClusterName(seen));
  RETURN_IF_ERROR(CheckCerts(seen));
  RETURN_IF_ERROR(CheckIdentities(seen));
  RETURN_IF_ERROR(CheckEnvironment(seen));
  RETURN_IF_ERROR(CheckVolumes(seen));
  RETURN_IF_ERROR(CheckSidecars(seen));
  RETURN_IF_ERROR(CheckLists(seen));
  RETURN_IF_ERROR(CheckSizes(seen));
  return CheckSize(seen);
}

}  // namespace restate::cluster
