// Gates: named sentences that explain a wait. Each is nullopt when it is passed.
#pragma once

#include <optional>

#include "restate/deployment/observed.h"
#include "restate/plan/plan.h"

namespace restate::deployment {

// The RestateCluster to register with is missing or not Ready.
std::optional<plan::Wait> ClusterNotReady(const Observed& seen);
// A ReplicaSet has not exactly the wanted pods, all ready and available, at its present generation; a Configuration's
// Route does not lead to a Revision that is ready.
std::optional<plan::Wait> VersionNotReady(const Observed& seen, const Version& current);
// Zero pods are wanted, and a service without pods cannot be registered.
std::optional<plan::Wait> NothingToRegister(const Observed& seen, const Version& current);
// A Service, Route or Configuration of the wanted name is somebody else's (kNameTaken). Of a name with a hash in it,
// another one is tried instead (HashCollides).
std::optional<plan::Wait> NameTaken(const Observed& seen);
bool HashCollides(const Observed& seen);

}  // namespace restate::deployment
