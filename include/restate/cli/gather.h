// What a tree is made of, taken from lists or from caches.
#pragma once

#include <cstddef>
#include <limits>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "restate/cli/tree.h"
#include "restate/kube/client.h"
#include "restate/runtime/cache.h"

namespace restate::cli {

// Lists the RestateDeployments of a namespace (empty: of all), all RestateClusters and RestateCloudEnvironments. What
// may not be read is left out with a note; without RestateDeployments that is an error.
absl::StatusOr<Objects> ListObjects(kube::Client& client, const std::string& ns, std::stop_token stop);

// Where caches have them; one cache may be all three.
struct Caches {
  const runtime::Cache& deployments;  // with ReplicaSets, RestateDeployments
  const runtime::Cache& clusters;
  const runtime::Cache& environments;
};

// The same from caches, `limit` RestateDeployments at most, with a note about the others. What is not synced is taken
// for not to be seen.
Objects GatherObjects(const Caches& caches, std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace restate::cli
