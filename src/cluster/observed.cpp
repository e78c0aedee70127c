#include "restate/cluster/observed.h"

namespace restate::cluster {

bool Observed::suspended() const {
  return !deleting() && body.StringAt({"metadata", "annotations", kReconcileAnnotation}) == "disabled";
}

kube::ObjectPtr Observed::Child(const kube::Resource& resource, std::string_view child_name) const {
  const auto found = children.find({resource, std::string(child_name)});
  return found == children.end() ? nullptr : found->second;
}

std::int64_t Observed::replicas() const {
  if (spec.compute.replicas) return *spec.compute.replicas;
  return stateful_set.IntAt({"spec", "replicas"}, 1);
}

const crd::ClusterSecurity& Observed::security() const {
  static const crd::ClusterSecurity kNone;
  return spec.security ? *spec.security : kNone;
}

}  // namespace restate::cluster
