// Operator: the composition root. Builds everything once, on one stack, in the order of dependence, and runs it.
#pragma once

#include <stop_token>

#include "absl/status/status.h"
#include "restate/app/settings.h"
#include "restate/kube/credentials.h"
#include "restate/plan/world.h"

namespace restate::app {

// What planners need to know of the settings, and of where the program runs.
plan::Config ConfigOf(const Settings& settings, const kube::Environment& environment);

// Runs until `stop` is asked, then ends within 5 s: no new work, running passes finish or are abandoned. Where
// operators take turns it stands by until it leads, and stands by again when somebody else does. Error: it could not
// start (no API server, a taken port, missing rights), or it could not keep its leadership; in one sentence that says
// what to do.
absl::Status RunOperator(const Settings& settings, const kube::Environment& environment, std::stop_token stop);

}  // namespace restate::app
