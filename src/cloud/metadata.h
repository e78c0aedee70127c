// What the objects of a tunnel have in common.
#pragma once

#include "restate/cloud/objects.h"

namespace restate::cloud {

// An object of the tunnel's name in the operator's namespace, which goes with the RestateCloudEnvironment.
json::Value ObjectFor(const Observed& seen, const kube::Resource& resource);

}  // namespace restate::cloud
