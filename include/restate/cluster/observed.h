// Observed: everything a decision about one RestateCluster may look at.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "restate/admin/nodes.h"
#include "restate/crd/kinds.h"
#include "restate/crd/restate_cluster.h"
#include "restate/json/value.h"
#include "restate/kube/object.h"
#include "restate/plan/names.h"
#include "restate/plan/world.h"

namespace restate::cluster {

// The reference's names, kept so that a swap of operators finds its objects.
using kube::kManager;
using plan::kAllowLabel;
using plan::kReconcileAnnotation;
using plan::kRestateClusters;
inline constexpr std::string_view kNameLabel = "app.kubernetes.io/name";
inline constexpr std::string_view kInstanceLabel = "app.kubernetes.io/instance";

// Of most objects of a cluster: its namespace tells clusters apart.
inline constexpr std::string_view kRestate = "restate";
// The headless Service that gives the nodes their names.
inline constexpr std::string_view kNodeService = "restate-cluster";
// The claim template; the claim of the n-th pod is called storage-restate-<n>.
inline constexpr std::string_view kStorage = "storage";

// Annotation of the ServiceAccount: the Google service account that its pods act as.
inline constexpr std::string_view kGcpServiceAccount = "iam.gke.io/gcp-service-account";

inline constexpr int kIngressPort = 8080;
inline constexpr int kAdminPort = 9070;
inline constexpr int kNodePort = 5122;  // also serves metrics

// Objects that some clusters have (optional_resources.h), by name.
inline constexpr std::string_view kSigningKeyClass = "request-signing-key-v1";
inline constexpr std::string_view kPolicyMember = "restate-workload-identity";
inline constexpr std::string_view kPodIdentityCanary = "restate-pia-canary";
inline constexpr std::string_view kWorkloadIdentityCanary = "restate-wi-canary";

inline constexpr kube::Resource kSecretProviderClasses{"secrets-store.csi.x-k8s.io", "v1", "SecretProviderClass",
                                                       "secretproviderclasses"};
inline constexpr kube::Resource kSecurityGroupPolicies{"vpcresources.k8s.aws", "v1beta1", "SecurityGroupPolicy",
                                                       "securitygrouppolicies"};
inline constexpr kube::Resource kPodIdentityAssociations{"eks.services.k8s.aws", "v1alpha1", "PodIdentityAssociation",
                                                         "podidentityassociations"};
inline constexpr kube::Resource kPolicyMembers{"iam.cnrm.cloud.google.com", "v1beta1", "IAMPolicyMember",
                                               "iampolicymembers"};
inline constexpr kube::Resource kJobs{"batch", "v1", "Job", "jobs"};
inline constexpr kube::Resource kControllerRevisions{"apps", "v1", "ControllerRevision", "controllerrevisions"};

// The volume claim of a pod.
struct Claim {
  kube::ObjectPtr object;
  json::Value body;
  std::int64_t ordinal = 0;  // of the pod

  bool bound() const { return body.StringAt({"status", "phase"}) == "Bound"; }
};

// The pod of a node, or what is left of it.
struct Pod {
  kube::ObjectPtr object;
  json::Value body;
  std::int64_t ordinal = 0;

  bool running() const { return !object->deleting() && body.StringAt({"status", "phase"}) == "Running"; }
  bool ready() const;  // and not on its way out
  // What keeps it from being ready, as kubelet and scheduler say: "Pending: 0/3 nodes are available". Empty: nothing.
  std::string Trouble() const;
};

struct Observed {
  kube::ObjectPtr object;
  json::Value body;
  absl::Status decoded;  // not ok: `spec` is not to be used
  crd::RestateClusterSpec spec;
  std::optional<crd::RestateClusterStatus> status;

  plan::Config config;
  absl::Time now;
  std::set<kube::Resource> served;  // of the optional resources, those that are wanted here and listed

  kube::ObjectPtr home;  // the Namespace, whoever owns it; null: none
  std::map<std::pair<kube::Resource, std::string>, kube::ObjectPtr> children;  // of the wanted names, whoever owns them
  json::Value stateful_set;                                                    // the live one; null: none
  std::vector<Claim> claims;                                                   // in the order of their pods
  std::vector<Pod> pods;                                                       // in the order of their ordinals
  bool pod_identity_injected = false;  // a pod of the canary Job that there is now got the volume with AWS' token
  // Earlier configurations that no pod and no revision of the StatefulSet refers to. Empty also where that is not
  // known.
  std::vector<kube::ObjectPtr> unused_configs;
  std::optional<admin::NodesAnswer> nodes;  // nullopt: they were not asked

  bool Serves(const kube::Resource& resource) const { return served.contains(resource); }
  // Of the object, and of the namespace that it lives in.
  const std::string& name() const { return object->key().name; }
  bool deleting() const { return object->deleting(); }
  bool suspended() const;  // by annotation restate.dev/reconcile=disabled; a delete request ends it
  bool Owns(const kube::Object& child) const { return child.owner_uid() == object->uid(); }
  // A live object of a wanted name; null: none.
  kube::ObjectPtr Child(const kube::Resource& resource, std::string_view child_name) const;
  // Pods that are wanted. Where the spec leaves it open, whoever scales the StatefulSet decides.
  std::int64_t replicas() const;
  bool provisioned() const { return body.BoolAt({"status", "provisioned"}); }

  // The parts of the spec that may be left out, as if they were there and empty.
  const crd::ClusterSecurity& security() const;
  bool WantsSecretProviderClass() const;
  bool WantsPodIdentity() const;  // at AWS
  bool WantsSecurityGroups() const;
  bool WantsWorkloadIdentity() const { return !gcp_service_account().empty(); }
  // The e-mail address of the Google service account that the pods act as; empty: none.
  std::string gcp_service_account() const;
};

// Gathers it from the cache; nullopt: the object is gone.
std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now);

}  // namespace restate::cluster
