// Events about a RestateCluster.
#pragma once

#include <string>

#include "restate/cluster/observed.h"
#include "restate/kube/events.h"

namespace restate::cluster {

kube::Event EventAbout(const Observed& seen, bool warning, std::string_view reason, std::string note);

}  // namespace restate::cluster
