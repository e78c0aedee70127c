// Triggers: which RestateCluster a change of something else is about, and whether it calls for a pass. Of its own
// changes, and of the namespace of its name: plan/triggers.h.
#pragma once

#include <optional>

#include "restate/kube/resource.h"
#include "restate/runtime/cache.h"

namespace restate::cluster {

// Objects in a cluster's namespace carry the cluster's name as a label, claims too. So that the removal of the label is
// noticed, what it was counts as well.
std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change);

}  // namespace restate::cluster
