#include "restate/cluster/triggers.h"

#include <array>

#include "restate/cluster/observed.h"

namespace restate::cluster {
namespace {

bool SameMetadata(const kube::Object& before, const kube::Object& after) {
  const json::Value a = before.Body(), b = after.Body();
  for (const std::string_view field : std::array<std::string_view, 3>{"labels", "annotations", "finalizers"}) {
    const json::Value *x = a.FindPath({"metadata", field}), *y = b.FindPath({"metadata", field});
    if ((x ? *x : json::Value()) != (y ? *y : json::Value())) return false;
  }
  return true;
}

std::string InstanceOf(const kube::ObjectPtr& object) {
  return object ? std::string(object->Body().StringAt({"metadata", "labels", kInstanceLabel})) : std::string();
}

}  // namespace

bool CallsForPass(const kube::Object& before, const kube::Object& after) {
  return before.uid() != after.uid() || before.generation() != after.generation() ||
         before.deleting() != after.deleting() || !SameMetadata(before, after);
}

std::optional<kube::Key> KeyOfClusterChange(const runtime::Change& change) {
  const auto& object = change.after ? change.after : change.before;
  if (!object) return std::nullopt;
  if (change.before && change.after && !CallsForPass(*change.before, *change.after)) return std::nullopt;
  return object->key();
}

std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change) {
  std::string cluster = InstanceOf(change.after);
  if (cluster.empty()) cluster = InstanceOf(change.before);
  if (cluster.empty()) return std::nullopt;
  return kube::Key{"", std::move(cluster)};
}

std::optional<kube::Key> KeyOfNamespaceChange(const runtime::Change& change) {
  const auto& object = change.after ? change.after : change.before;
  if (!object) return std::nullopt;
  if (change.before && change.after && !CallsForPass(*change.before, *change.after)) return std::nullopt;
  return kube::Key{"", object->key().name};
}

}  // namespace restate::cluster
