#include "restate/cluster/metadata.h"

#include <algorithm>
#include <array>

namespace restate::cluster {
namespace {

// kubectl's memory of the RestateCluster, with whatever its author wrote into it, and the switch of our own that holds
// one object.
constexpr std::array<std::string_view, 2> kNotCopied = {"kubectl.kubernetes.io/last-applied-configuration",
                                                        kReconcileAnnotation};

json::Value OwnerReference(const Observed& seen) {
  return json::Obj({{"apiVersion", kRestateClusters.ApiVersion()},
                    {"kind", kRestateClusters.kind},
                    {"name", seen.name()},
                    {"uid", seen.object->uid()},
                    {"controller", true}});
}

}  // namespace

StringMap SelectorLabels(const Observed& seen) {
  return {{std::string(kNameLabel), std::string(kRestate)}, {std::string(kInstanceLabel), seen.name()}};
}

StringMap CommonLabels(const Observed& seen) {
  StringMap labels = SelectorLabels(seen);
  labels.merge(json::ToMap(seen.body.FindPath({"metadata", "labels"})));  // leaves what is there
  return labels;
}

StringMap CommonAnnotations(const Observed& seen) {
  StringMap annotations = json::ToMap(seen.body.FindPath({"metadata", "annotations"}));
  for (const std::string_view key : kNotCopied) annotations.erase(std::string(key));
  return annotations;
}

bool IsForeignToPods(std::string_view annotation) {
  return std::find(kNotCopied.begin(), kNotCopied.end(), annotation) != kNotCopied.end();
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
       {"metadata", json::Obj({{"name", name},
                               {"namespace", resource.namespaced ? json::Value(seen.name()) : json::Value()},
                               {"labels", json::FromMap(CommonLabels(seen))},
                               {"annotations", json::FromMap(all)},
                               {"ownerReferences", json::Arr({OwnerReference(seen)})}})}});
}

}  // namespace restate::cluster
