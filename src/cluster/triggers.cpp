#include "restate/cluster/triggers.h"

#include "conditions.h"
#include "restate/cluster/observed.h"

namespace restate::cluster {
namespace {

std::string InstanceOf(const kube::ObjectPtr& object) {
  return object ? std::string(object->Body().StringAt({"metadata", "labels", kInstanceLabel})) : std::string();
}

// We take a canary away when it has failed, and another one is due in a while. Its pods go with it.
bool IsCanaryThatWent(const runtime::Change& change) {
  if (change.after) return false;
  const json::Value last = change.before->Body();
  const std::string_view name = last.StringAt({"metadata", "labels", kNameLabel});
  if (name != kPodIdentityCanary && name != kWorkloadIdentityCanary) return false;
  return last.StringAt({"kind"}) != kJobs.kind || IsTrue(last, "Failed");
}

}  // namespace

std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change) {
  if (IsCanaryThatWent(change)) return std::nullopt;
  std::string cluster = InstanceOf(change.after);
  if (cluster.empty()) cluster = InstanceOf(change.before);
  if (cluster.empty()) return std::nullopt;
  return kube::Key{"", std::move(cluster)};
}

}  // namespace restate::cluster
