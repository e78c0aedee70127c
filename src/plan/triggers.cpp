#include "restate/plan/triggers.h"

#include <array>

namespace restate::plan {
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
  if (before.uid() != after.uid()) return true;
  if (before.resource_version() == after.resource_version()) return false;
  return before.generation() != after.generation() || before.deleting() != after.deleting() ||
         !SameMetadata(before, after);
}

std::optional<kube::Key> KeyOfChange(const runtime::Change& change) {
  const auto& object = change.after ? change.after : change.before;
  if (!object) return std::nullopt;
  if (change.before && change.after && !CallsForPass(*change.before, *change.after)) return std::nullopt;
  return object->key();
}

}  // namespace restate::plan
