// Look: what one SQL query over a Restate's system tables said about the use of every deployment there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "restate/base/clock.h"

namespace restate::admin {

struct DeploymentUse {
  std::string uri;
  bool latest = false;                          // of at least one service
  std::map<std::string, std::int64_t> pinned;   // invocations pinned to it and not completed, by status
  std::int64_t attempts = 0;                    // attempts in flight on it, pinned or not (overlaps with `pinned`)
  std::int64_t unpinned = 0;                    // not started work for a service whose latest deployment it is
  std::optional<absl::Time> oldest;             // creation of the oldest pinned invocation

  std::int64_t PinnedTotal() const;
  bool InUse() const { return PinnedTotal() > 0 || attempts > 0; }
};

struct Look {
  Clock::TimePoint started;                          // nothing that happened later can be missing unnoticed
  bool counts_unpinned = false;
  std::map<std::string, DeploymentUse> deployments;  // by deployment id
  std::map<std::string, std::string> latest;         // deployment id by service name
};

// The SQL: one statement without joins (they fail on several nodes), two scans of the invocation table at most.
std::string UsageSql(bool count_unpinned);

// Reads the answer's JSON text. Error (kAdminCallFailed): anything that is not exactly what UsageSql asks for.
absl::StatusOr<Look> ParseLook(std::string_view json, bool counts_unpinned, Clock::TimePoint started);

}  // namespace restate::admin
