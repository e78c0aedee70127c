#include "restate/plan/finalizer.h"

#include "absl/strings/str_cat.h"

namespace restate::plan {
namespace {

const json::Array* FinalizersOf(const json::Value& object) {
  const json::Value* list = object.FindPath({"metadata", "finalizers"});
  return list ? list->array() : nullptr;
}

std::optional<std::size_t> IndexOf(const json::Value& object, std::string_view finalizer) {
  const json::Array* list = FinalizersOf(object);
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    const auto* name = (*list)[i].get<std::string>();
    if (name && *name == finalizer) return i;
  }
  return std::nullopt;
}

}  // namespace

bool HasFinalizer(const json::Value& object, std::string_view finalizer) {
  return IndexOf(object, finalizer).has_value();
}

std::optional<Patch> AddFinalizer(const kube::Resource& resource, const json::Value& object, std::string_view finalizer,
                                  std::string_view manager) {
  if (HasFinalizer(object, finalizer) || object.FindPath({"metadata", "deletionTimestamp"})) return std::nullopt;
  const json::Array* list = FinalizersOf(object);
  constexpr std::string_view kPath = "/metadata/finalizers";
  // The exact list is tested first: an entry that somebody added meanwhile fails the patch instead of being lost.
  json::Array operations;
  operations.push_back(json::Obj({{"op", "test"}, {"path", kPath}}));
  operations.back()["value"] = list && !list->empty() ? json::Value(*list) : json::Value();
  if (list && !list->empty()) {
    operations.push_back(
        json::Obj({{"op", "add"}, {"path", absl::StrCat(std::string(kPath), "/-")}, {"value", finalizer}}));
  } else {
    operations.push_back(json::Obj({{"op", "add"}, {"path", kPath}, {"value", json::Arr({finalizer})}}));
  }
  return Patch{resource, kube::KeyOf(object), std::move(operations), std::string(manager)};
}

std::optional<Patch> RemoveFinalizer(const kube::Resource& resource, const json::Value& object,
                                     std::string_view finalizer, std::string_view manager) {
  const auto index = IndexOf(object, finalizer);
  if (!index) return std::nullopt;
  const std::string path = absl::StrCat("/metadata/finalizers/", *index);
  return Patch{resource, kube::KeyOf(object),
               json::Arr({json::Obj({{"op", "test"}, {"path", path}, {"value", finalizer}}),
                          json::Obj({{"op", "remove"}, {"path", path}})}),
               std::string(manager)};
}

}  // namespace restate::plan
