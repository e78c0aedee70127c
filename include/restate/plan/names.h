// Names that concern more than one kind. They are the reference's, so that a swap of operators finds its objects.
#pragma once

#include <string_view>

#include "restate/crd/kinds.h"
#include "restate/kube/resource.h"

namespace restate::plan {

constexpr kube::Resource ResourceOf(const crd::Kind& kind) {
  return {crd::kGroup, kind.version, kind.kind, kind.plural, kind.namespaced};
}
inline constexpr kube::Resource kRestateDeployments = ResourceOf(crd::kRestateDeployment);
inline constexpr kube::Resource kRestateClusters = ResourceOf(crd::kRestateCluster);
inline constexpr kube::Resource kRestateCloudEnvironments = ResourceOf(crd::kRestateCloudEnvironment);

// Annotation; "disabled" holds the operator off the object.
inline constexpr std::string_view kReconcileAnnotation = "restate.dev/reconcile";
// Annotation: the first digits of the SHA-256 of the token that pods began with.
inline constexpr std::string_view kTokenDigestAnnotation = "restate.dev/bearer-token-digest";
// Label prefix; then the name of a RestateCluster, whose nodes the pod lets in.
inline constexpr std::string_view kAllowLabel = "allow.restate.dev/";

}  // namespace restate::plan
