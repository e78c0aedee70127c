// Events about a RestateDeployment.
#pragma once

#include <string>

#include "restate/deployment/observed.h"
#include "restate/plan/step.h"

namespace restate::deployment {

plan::Announce Announce(const Observed& seen, std::string reason, std::string note);
// The same as a Warning.
kube::Event Warn(const Observed& seen, std::string reason, std::string note);

// The Warning that goes with a failure.
kube::Event FailureEvent(const Observed& seen, Reason reason, std::string_view message);

}  // namespace restate::deployment
