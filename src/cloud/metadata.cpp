#include "metadata.h"

namespace restate::cloud {

StringMap SelectorLabels(const Observed& seen) {
  return {{std::string(kNameLabel), std::string(kTunnelClient)}, {std::string(kInstanceLabel), seen.tunnel_name()}};
}

StringMap CommonLabels(const Observed& seen) {
  StringMap labels = SelectorLabels(seen);
  labels.merge(plan::Copied(seen.body.FindPath({"metadata", "labels"})));  // leaves what is there
  return labels;
}

StringMap CommonAnnotations(const Observed& seen) {
  return plan::Copied(seen.body.FindPath({"metadata", "annotations"}));
}

json::Value ObjectFor(const Observed& seen, const kube::Resource& resource) {
  return json::Obj({{"apiVersion", resource.ApiVersion()},
                    {"kind", resource.kind},
                    {"metadata", json::Obj({{"name", seen.tunnel_name()},
                                            {"namespace", seen.config.operator_namespace},
                                            {"labels", json::FromMap(CommonLabels(seen))},
                                            {"annotations", json::FromMap(CommonAnnotations(seen))},
                                            {"ownerReferences", json::Arr({plan::ControllerReference(
                                                                    kRestateCloudEnvironments, *seen.object)})}})}});
}

}  // namespace restate::cloud
