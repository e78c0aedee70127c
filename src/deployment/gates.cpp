#include "restate/deployment/gates.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/deployment/knative.h"

namespace restate::deployment {
namespace {

plan::Wait Counted(Reason reason, const Observed& seen, std::int64_t actual, std::string_view what) {
  return {reason, absl::StrCat("ReplicaSet ", seen.name, " has ", actual, " ", std::string(what),
                               " instead of the expected ", seen.spec.replicas, "; see kubectl describe pods -n ",
                               seen.object->key().ns, " -l ", std::string(kHashLabel), "=", seen.hash)};
}

// Controlled by the version, or by an earlier one of that name, which somebody deleted: that one is taken over before
// the garbage collector comes for it.
bool IsFrontOf(const Version& version, const kube::Object& front) {
  if (front.owner_uid() == version.object->uid()) return true;
  const json::Value body = front.Body();
  const json::Value* owners = body.FindPath({"metadata", "ownerReferences"});
  if (!owners || !owners->array()) return false;
  return std::any_of(owners->array()->begin(), owners->array()->end(), [&](const json::Value& owner) {
    return owner.BoolAt({"controller"}) && owner.StringAt({"kind"}) == version.resource.kind &&
           owner.StringAt({"name"}) == version.name();
  });
}

}  // namespace

std::optional<plan::Wait> ClusterNotReady(const Observed& seen) {
  const std::string name = seen.spec.restate.target.cluster.value_or("");
  switch (seen.cluster) {
    case ClusterState::kNotSynced:
      return plan::Wait{Reason::kNotSynced, "the RestateClusters are not listed yet; is their CRD installed?"};
    case ClusterState::kMissing:
      return plan::Wait{Reason::kClusterNotFound,
                        absl::StrCat("spec.restate.register.cluster: there is no RestateCluster ", name,
                                     "; create it, or name another")};
    case ClusterState::kNotReady:
      return plan::Wait{Reason::kClusterNotReady,
                        absl::StrCat("Referenced Restate cluster '", name,
                                     "' is not ready; see kubectl describe restatecluster ", name)};
    case ClusterState::kNotAsked:
    case ClusterState::kReady: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<plan::Wait> VersionNotReady(const Observed& seen, const Version& current) {
  if (current.is_knative()) return RouteNotReady(current);
  if (current.object->deleting()) {
    return plan::Wait{Reason::kReplicaSetScaling, absl::StrCat("ReplicaSet ", current.name(),
                                                               " is being deleted; it is made anew when it is gone")};
  }
  const json::Value* status = current.body.Find("status");
  if (!status || status->IntAt({"observedGeneration"}) < current.object->generation()) {
    return plan::Wait{Reason::kReplicaSetNoStatus, absl::StrCat("ReplicaSet ", current.name(),
                                                                " was just created or changed and has no status yet")};
  }
  const std::int64_t expected = seen.spec.replicas;
  if (const auto n = status->IntAt({"replicas"}); n != expected) {
    return Counted(Reason::kReplicaSetScaling, seen, n, "replicas");
  }
  if (const auto n = status->IntAt({"readyReplicas"}); n != expected) {
    return Counted(Reason::kReplicaSetPodNotReady, seen, n, "ready replicas");
  }
  if (const auto n = status->IntAt({"availableReplicas"}); n != expected) {
    return Counted(Reason::kReplicaSetPodNotAvailable, seen, n, "available replicas");
  }
  return std::nullopt;
}

std::optional<plan::Wait> NothingToRegister(const Observed& seen, const Version& current) {
  if (current.is_knative() || seen.spec.replicas > 0) return std::nullopt;
  return plan::Wait{Reason::kScaledToZero,
                    absl::StrCat("version ", current.name(),
                                 " has spec.replicas 0 and is not registered: Restate asks the pods "
                                 "for their services. Set spec.replicas to 1 or more")};
}

std::optional<plan::Wait> NameTaken(const Observed& seen) {
  const Version* current = seen.Current();
  if (seen.tagged() && !current && seen.name_holder) {
    return plan::Wait{Reason::kNameTaken, absl::StrCat("Configuration ", seen.name_holder->key().ToString(),
                                                       " exists and is not this object's; it is left alone. Rename or "
                                                       "delete it, or choose another spec.knative.tag")};
  }
  if (!seen.front_holder || !current || IsFrontOf(*current, *seen.front_holder)) return std::nullopt;
  return plan::Wait{Reason::kNameTaken,
                    absl::StrCat(current->is_knative() ? "Route " : "Service ", seen.front_holder->key().ToString(),
                                 " exists and is not controlled by this object's ", std::string(current->resource.kind),
                                 "; it is left alone. Rename or delete it")};
}

bool HashCollides(const Observed& seen) { return !seen.tagged() && seen.name_holder && !seen.Current(); }

}  // namespace restate::deployment
