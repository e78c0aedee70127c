// Triggers: which RestateCloudEnvironment a change of something else is about. Of its own changes: plan/triggers.h.
#pragma once

#include <optional>
#include <vector>

#include "restate/kube/resource.h"
#include "restate/runtime/cache.h"

namespace restate::cloud {

// A Deployment or Service, by its name.
std::optional<kube::Key> KeyOfTunnelChange(const runtime::Change& change);
// A pod, by its label.
std::optional<kube::Key> KeyOfPodChange(const runtime::Change& change);
// A Secret: everybody who names it.
std::vector<kube::Key> KeysOfSecretChange(const runtime::Change& change, const runtime::Cache& cache);

}  // namespace restate::cloud
