// The recordings of the reference operator that this layer covers.
#pragma once

#include <vector>

#include "recorded/recorded.h"

namespace restate::deployment {

// RestateDeployments in ReplicaSet mode that register at a URL or a Service.
std::vector<Recording> Recordings();

// Those that register with Restate Cloud. It could not be reached when they were recorded: they have no id, and their
// status says so.
std::vector<Recording> CloudRecordings();

}  // namespace restate::deployment
