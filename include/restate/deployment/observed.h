// Observed: everything a decision about one RestateDeployment may look at.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "restate/admin/endpoint.h"
#include "restate/admin/usage.h"
#include "restate/base/error.h"
#include "restate/crd/kinds.h"
#include "restate/crd/restate_deployment.h"
#include "restate/deployment/cloud.h"
#include "restate/json/value.h"
#include "restate/kube/object.h"
#include "restate/plan/names.h"
#include "restate/plan/world.h"

namespace restate::deployment {

// The reference's names, kept so that a swap of operators finds its objects.
using kube::kManager;
using plan::kAllowLabel;
using plan::kReconcileAnnotation;
using plan::kRestateCloudEnvironments;
using plan::kRestateClusters;
using plan::kRestateDeployments;
inline constexpr std::string_view kPropagateReplicas = "restate-operator/propagate-replicas";
inline constexpr std::string_view kPropagateAnnotations = "restate-operator/propagate-annotations";
inline constexpr std::string_view kRecordId = "restate-operator/deployment-id";
inline constexpr std::string_view kRecordOnConfiguration = "restate-operator/deployment-registration";
inline constexpr std::string_view kRemoveVersion = "restate-operator/remove-version-at";
inline constexpr std::string_view kScaleDown = "restate-operator/scale-down";
inline constexpr std::string_view kScaleRestore = "restate-operator/scale-restore";
inline constexpr std::string_view kAutoscaling = "restate-operator/autoscaling";

inline constexpr std::string_view kDeploymentIdAnnotation = "restate.dev/deployment-id";
inline constexpr std::string_view kRemoveVersionAtAnnotation = "restate.dev/remove-version-at";
inline constexpr std::string_view kPodTemplateAnnotation = "restate.dev/pod-template";
inline constexpr std::string_view kTunnelNameAnnotation = "restate.dev/tunnel-name";
// On Knative objects: whose they are; which version; when its id was written down.
inline constexpr std::string_view kDeploymentAnnotation = "restate.dev/deployment";
inline constexpr std::string_view kTagAnnotation = "restate.dev/tag";
inline constexpr std::string_view kRegisteredAtAnnotation = "restate.dev/registered-at";
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kOwnedByLabel = "restate.dev/owned-by";
inline constexpr std::string_view kHashLabel = "pod-template-hash";

// Knative Serving.
inline constexpr kube::Resource kConfigurations{"serving.knative.dev", "v1", "Configuration", "configurations"};
inline constexpr kube::Resource kRoutes{"serving.knative.dev", "v1", "Route", "routes"};
inline constexpr kube::Resource kRevisions{"serving.knative.dev", "v1", "Revision", "revisions"};

// How old the look may be on which a version loses its pods or its registration (guarantees S2).
inline constexpr Clock::Duration kFreshLook = std::chrono::seconds(10);
// The longest delay and time-out that is honoured: 10 years, so that dates stay within four digits.
inline constexpr std::int64_t kLongestDelaySeconds = std::int64_t{10} * 365 * 24 * 3600;
// While a first list is awaited: an empty one wakes nobody.
inline constexpr absl::Duration kListLook = absl::Seconds(5);
// Between two passes while something drains; the end of work is told by Usage.
inline constexpr absl::Duration kDrainLook = absl::Seconds(10);

// One version: a ReplicaSet of ours and its Service; in Knative mode, a Configuration and its Route.
struct Version {
  kube::Resource resource;  // kReplicaSets or kConfigurations
  kube::ObjectPtr object;
  json::Value body;
  kube::ObjectPtr front = nullptr;              // the Service or Route of the same name; null: none
  kube::ObjectPtr autoscaler = nullptr;         // ours, of the same name; null: none
  kube::ObjectPtr revision = nullptr;           // the latest of a Configuration; null: none
  std::string deployment_id = {};               // as recorded; empty: not registered yet
  std::vector<admin::Endpoint> elsewhere = {};  // Restates other than the wanted one that may have work for it

  const std::string& name() const { return object->key().name; }
  std::string_view Annotation(std::string_view key) const { return body.StringAt({"metadata", "annotations", key}); }
  bool HasAnnotation(std::string_view key) const { return body.FindPath({"metadata", "annotations", key}) != nullptr; }
  // The tunnel that its pods open themselves; empty: none. Its pods say it: the annotation may have been edited.
  std::string tunnel() const;
  std::optional<absl::Time> RemovalTime() const;  // nullopt: none is set, or no time
  bool is_knative() const { return resource == kConfigurations; }
  // Pods that are wanted of a ReplicaSet; that a Configuration has.
  std::int64_t replicas() const;
  // Whether its retirement is still to come, as far as Kubernetes tells. A Configuration that is kept without work
  // looks like any other, but for its date.
  bool AtWork(absl::Time now) const;
  // One without a recorded id may be registered: the process may have ended between the two, or Restate's answer got
  // lost. It is not without what its calls come through, which is made first.
  bool MayBeRegistered() const { return !deployment_id.empty() || front; }
};

// The RestateCluster that spec.restate.register.cluster names.
enum class ClusterState : std::uint8_t { kNotAsked, kNotSynced, kMissing, kNotReady, kReady };

// The APIs of Knative Serving, which not every cluster has.
enum class KnativeState : std::uint8_t {
  kServed,
  kAbsent,   // nobody has installed them
  kUnknown,  // not listed yet, or they may not be read
};

// What a pass is to reach.
enum class Mode : std::uint8_t {
  kRollout,  // the wanted version serves, the others leave when their work is done
  kDrain,    // the object is being deleted: all versions leave when their work is done
  kForce,    // all versions leave now, whatever their work
};

struct Observed {
  kube::ObjectPtr object;
  json::Value body;
  absl::Status decoded;  // not ok: `spec` is not to be used
  crd::RestateDeploymentSpec spec;
  std::optional<crd::RestateDeploymentStatus> status;

  plan::Config config;
  absl::Time now;
  absl::StatusOr<admin::Endpoint> endpoint;
  ClusterState cluster = ClusterState::kNotAsked;
  KnativeState knative = KnativeState::kUnknown;
  std::vector<Cloud> clouds;
  // The one that spec.restate.register.cloud names; nullopt: it names none.
  std::optional<absl::StatusOr<Cloud>> cloud;

  std::string template_text, hash, name;  // of the version that is wanted
  std::string tag;                        // the end of its name: the hash, or spec.knative.tag
  std::vector<Version> versions;          // ours, newest first, the wanted one among them
  kube::ObjectPtr name_holder;            // a ReplicaSet (Configuration) of the wanted name, ours or not
  kube::ObjectPtr front_holder;           // a Service (Route) of the wanted name, ours or not

  bool needs_look = false;  // no decision about versions without a look at Restate
  admin::Answer usage;
  std::map<admin::Endpoint, admin::Answer> elsewhere;  // the same of those that older versions were registered with

  const Version* Current() const;  // the wanted version, when it is there and ours
  // Whether Restate may know some version of it, as far as Kubernetes tells.
  bool MayBeRegistered() const;
  // The environment that services are reached from; nullptr: none is named, or it has a mistake.
  const admin::CloudEnvironment* environment() const;
  bool in_knative_mode() const;  // also of a spec that does not decode
  // Whether a person named the version, and changes it in place.
  bool tagged() const { return in_knative_mode() && spec.knative && spec.knative->tag; }
  bool cluster_is_there() const { return cluster != ClusterState::kMissing && cluster != ClusterState::kNotSynced; }
  bool deleting() const { return object->deleting(); }
  bool suspended() const;  // by annotation restate.dev/reconcile=disabled; a delete request ends it
  Mode mode() const;
  // When the delete request came, and when its drain is over (spec.restate.drain, 10 years at most); not of a rollout.
  absl::Time deletion_requested() const;
  absl::Time deletion_deadline() const;
  // What the status says of a version; nullptr: nothing.
  const crd::VersionStatus* ToldOf(std::string_view version) const;
  // Whether the uri was registered for this version, whatever the cluster's domain and the path were.
  bool IsUriOf(const Version& version, std::string_view uri) const;
  // Whether a deployment was registered for some version of this object: its uri has a name that only our versions
  // have.
  bool IsOurs(std::string_view deployment_id, std::string_view uri) const;
  // The use of a deployment; nullptr: Restate does not know it, or nobody looked.
  const admin::DeploymentUse* UseOf(std::string_view deployment_id) const;
};

// Gathers it; nullopt: the object is gone.
std::optional<Observed> Observe(const kube::Key& key, const plan::World& world);

// The parts of it: what the cache knows, and which look at Restate the decision then needs (nullopt: none), also at
// other Restates.
std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now, const ReadSecret& read_secret);
std::optional<admin::Wanted> LookNeeded(const Observed& seen);
std::map<admin::Endpoint, admin::Wanted> LooksElsewhere(const Observed& seen);

}  // namespace restate::deployment
