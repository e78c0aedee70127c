#include "restate/deployment/triggers.h"

#include <array>

#include "restate/deployment/observed.h"

namespace restate::deployment {
namespace {

bool SameMetadata(const kube::Object& before, const kube::Object& after) {
  const json::Value a = before.Body(), b = after.Body();
  for (const std::string_view field : std::array<std::string_view, 3>{"labels", "annotations", "finalizers"}) {
    const json::Value *x = a.FindPath({"metadata", field}), *y = b.FindPath({"metadata", field});
    if ((x ? *x : json::Value()) != (y ? *y : json::Value())) return false;
  }
  return true;
}

}  // namespace

bool CallsForPass(const kube::Object& before, const kube::Object& after) {
  return before.uid() != after.uid() || before.generation() != after.generation() ||
         before.deleting() != after.deleting() || !SameMetadata(before, after);
}

std::optional<kube::Key> KeyOfDeploymentChange(const runtime::Change& change) {
  const auto& object = change.after ? change.after : change.before;
  if (!object) return std::nullopt;
  if (change.before && change.after && !CallsForPass(*change.before, *change.after)) return std::nullopt;
  return object->key();
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
