// Provisioning: making the nodes one cluster, once; and how that cluster is by its own account. Only where
// spec.cluster.autoProvision is set, which is also what opens the nodes' port to the operator.
#pragma once

#include <optional>
#include <string>

#include "restate/admin/nodes.h"
#include "restate/cluster/cluster.h"

namespace restate::cluster {

bool Provisions(const Observed& seen);
// host:port of a node's own API.
std::string NodeAddress(const Observed& seen, std::int64_t ordinal);

// What the decision needs to know of the nodes; nullopt: nothing.
std::optional<admin::WantedNodes> NodesNeeded(const Observed& seen);

// Provisions node 0, and no other ever, when all nodes that answer say that nobody has. Where one says that it belongs
// to a cluster already, that is all there is to it. Until then the plan waits.
void Provision(const Observed& seen, ClusterPlan& plan);

// A node or a partition is not as it should be, as a node says. What no node answers to is no wait: somebody may keep
// the operator from asking.
std::optional<plan::Wait> NodesNotHealthy(const Observed& seen);

}  // namespace restate::cluster
