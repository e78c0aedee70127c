// The ConfigMaps of earlier configurations.
#pragma once

#include <vector>

#include "restate/cluster/cluster.h"
#include "restate/runtime/cache.h"

namespace restate::cluster {

// Those that no pod of the namespace and no revision of the StatefulSet refers to. None where that is not known.
std::vector<kube::ObjectPtr> UnusedConfigs(const Observed& seen, const runtime::Cache& cache);

// Removes them, once every node runs with the wanted configuration.
void RetireConfigs(const Observed& seen, ClusterPlan& plan);

}  // namespace restate::cluster
