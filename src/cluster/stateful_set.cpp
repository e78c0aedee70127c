#include "absl/strings/str_cat.h"
#include "pod.h"
#include "restate/cluster/objects.h"
#include "restate/kube/applier.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

json::Value LiveClaimSpec(const Observed& seen) {
  const json::Value* templates = seen.stateful_set.FindPath({"spec", "volumeClaimTemplates"});
  if (!templates || !templates->array()) return {};
  for (const json::Value& claim : *templates->array()) {
    if (claim.StringAt({"metadata", "name"}) == kStorage) return *claim.Find("spec");
  }
  return {};
}

}  // namespace

json::Value ClaimTemplateFor(const Observed& seen) {
  const crd::ClusterStorage& storage = seen.spec.storage;
  return Obj({{"metadata", Obj({{"name", kStorage}, {"labels", json::FromMap(SelectorLabels(seen))}})},
              {"spec", Obj({{"accessModes", Arr({"ReadWriteOnce"})},
                            {"storageClassName", storage.storage_class_name},
                            {"volumeAttributesClassName", storage.volume_attributes_class_name},
                            {"resources",
                             Obj({{"requests", Obj({{"storage", absl::StrCat(storage.storage_request_bytes)}})}})}})}});
}

json::Value LiveClaimTemplateFor(const Observed& seen) {
  json::Value claim = ClaimTemplateFor(seen);
  const json::Value live = LiveClaimSpec(seen);
  if (live.is_null()) return claim;
  json::Value& spec = claim["spec"];
  for (const std::string_view field : {"storageClassName", "volumeAttributesClassName", "resources"}) {
    const json::Value* value = live.Find(field);
    if (value) {
      spec[field] = *value;
    } else {
      spec.Erase(field);
    }
  }
  return claim;
}

json::Value StatefulSetFor(const Observed& seen, json::Value claim_template) {
  json::Value set = ObjectFor(seen, kube::kStatefulSets, kRestate);
  set["spec"] = Obj({{"replicas", seen.spec.compute.replicas},
                     {"serviceName", kNodeService},
                     {"podManagementPolicy", "Parallel"},
                     {"selector", SelectorOf(seen)},
                     {"template", PodTemplateToApply(seen)},
                     {"volumeClaimTemplates", Arr({std::move(claim_template)})}});
  return set;
}

}  // namespace restate::cluster
