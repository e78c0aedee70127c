// Triggers: which RestateDeployment a change is about, and whether it calls for a pass.
#pragma once

#include <optional>

#include "restate/kube/resource.h"
#include "restate/runtime/cache.h"

namespace restate::deployment {

// Whether one state of a RestateDeployment calls for a pass after another: all but its status, which is our own
// writing.
bool CallsForPass(const kube::Object& before, const kube::Object& after);
// nullopt: no pass. A change of a RestateDeployment's status is our own writing.
std::optional<kube::Key> KeyOfDeploymentChange(const runtime::Change& change);
// ReplicaSets and Services carry the name of their RestateDeployment as a label.
std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change);

}  // namespace restate::deployment
