#include "gates.h"

#include "absl/strings/str_cat.h"
#include "restate/plan/conditions.h"
#include "restate/plan/pods.h"

namespace restate::cloud {
namespace {

// Why there is no pod, or what the pods say; empty: nothing.
std::string Troubles(const Observed& seen) {
  if (plan::IsTrue(seen.live, "ReplicaFailure")) return plan::WordsOf(seen.live, "ReplicaFailure");
  std::vector<std::string> texts;
  for (const Pod& pod : seen.pods) {
    const std::string trouble = plan::TroubleOfPod(*pod.object, pod.body);
    if (!trouble.empty()) texts.push_back(absl::StrCat(pod.object->key().name, " (", trouble, ")"));
  }
  return plan::SomeTroubles(std::move(texts));
}

plan::Wait Counted(const Observed& seen, std::int64_t actual, std::string_view what) {
  const std::string troubles = Troubles(seen);
  return {Reason::kTunnelPodsNotReady,
          absl::StrCat("The tunnel has ", actual, " ", std::string(what), " instead of the expected ", seen.replicas(),
                       troubles.empty() ? "" : ": ", troubles)};
}

}  // namespace

std::optional<plan::Wait> DeploymentLeaving(const Observed& seen) {
  if (!seen.deployment || !seen.deployment->deleting()) return std::nullopt;
  return plan::Wait{Reason::kTunnelPodsNotReady, absl::StrCat("Deployment ", seen.deployment->key().ToString(),
                                                              " is being deleted; it is made anew when it is gone")};
}

bool IsSettling(const Observed& seen) {
  return !seen.deployment || seen.live.IntAt({"status", "observedGeneration"}) < seen.deployment->generation();
}

std::optional<plan::Wait> TunnelNotReady(const Observed& seen) {
  if (IsSettling(seen)) {
    return plan::Wait{Reason::kTunnelPodsNotReady, "The tunnel's Deployment was just created or changed"};
  }
  const json::Value* status = seen.live.Find("status");
  const std::int64_t wanted = seen.replicas();
  if (const auto n = status->IntAt({"updatedReplicas"}); n != wanted) return Counted(seen, n, "pods of this revision");
  if (const auto n = status->IntAt({"replicas"}); n != wanted) return Counted(seen, n, "pods, old ones among them,");
  if (const auto n = status->IntAt({"readyReplicas"}); n != wanted) return Counted(seen, n, "ready pods");
  return std::nullopt;
}

}  // namespace restate::cloud
