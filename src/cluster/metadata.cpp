#include "restate/cluster/metadata.h"

#include <algorithm>
#include <array>

namespace restate::cluster {
namespace {

// kubectl's memory of the RestateCluster, with whatever its author wrote into it; the switch that holds one object; and
// what the operator notes on objects for itself.
constexpr std::array<std::string_view, 9> kOwnKeys = {"kubectl.kubernetes.io/last-applied-configuration",
                                                      kReconcileAnnotation,
                                                      "restate.dev/deployment",
                                                      "restate.dev/deployment-id",
                                                      "restate.dev/pod-template",
                                                      "restate.dev/registered-at",
                                                      "restate.dev/remove-version-at",
                                                      "restate.dev/tag",
                                                      "restate.dev/tunnel-name"};
// By these, tools know the objects they have made: they would take ours for such, and remove them as left over.
constexpr std::array<std::string_view, 5> kTrackingPrefixes = {"applyset.kubernetes.io/", "argocd.argoproj.io/",
                                                               "helm.toolkit.fluxcd.io/",
                                                               "kustomize.toolkit.fluxcd.io/", "meta.helm.sh/"};

StringMap Copied(const json::Value* own) {
  StringMap map = json::ToMap(own);
  std::erase_if(map, [](const auto& entry) { return IsOwnAlone(entry.first); });
  return map;
}

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
  labels.merge(Copied(seen.body.FindPath({"metadata", "labels"})));  // leaves what is there
  return labels;
}

StringMap CommonAnnotations(const Observed& seen) { return Copied(seen.body.FindPath({"metadata", "annotations"})); }

bool IsOwnAlone(std::string_view key) {
  return std::find(kOwnKeys.begin(), kOwnKeys.end(), key) != kOwnKeys.end() ||
         std::any_of(kTrackingPrefixes.begin(), kTrackingPrefixes.end(),
                     [&](std::string_view prefix) { return key.starts_with(prefix); });
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
       {"metadata", json::Obj({{"name", name},
                               {"namespace", resource.namespaced ? json::Value(seen.name()) : json::Value()},
                               {"labels", json::FromMap(CommonLabels(seen))},
                               {"annotations", json::FromMap(all)},
                               {"ownerReferences", json::Arr({OwnerReference(seen)})}})}});
}

}  // namespace restate::cluster
