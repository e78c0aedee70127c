#include "restate/deployment/triggers.h"

#include "restate/deployment/observed.h"
#include "restate/plan/finalizer.h"
#include "restate/plan/triggers.h"
#include "restate/plan/verdict.h"

namespace restate::deployment {
// An autoscaler's status changes every 15 s.
std::optional<kube::Key> KeyOfSpecChange(const runtime::Change& change) {
  if (change.before && change.after && !plan::CallsForPass(*change.before, *change.after)) return std::nullopt;
  return KeyOfChildChange(change);
}

std::vector<kube::Key> KeysOfClusterChange(const runtime::Change& change, const runtime::Cache& cache) {
  const auto ready = [](const kube::ObjectPtr& object) { return object && plan::IsReady(*object); };
  const auto& cluster = change.after ? change.after : change.before;
  if (!cluster || (change.before && change.after && ready(change.before) == ready(change.after))) return {};
  std::vector<kube::Key> keys;
  for (const kube::ObjectPtr& object : cache.List(kRestateDeployments)) {
    const json::Value body = object->Body();
    if (body.StringAt({"spec", "restate", "register", "cluster"}) == cluster->key().name) keys.push_back(object->key());
  }
  return keys;
}

bool WasTakenAway(const runtime::Change& change) {
  return !change.after && change.before && plan::HasFinalizer(change.before->Body(), crd::kRestateDeployment.finalizer);
}

std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change) {
  const auto& object = change.after ? change.after : change.before;
  if (!object) return std::nullopt;
  const json::Value body = object->Body();
  const std::string_view owner = body.StringAt({"metadata", "labels", kOwnedByLabel});
  if (owner.empty()) return std::nullopt;
  return kube::Key{object->key().ns, std::string(owner)};
}

}  // namespace restate::deployment
