// Triggers: which RestateCluster a change is about, and whether it calls for a pass.
#pragma once

#include <optional>

#include "restate/kube/resource.h"
#include "restate/runtime/cache.h"

namespace restate::cluster {

// Whether one state of a RestateCluster calls for a pass after another: all but its status, which is our own writing.
bool CallsForPass(const kube::Object& before, const kube::Object& after);
// nullopt: no pass.
std::optional<kube::Key> KeyOfClusterChange(const runtime::Change& change);
// Objects in a cluster's namespace carry the cluster's name as a label, claims too. So that the removal of the label is
// noticed, what it was counts as well.
std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change);
// A namespace concerns the cluster of its name.
std::optional<kube::Key> KeyOfNamespaceChange(const runtime::Change& change);

}  // namespace restate::cluster
