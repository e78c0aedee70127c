#include "restate/cluster/triggers.h"

#include "restate/cluster/observed.h"

namespace restate::cluster {
namespace {

std::string InstanceOf(const kube::ObjectPtr& object) {
  return object ? std::string(object->Body().StringAt({"metadata", "labels", kInstanceLabel})) : std::string();
}

}  // namespace

std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change) {
  std::string cluster = InstanceOf(change.after);
  if (cluster.empty()) cluster = InstanceOf(change.before);
  if (cluster.empty()) return std::nullopt;
  return kube::Key{"", std::move(cluster)};
}

}  // namespace restate::cluster
