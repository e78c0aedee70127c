#include "restate/cluster/gates.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/cluster/objects.h"
#include "restate/plan/pods.h"

namespace restate::cluster {
namespace {

// "restate-1 (Pending: 0/3 nodes are available), restate-2 (...)"; empty: no pod says anything.
std::string PodsInTrouble(const Observed& seen) {
  std::vector<std::string> texts;
  for (const Pod& pod : seen.pods) {
    const std::string trouble = pod.Trouble();
    if (!trouble.empty()) texts.push_back(absl::StrCat(pod.object->key().name, " (", trouble, ")"));
  }
  return plan::SomeTroubles(std::move(texts));
}

// Where the events are that say the rest: of pods that nobody may make, and of volumes that are not there.
std::string Advice(const Observed& seen) {
  const auto first = std::find_if(seen.pods.begin(), seen.pods.end(), [](const Pod& pod) { return !pod.ready(); });
  const std::string what = first == seen.pods.end()
                               ? absl::StrCat("statefulset -n ", seen.name(), " ", std::string(kRestate))
                               : absl::StrCat("pod -n ", seen.name(), " ", first->object->key().name);
  return absl::StrCat(", see kubectl describe ", what);
}

plan::Wait Counted(Reason reason, const Observed& seen, std::int64_t actual, std::string_view what) {
  const std::string troubles = PodsInTrouble(seen);
  return {reason, absl::StrCat("StatefulSet has ", actual, " ", std::string(what), " instead of the expected ",
                               seen.replicas(), troubles.empty() ? "" : ": ", troubles, Advice(seen))};
}

}  // namespace

std::optional<plan::Wait> NamespaceTerminating(const Observed& seen) {
  if (!seen.home || !seen.home->deleting()) return std::nullopt;
  return plan::Wait{Reason::kNamespaceTerminating,
                    absl::StrCat("Namespace ", seen.name(),
                                 " is being deleted with everything in it; the cluster is "
                                 "made anew when it is gone")};
}

std::optional<plan::Wait> StatefulSetLeaving(const Observed& seen) {
  const auto set = seen.Child(kube::kStatefulSets, kRestate);
  if (!set || !set->deleting()) return std::nullopt;
  return plan::Wait{Reason::kStatefulSetReplaced, absl::StrCat("StatefulSet ", set->key().ToString(),
                                                               " is being deleted; it is made anew when it is "
                                                               "gone")};
}

std::optional<plan::Wait> StatefulSetNotReady(const Observed& seen) {
  const auto set = seen.Child(kube::kStatefulSets, kRestate);
  const json::Value* status = seen.stateful_set.Find("status");
  if (!set || !status || status->IntAt({"observedGeneration"}) < set->generation()) {
    return plan::Wait{
        Reason::kStatefulSetNoStatus,
        absl::StrCat("StatefulSet was just created or changed and has no status yet; if that stays so, see kubectl "
                     "describe statefulset -n ",
                     seen.name(), " ", std::string(kRestate))};
  }
  const std::int64_t wanted = seen.replicas();
  if (const auto n = status->IntAt({"replicas"}); n != wanted) {
    return Counted(Reason::kStatefulSetScaling, seen, n, "replicas");
  }
  if (wanted == 0) {
    return plan::Wait{Reason::kScaledToZero, "spec.compute.replicas is 0: no node runs, and all data is kept"};
  }
  if (const auto n = status->IntAt({"readyReplicas"}); n != wanted) {
    return Counted(Reason::kStatefulSetPodNotReady, seen, n, "ready replicas");
  }
  // Left out while it is none.
  if (const auto n = status->IntAt({"updatedReplicas"});
      n != wanted && status->StringAt({"currentRevision"}) != status->StringAt({"updateRevision"})) {
    return Counted(Reason::kStatefulSetUpdating, seen, n, "replicas of the wanted revision");
  }
  return std::nullopt;
}

absl::Status CheckNamesFree(const Observed& seen) {
  for (const auto& [place, child] : seen.children) {
    if (seen.Owns(*child)) continue;
    const bool policy = place.first == kube::kNetworkPolicies;
    if (policy && place.second == kNetworkPolicyNames.back()) continue;  // nobody needs that name any more
    return MakeError(Reason::kNameTaken,
                     absl::StrCat(std::string(place.first.kind), " ", child->key().ToString(),
                                  " exists and is not controlled by this RestateCluster; it is left alone, and so is "
                                  "the rest. Rename or delete it"));
  }
  return absl::OkStatus();
}

}  // namespace restate::cluster
