// Which pod template is applied. A change of it rolls all nodes: what another operator, or an earlier version of this
// one, made differently waits for a roll that somebody wants.
#include "pod.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"
#include "restate/kube/applier.h"

namespace restate::cluster {
namespace {

using json::Obj;

constexpr std::string_view kEarlierKeyVariable = "RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE";

// Whether an apply with these pods would leave the pod template as it is, whatever it did to the rest.
bool PodsStay(const Observed& seen, const json::Value& pods) {
  json::Value live = seen.stateful_set;
  if (json::Array* entries = live["metadata"]["managedFields"].array()) {
    for (json::Value& entry : *entries) {
      const json::Value* owned = entry.FindPath({"fieldsV1", "f:spec", "f:template"});
      entry["fieldsV1"] = owned ? Obj({{"f:spec", Obj({{"f:template", *owned}})}}) : json::Value();
    }
  }
  const json::Value wanted =
      Obj({{"apiVersion", kube::kStatefulSets.ApiVersion()}, {"spec", Obj({{"template", pods}})}});
  return kube::IsNoOpApply(wanted, live, kManager);
}

// With the labels and annotations that another operator copied into the pods.
json::Value WithForeignMetadata(const Observed& seen, json::Value pods) {
  for (const std::string_view field : {"labels", "annotations"}) {
    for (const auto& [key, value] : json::ToMap(seen.stateful_set.FindPath({"spec", "template", "metadata", field}))) {
      if (IsOwnAlone(key)) pods["metadata"][field][key] = value;
    }
  }
  return pods;
}

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
  json::Value kept = WithForeignMetadata(seen, wanted);
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
