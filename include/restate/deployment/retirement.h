// Retirement: how versions that get no new work leave. One logic for rollouts and for deletions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "restate/deployment/observed.h"
#include "restate/plan/plan.h"

namespace restate::deployment {

// A version with unfinished work.
struct Blocker {
  std::string version;
  std::string deployment_id;
  std::int64_t pinned = 0;
  std::int64_t unpinned = 0;
};

struct Retirement {
  std::vector<plan::Step> steps;
  std::vector<Blocker> blockers;               // that work holds
  std::vector<Blocker> abandoned;              // that go although they have work (Mode::kForce)
  std::optional<absl::Duration> next_removal;  // until the earliest removal that is scheduled
  absl::Status unanswered;                     // a Restate that older versions were registered with cannot be asked
  bool waits = false;                          // a look there is under way
  bool removes = false;                        // among the steps are some that the look alone justifies
};

// What Restate knows a version by. The recorded id counts even when Restate lists it with another uri; without a record
// (a crash between registration and its record) the uri tells.
struct Registered {
  std::string id;
  const admin::DeploymentUse* use = nullptr;  // null: Restate does not know the version, or nobody looked
  bool ours = false;                          // the uri is this version's: it may be deregistered
  const admin::Endpoint* endpoint = nullptr;  // of the Restate
  bool elsewhere = false;                     // not the wanted one: being the latest there means nothing
  const admin::Answer* unanswered = nullptr;  // that Restate may have work for it and gave no look

  std::int64_t pinned() const;
};
// Of several Restates the one that keeps the version counts: one with work, else one that does not answer.
Registered FindRegistered(const Observed& seen, const Version& version);

// Whether a version has to stay: because of unfinished work, or because it is the latest and nothing follows it.
bool InUse(const Observed& seen, const Registered& registered);

// What to do with every version but the wanted one (rollout), or with every version (deletion). Without a look at
// Restate nothing is done, for any doubt counts as in use; unless force was asked for and Restate stays away (`blind`).
// Pure.
Retirement Retire(const Observed& seen, bool blind = false);

// Takes what is registered for this object's versions that exist no more out of Restate. What has work stays, in
// `blockers`, unless force was asked for. Pure.
Retirement RetireLeftovers(const Observed& seen);

// "v1 (2 pinned, 1 unpinned invocations), v2 (...)"
std::string ListOf(const std::vector<Blocker>& blockers);

}  // namespace restate::deployment
