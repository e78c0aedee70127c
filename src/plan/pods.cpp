#include "restate/plan/pods.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "restate/plan/conditions.h"

namespace restate::plan {
namespace {

constexpr std::size_t kPodsNamed = 3;

// How a container ended last: ", after exit code 137 (OOMKilled)"; empty: it has not begun before.
std::string LastEnd(const json::Value& status) {
  const json::Value* end = status.FindPath({"lastState", "terminated"});
  if (!end) return {};
  return absl::StrCat(", after exit code ", end->IntAt({"exitCode"}), " (", std::string(end->StringAt({"reason"})),
                      ")");
}

// "container restate: CrashLoopBackOff: back-off 40s restarting, after exit code 1 (Error)"; empty: none of them waits.
std::string WaitingContainer(const json::Value& pod) {
  for (const std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    const json::Value* statuses = pod.FindPath({"status", list});
    if (!statuses || !statuses->array()) continue;
    for (const json::Value& status : *statuses->array()) {
      const json::Value* waiting = status.FindPath({"state", "waiting"});
      const std::string_view reason = waiting ? waiting->StringAt({"reason"}) : std::string_view();
      // Its turn has not come; another one says why.
      if (reason.empty() || reason == "PodInitializing") continue;
      return absl::StrCat("container ", std::string(status.StringAt({"name"})), ": ",
                          Joined(reason, waiting->StringAt({"message"})), LastEnd(status));
    }
  }
  return {};
}

}  // namespace

bool IsReadyPod(const kube::Object& pod, const json::Value& body) { return !pod.deleting() && IsTrue(body, "Ready"); }

std::string TroubleOfPod(const kube::Object& pod, const json::Value& body) {
  if (pod.deleting()) return "being deleted";
  if (IsReadyPod(pod, body)) return {};
  if (std::string waiting = WaitingContainer(body); !waiting.empty()) return waiting;
  const json::Value* scheduled = ConditionIn(body, "PodScheduled");
  const std::string_view phase = body.StringAt({"status", "phase"});
  if (scheduled && scheduled->StringAt({"status"}) == "False") return Joined(phase, scheduled->StringAt({"message"}));
  if (phase != "Running") return Joined(phase.empty() ? "Pending" : phase, body.StringAt({"status", "message"}));
  return "running, not ready yet";
}

std::string SomeTroubles(std::vector<std::string> troubles) {
  const std::size_t more = troubles.size() > kPodsNamed ? troubles.size() - kPodsNamed : 0;
  troubles.resize(troubles.size() - more);
  return absl::StrCat(absl::StrJoin(troubles, ", "), more > 0 ? absl::StrCat(" and ", more, " more") : std::string());
}

}  // namespace restate::plan
