#include "subject_change.h"

#include "made_up.h"
#include "restate/json/text.h"

namespace restate::cli {
namespace {

using json::Value;

constexpr std::string_view kKubectl = "kubectl";
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

absl::StatusOr<Value> Applied(const Value& live, const Subject& subject, kube::Client& client, std::stop_token stop) {
  const auto last = json::Parse(live.StringAt({"metadata", "annotations", kLastApplied}));
  const std::string applier = ApplierOf(live);
  if (last.ok() && last->is_object() && applier == kKubectl) {
    return client.Patch(subject.resource, subject.key, kube::PatchType::kMerge, PatchSince(*last, subject.written),
                        kKubectl, "", std::move(stop));
  }
  return client.Apply(subject.resource, subject.written, {.manager = applier}, std::move(stop));
}

}  // namespace

Value PatchSince(const Value& last, const Value& wanted) {
  Value patch = wanted;
  if (!last.is_object() || !wanted.is_object()) return patch;
  for (const auto& [key, earlier] : *last.object()) {
    const Value* now = wanted.Find(key);
    patch[key] = now ? PatchSince(earlier, *now) : Value();
  }
  return patch;
}

std::string ApplierOf(const Value& live) {
  const Value* entries = live.FindPath({"metadata", "managedFields"});
  if (!entries || !entries->array()) return std::string(kKubectl);
  for (const Value& entry : *entries->array()) {
    const bool of_spec = entry.FindPath({"fieldsV1", "f:spec"}) && entry.StringAt({"subresource"}).empty();
    if (of_spec && entry.StringAt({"operation"}) == "Apply") return std::string(entry.StringAt({"manager"}));
  }
  return std::string(kKubectl);
}

absl::StatusOr<ObjectChange> ChangeOf(const Subject& subject, const NewNamespaces& new_namespaces, kube::Client& client,
                                      std::stop_token stop) {
  if (new_namespaces.contains(subject.key.ns)) {
    return ObjectChange{subject.resource, subject.key, {}, AsLive(subject.body, subject.resource, 1)};
  }
  auto live = client.Get(subject.resource, subject.key, stop);
  if (!live.ok() && !kube::IsNotFound(live.status())) return live.status();
  auto after = live.ok() ? Applied(*live, subject, client, stop)
                         : client.Create(subject.resource, subject.written, kKubectl, stop);
  if (!after.ok()) return after.status();
  return ObjectChange{subject.resource, subject.key, live.ok() ? *std::move(live) : Value(), *std::move(after)};
}

}  // namespace restate::cli
