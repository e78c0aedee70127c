// Gates: named sentences that explain a wait. Each is nullopt when it is passed.
#pragma once

#include <optional>

#include "restate/cluster/observed.h"
#include "restate/plan/plan.h"

namespace restate::cluster {

// The namespace is being deleted: nothing can be made in it.
std::optional<plan::Wait> NamespaceTerminating(const Observed& seen);
// The StatefulSet is on its way out; it is made again when it is gone.
std::optional<plan::Wait> StatefulSetLeaving(const Observed& seen);
// The StatefulSet has not exactly the wanted pods, all of the wanted revision and ready.
std::optional<plan::Wait> StatefulSetNotReady(const Observed& seen);

// An object of a name that the cluster needs is somebody else's: the error says which (kNameTaken).
absl::Status CheckNamesFree(const Observed& seen);

}  // namespace restate::cluster
