// Gates: named sentences that explain a wait. Each is nullopt when it is passed.
#pragma once

#include <optional>

#include "restate/cloud/observed.h"
#include "restate/plan/plan.h"

namespace restate::cloud {

// The Deployment is on its way out; it is made again when it is gone.
std::optional<plan::Wait> DeploymentLeaving(const Observed& seen);
// The Deployment was just made or changed: what its status says is of before. That is over in a moment.
bool IsSettling(const Observed& seen);
// The Deployment has not exactly the wanted pods, all of the wanted revision and ready.
std::optional<plan::Wait> TunnelNotReady(const Observed& seen);

}  // namespace restate::cloud
