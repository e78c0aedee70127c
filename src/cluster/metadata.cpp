#include "restate/cluster/metadata.h"

namespace restate::cluster {
StringMap SelectorLabels(const Observed& seen) {
  return {{std::string(kNameLabel), std::string(kRestate)}, {std::string(kInstanceLabel), seen.name()}};
}

StringMap CommonLabels(const Observed& seen) {
  StringMap labels = SelectorLabels(seen);
  labels.merge(plan::Copied(seen.body.FindPath({"metadata", "labels"})));  // leaves what is there
  return labels;
}

StringMap CommonAnnotations(const Observed& seen) {
  return plan::Copied(seen.body.FindPath({"metadata", "annotations"}));
}

bool IsPrivilege(std::string_view label, std::string_view value) {
  return label == "pod-security.kubernetes.io/enforce" && value == "privileged";
}

json::Value SelectorOf(const Observed& seen) {
  return json::Obj({{"matchLabels", json::FromMap(SelectorLabels(seen))}});
}

json::Value ObjectFor(const Observed& seen, const kube::Resource& resource, std::string_view name,
                      const StringMap& annotations) {
  StringMap all = annotations;
  all.merge(CommonAnnotations(seen));
  return json::Obj(
      {{"apiVersion", resource.ApiVersion()},
       {"kind", resource.kind},
       {"metadata",
        json::Obj({{"name", name},
                   {"namespace", resource.namespaced ? json::Value(seen.name()) : json::Value()},
                   {"labels", json::FromMap(CommonLabels(seen))},
                   {"annotations", json::FromMap(all)},
                   {"ownerReferences", json::Arr({plan::ControllerReference(kRestateClusters, *seen.object)})}})}});
}

}  // namespace restate::cluster
