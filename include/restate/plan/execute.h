// Execute: the only place with effects.
#pragma once

#include "restate/plan/plan.h"
#include "restate/plan/world.h"

namespace restate::plan {

// Carries out the steps in order and stops at the first that fails. Answers go into the cache, so that the next pass
// reads its own writes. `asker` is the key the pass is for.
Outcome Execute(const Plan& plan, const kube::Key& asker, const World& world);

}  // namespace restate::plan
