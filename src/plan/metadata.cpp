#include "restate/plan/metadata.h"

#include <algorithm>
#include <array>

#include "restate/plan/names.h"

namespace restate::plan {
namespace {

// kubectl's memory of the object, with whatever its author wrote into it; the switch that holds one object; and
// what the operator notes on objects for itself.
constexpr std::array<std::string_view, 10> kOwnKeys = {"kubectl.kubernetes.io/last-applied-configuration",
                                                       kReconcileAnnotation,
                                                       kTokenDigestAnnotation,
                                                       "restate.dev/deployment",
                                                       "restate.dev/deployment-id",
                                                       "restate.dev/pod-template",
                                                       "restate.dev/registered-at",
                                                       "restate.dev/remove-version-at",
                                                       "restate.dev/tag",
                                                       "restate.dev/tunnel-name"};
// By these, tools know the objects they have made: they would take ours for such, and remove them as left over. And
// what Kubernetes notes on Deployments, which it would not let us set.
constexpr std::array<std::string_view, 6> kTrackingPrefixes = {
    "applyset.kubernetes.io/", "argocd.argoproj.io/",          "deployment.kubernetes.io/",
    "helm.toolkit.fluxcd.io/", "kustomize.toolkit.fluxcd.io/", "meta.helm.sh/"};

}  // namespace

bool IsOwnAlone(std::string_view key) {
  return std::find(kOwnKeys.begin(), kOwnKeys.end(), key) != kOwnKeys.end() ||
         std::any_of(kTrackingPrefixes.begin(), kTrackingPrefixes.end(),
                     [&](std::string_view prefix) { return key.starts_with(prefix); });
}

StringMap Copied(const json::Value* own) {
  StringMap map = json::ToMap(own);
  std::erase_if(map, [](const auto& entry) { return IsOwnAlone(entry.first); });
  return map;
}

json::Value ControllerReference(const kube::Resource& resource, const kube::Object& owner) {
  return json::Obj({{"apiVersion", resource.ApiVersion()},
                    {"kind", resource.kind},
                    {"name", owner.key().name},
                    {"uid", owner.uid()},
                    {"controller", true}});
}

}  // namespace restate::plan
