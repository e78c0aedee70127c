// Volumes: how existing claims follow the spec. A StatefulSet's claim template cannot change: when it has to, the
// StatefulSet goes without its pods and is made again, and the pods stay as they are.
#pragma once

#include <optional>
#include <vector>

#include "restate/cluster/observed.h"
#include "restate/plan/plan.h"

namespace restate::cluster {

// Whether the live StatefulSet's claim template has another size or class than the spec; false without one.
bool ClaimTemplateDiffers(const Observed& seen);
// Whether it has a larger size.
bool ClaimTemplateShrinks(const Observed& seen);

// What brings the claims to the wanted size and attributes, for those that can be changed: the bound ones. A claim that
// is larger stays so. Often nothing.
std::vector<plan::Apply> GrowClaims(const Observed& seen);

// A claim has no volume yet. Those of pods that are not wanted do not matter.
std::optional<plan::Wait> ClaimNotBound(const Observed& seen);

}  // namespace restate::cluster
