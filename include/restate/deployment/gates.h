// Gates: named sentences that explain a wait. Each is nullopt when it is passed.
#pragma once

#include <optional>

#include "restate/deployment/observed.h"
#include "restate/plan/plan.h"

namespace restate::deployment {

// The RestateCluster to register with is missing or not Ready.
std::optional<plan::Wait> ClusterNotReady(const Observed& seen);
// The ReplicaSet has not exactly the wanted pods, all ready and available, at its present generation.
std::optional<plan::Wait> ReplicaSetNotReady(const Observed& seen, const Version& current);
// Zero pods are wanted, and a service without pods cannot be registered.
std::optional<plan::Wait> NothingToRegister(const Observed& seen, const Version& current);
// A Service or ReplicaSet of the wanted name is somebody else's.
std::optional<plan::Wait> ServiceNameTaken(const Observed& seen);
bool HashCollides(const Observed& seen);

}  // namespace restate::deployment
