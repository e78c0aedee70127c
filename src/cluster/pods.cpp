// What the pods of a cluster say about themselves.
#include "absl/strings/str_cat.h"
#include "conditions.h"
#include "restate/cluster/observed.h"

namespace restate::cluster {
namespace {

// "container restate: CrashLoopBackOff: back-off 40s restarting"; empty: none of them waits.
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
                          Joined(reason, waiting->StringAt({"message"})));
    }
  }
  return {};
}

}  // namespace

bool Pod::ready() const {
  const json::Value* condition = ConditionIn(body, "Ready");
  return condition && condition->StringAt({"status"}) == "True" && !object->deleting();
}

std::string Pod::Trouble() const {
  if (object->deleting()) return "being deleted";
  if (ready()) return {};
  if (std::string waiting = WaitingContainer(body); !waiting.empty()) return waiting;
  const json::Value* scheduled = ConditionIn(body, "PodScheduled");
  const std::string_view phase = body.StringAt({"status", "phase"});
  if (scheduled && scheduled->StringAt({"status"}) == "False") return Joined(phase, scheduled->StringAt({"message"}));
  if (phase != "Running") return Joined(phase.empty() ? "Pending" : phase, body.StringAt({"status", "message"}));
  return "running, not ready yet";
}

}  // namespace restate::cluster
