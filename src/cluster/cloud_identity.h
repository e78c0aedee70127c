// Which identity the pods have at their cloud.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "restate/cluster/cluster.h"

namespace restate::cluster {

// The project of a Google service account, name@PROJECT.iam.gserviceaccount.com; nullopt: of another shape.
std::optional<std::string> ProjectOf(std::string_view email);

// Whether the policy is there as the spec wants it: pods that are made now get its groups.
bool SecurityGroupsStand(const Observed& seen);

// Makes what binds the ServiceAccount to its identities, or removes it where none is wanted. Until an identity has
// arrived in a pod, the plan waits: restate-server would start without it.
void MakeIdentities(const Observed& seen, ClusterPlan& plan);

}  // namespace restate::cluster
