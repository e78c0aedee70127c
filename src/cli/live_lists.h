// Lists of a live cluster, read once.
#pragma once

#include <stop_token>

#include "absl/status/status.h"
#include "restate/cli/stage.h"
#include "restate/kube/client.h"

namespace restate::cli {

// Fills the cache with what the operator would watch, as far as it concerns an object whose children are in `home`.
// Error: something that it would need cannot be listed; whoever asks may have fewer rights than the operator.
absl::Status ReadLists(const ListedKind& kind, const std::string& home, kube::Client& client, runtime::Cache& cache,
                       std::stop_token stop);

}  // namespace restate::cli
