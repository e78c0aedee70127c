// What the status says of each version.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "restate/crd/restate_deployment_status.h"
#include "restate/deployment/observed.h"

namespace restate::deployment {

// The wanted version first, then the newest ones, crd::kVersionsShown at most. A version that nobody could look at
// keeps what was said of it. Pure.
std::vector<crd::VersionStatus> VersionStatuses(const Observed& seen);

// The same for metrics, read from a stored object: versions by phase, and the invocations pinned to them.
struct VersionCounts {
  std::map<std::string, int> by_phase;
  std::int64_t invocations = 0;
};
VersionCounts CountVersions(const json::Value& object);

}  // namespace restate::deployment
