// What the configuration of the servers says that the operator has to know.
#pragma once

#include "absl/status/status.h"
#include "restate/cluster/observed.h"

namespace restate::cluster {

// Where the operator provisions, the servers must not do it themselves: RESTATE_AUTO_PROVISION in spec.compute.env
// decides when it has a literal value, else `auto-provision` in spec.config. Error: kInvalidRestateConfig.
absl::Status CheckServersDoNotProvision(const Observed& seen);

}  // namespace restate::cluster
