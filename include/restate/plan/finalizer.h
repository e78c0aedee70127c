// Finalizers, added and removed by guarded JSON patches (client-rules F1): two writers cannot lose each other's entry.
#pragma once

#include <optional>
#include <string_view>

#include "restate/json/value.h"
#include "restate/kube/resource.h"
#include "restate/plan/step.h"

namespace restate::plan {

bool HasFinalizer(const json::Value& object, std::string_view finalizer);

// The step that adds it; nullopt when it is there, or when the object is being deleted (the server forbids it then).
std::optional<Patch> AddFinalizer(const kube::Resource& resource, const json::Value& object, std::string_view finalizer,
                                  std::string_view manager);
// The step that removes it; nullopt when it is not there. Foreign finalizers stay, wherever they stand.
std::optional<Patch> RemoveFinalizer(const kube::Resource& resource, const json::Value& object,
                                     std::string_view finalizer, std::string_view manager);

}  // namespace restate::plan
