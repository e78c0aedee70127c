// Retirement: how versions that get no new work leave. One logic for rollouts and for deletions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "restate/deployment/observed.h"
#include "restate/plan/plan.h"

namespace restate::deployment {

// A version that unfinished work holds.
struct Blocker {
  std::string version;
  std::string deployment_id;
  std::int64_t pinned = 0;
  std::int64_t unpinned = 0;
};

struct Retirement {
  std::vector<plan::Step> steps;
  std::vector<Blocker> blockers;
  std::optional<absl::Duration> next_removal;  // until the earliest removal that is scheduled
  bool removes = false;                        // among the steps are some that the look alone justifies
};

// What to do with every version but the wanted one (rollout), or with every version (deletion). Without a look at
// Restate nothing is done: any doubt counts as in use. Pure.
Retirement Retire(const Observed& seen);

}  // namespace restate::deployment
