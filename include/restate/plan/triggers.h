// Triggers that every kind has: which change of an object itself calls for a pass.
#pragma once

#include <optional>

#include "restate/runtime/cache.h"

namespace restate::plan {

// Whether one state of an object calls for a pass after another: all but its status, which is our own writing.
bool CallsForPass(const kube::Object& before, const kube::Object& after);
// The key of an object that came, went, or changed so that it calls for a pass; nullopt: none of it.
std::optional<kube::Key> KeyOfChange(const runtime::Change& change);

}  // namespace restate::plan
