// The kinds that the operator reconciles: what is watched for each, and whom a change concerns.
#pragma once

#include "restate/app/kind_controller.h"

namespace restate::app {

// `queue` is the kind's own.
KindSetup RestateDeployments(State& state, const runtime::WorkQueue& queue);
// `ns`: the only namespace to watch; a cluster lives in that of its name. Empty: all.
KindSetup RestateClusters(const State& state, const std::string& ns);
// Its objects and its Secrets are in the operator's namespace: that is the one to watch, whichever else is.
KindSetup RestateCloudEnvironments();

}  // namespace restate::app
