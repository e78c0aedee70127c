#include "restate/deployment/triggers.h"

#include "restate/deployment/observed.h"
#include "restate/plan/finalizer.h"
#include "restate/plan/triggers.h"
#include "restate/plan/verdict.h"

namespace restate::deployment {
namespace {

// The RestateDeployment that a label or an annotation names.
std::optional<kube::Key> KeyNamedIn(const runtime::Change& change, std::string_view member, std::string_view key) {
  const auto& object = change.after ? change.after : change.before;
  if (!object) return std::nullopt;
  const json::Value body = object->Body();
  const std::string_view owner = body.StringAt({"metadata", member, key});
  if (owner.empty()) return std::nullopt;
  return kube::Key{object->key().ns, std::string(owner)};
}

}  // namespace

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

namespace {

// The objects whose spec.restate.register names this environment.
void AddRegisteredWith(std::string_view environment, const runtime::Cache& cache, std::vector<kube::Key>* keys) {
  for (const kube::ObjectPtr& object : cache.List(kRestateDeployments)) {
    const json::Value body = object->Body();
    if (body.StringAt({"spec", "restate", "register", "cloud"}) == environment) keys->push_back(object->key());
  }
}

}  // namespace

// Its status and its labels mean nothing here.
std::vector<kube::Key> KeysOfCloudChange(const runtime::Change& change, const runtime::Cache& cache) {
  const auto& environment = change.after ? change.after : change.before;
  if (!environment) return {};
  if (change.before && change.after && change.before->generation() == change.after->generation()) return {};
  std::vector<kube::Key> keys;
  AddRegisteredWith(environment->key().name, cache, &keys);
  return keys;
}

std::vector<kube::Key> KeysOfSecretChange(const runtime::Change& change, const runtime::Cache& cache) {
  const auto& secret = change.after ? change.after : change.before;
  std::vector<kube::Key> keys;
  if (!secret) return keys;
  for (const Cloud& cloud : CloudsIn(cache)) {
    if (cloud.secret.name == secret->key().name) AddRegisteredWith(cloud.name, cache, &keys);
  }
  return keys;
}

bool WasTakenAway(const runtime::Change& change) {
  return !change.after && change.before && plan::HasFinalizer(change.before->Body(), crd::kRestateDeployment.finalizer);
}

std::optional<kube::Key> KeyOfKnativeChange(const runtime::Change& change) {
  return KeyNamedIn(change, "annotations", kDeploymentAnnotation);
}

std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change) {
  return KeyNamedIn(change, "labels", kOwnedByLabel);
}

}  // namespace restate::deployment
