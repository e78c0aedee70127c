// Events about a RestateCluster.
#pragma once

#include <string>

#include "restate/cluster/observed.h"
#include "restate/plan/step.h"

namespace restate::cluster {

plan::Announce Announce(const Observed& seen, std::string reason, std::string note);
// The same as a Warning.
kube::Event Warn(const Observed& seen, std::string reason, std::string note);

}  // namespace restate::cluster
