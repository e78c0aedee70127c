// Plan: what a planner decided: the effects, and why and until when the object waits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "restate/base/clock.h"
#include "restate/base/error.h"
#include "restate/plan/step.h"

namespace restate::plan {

// Why the object is not (yet) where it should be, in words that say what is waited for.
struct Wait {
  Reason reason = Reason::kDeployed;
  std::string message;
};

struct Plan {
  std::vector<Step> steps;
  std::optional<Wait> wait;                  // nullopt: everything is as it should be
  std::optional<absl::Duration> look_again;  // no later than this
  std::optional<Clock::TimePoint> expires;   // no step begins later: what they were decided on is too old then
  bool again = false;                        // what the steps change, the next decision depends on: pass again at once
  absl::Status failure;                      // the pass counts as failed for this; the steps are executed all the same

  // Waits add up to the earliest date.
  void LookAgainIn(absl::Duration wait_for);
};

// What came of a plan's steps.
struct Outcome {
  std::size_t done = 0;  // steps that were carried out
  absl::Status error;    // of the first that failed; the rest was not tried (but see Apply::others_go_on)
  std::optional<admin::Registration> registration;
  bool provisioned = false;          // the cluster is, by a step of this plan or by one before it
  bool changed = false;              // at least one request was sent
  std::vector<kube::Event> refused;  // what was told of steps that the object does without (Apply::if_refused)
};

}  // namespace restate::plan
