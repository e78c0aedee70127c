// Which pod template is applied. A change of it rolls all nodes: what another operator, or an earlier version of this
// one, made differently waits for a roll that somebody wants.
#include "restate/plan/pod_template.h"

#include "pod.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

constexpr std::string_view kEarlierKeyVariable = "RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE";

bool PodsStay(const Observed& seen, const json::Value& pods) { return plan::PodsStay(seen.stateful_set, pods); }

void Soften(json::Value& containers, std::string_view name) {
  if (!containers.array()) return;
  for (json::Value& container : *containers.array()) {
    if (container.StringAt({"name"}) != name) continue;
    container["securityContext"].Erase("capabilities");
    if (!container.Find("env")) continue;
    for (json::Value& variable : *container["env"].array()) {
      if (variable.StringAt({"name"}) == kKeyVariable) variable["name"] = kEarlierKeyVariable;
    }
  }
}

// As the reference made them before it satisfied the Pod Security Standard `restricted` (2.9).
json::Value AsBefore(json::Value pods) {
  json::Value& pod = pods["spec"];
  pod["securityContext"].Erase("runAsNonRoot");
  Soften(pod["containers"], kRestate);
  Soften(pod["initContainers"], kCombineCerts);
  return pods;
}

}  // namespace

json::Value PodTemplateToApply(const Observed& seen) {
  json::Value wanted = PodTemplateFor(seen);
  if (seen.stateful_set.is_null() || PodsStay(seen, wanted)) return wanted;
  json::Value kept = plan::WithForeignMetadata(seen.stateful_set, wanted);
  if (PodsStay(seen, kept)) return kept;
  kept = AsBefore(std::move(kept));
  return PodsStay(seen, kept) ? kept : wanted;
}

bool KeepsEarlierPods(const Observed& seen) {
  if (seen.stateful_set.is_null()) return false;
  const json::Value pods = PodTemplateToApply(seen);
  return !pods.FindPath({"spec", "securityContext", "runAsNonRoot"});
}

}  // namespace restate::cluster
