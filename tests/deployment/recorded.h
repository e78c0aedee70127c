// The recordings of the reference operator that this layer covers.
#pragma once

#include <vector>

#include "recorded/recorded.h"

namespace restate::deployment {

// RestateDeployments in ReplicaSet mode that register at a URL or a Service.
std::vector<Recording> Recordings();

}  // namespace restate::deployment
