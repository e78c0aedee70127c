// The objects of the version that is wanted.
#pragma once

#include "restate/deployment/deployment.h"

namespace restate::deployment {

// Plans what must exist before pods can be waited for. False: the rest depends on what these steps make, or `plan` says
// what is in the way.
bool MakeCurrentVersion(const Observed& seen, DeploymentPlan& plan);

}  // namespace restate::deployment
