#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/spec_check.h"
#include "restate/plan/finalizer.h"

namespace restate::deployment {
namespace {

constexpr absl::Duration kShortestLook = absl::Seconds(1);
constexpr std::int64_t kLongestTimeout = std::int64_t{10} * 365 * 24 * 3600;  // 10 years: dates stay within four digits

std::string ListOf(const std::vector<Blocker>& blockers) {
  return absl::StrJoin(blockers, ", ", [](std::string* out, const Blocker& b) {
    absl::StrAppend(out, b.version, " (", b.pinned, " pinned, ", b.unpinned, " unpinned invocations)");
  });
}

crd::DeletionStatus StatusOfDeletion(const Observed& seen) {
  crd::DeletionStatus status{};
  status.policy = crd::DeletePolicy::kDrain;
  status.phase = crd::DeletionPhase::kDraining;
  absl::Time started;
  std::string unused;
  if (absl::ParseTime(absl::RFC3339_full, std::string(seen.body.StringAt({"metadata", "deletionTimestamp"})), &started,
                      &unused)) {
    const auto& drain = seen.spec.restate.drain;
    const std::int64_t timeout = std::clamp<std::int64_t>(
        drain && drain->timeout_seconds ? *drain->timeout_seconds : crd::kDefaultDrainTimeoutSeconds, 0,
        kLongestTimeout);
    status.started_at = started;
    status.deadline = started + absl::Seconds(timeout);
  }
  status.on_timeout = crd::OnTimeout::kHold;
  return status;
}

void SayWhatBlocks(const Observed& seen, DeploymentPlan& plan) {
  crd::DeletionStatus status = StatusOfDeletion(seen);
  std::vector<crd::PendingInvocations> pending;
  for (const Blocker& b : plan.blockers) {
    pending.push_back({b.version, b.deployment_id, b.pinned, b.unpinned});
    status.total_pending_invocations += b.pinned + b.unpinned;
  }
  status.pending_invocations = std::move(pending);
  const bool overdue = status.deadline && *status.deadline <= seen.now;
  if (overdue) status.phase = crd::DeletionPhase::kOverdue;
  status.message = overdue
                       ? absl::StrCat("Still waiting on ", ListOf(plan.blockers), " after the ",
                                      absl::ToInt64Seconds(*status.deadline - *status.started_at), "s drain timeout")
                       : absl::StrCat("Waiting for in-flight invocations against ", ListOf(plan.blockers));
  plan.wait =
      plan::Wait{Reason::kDeploymentInUse,
                 absl::StrCat(*status.message, ". To end the wait, cancel or kill them (restate invocations list)")};
  plan.deletion = std::move(status);
  plan.LookAgainIn(kDrainLook);
}

void SayWhenRemoved(const Observed& seen, absl::Duration next_removal, DeploymentPlan& plan) {
  crd::DeletionStatus status = StatusOfDeletion(seen);
  status.message = "Drained; waiting out the drain delay before removing old versions";
  plan.wait = plan::Wait{Reason::kDeploymentDraining, *status.message};
  plan.deletion = std::move(status);
  plan.LookAgainIn(std::max(next_removal, kShortestLook));
}

void SayWhyBlind(const Observed& seen, DeploymentPlan& plan) {
  plan.deletion = StatusOfDeletion(seen);
  if (!seen.endpoint.ok()) {
    plan.failure = Annotate(seen.endpoint.status(), "cannot ask Restate whether versions are in use");
  } else if (!seen.usage.error.ok()) {
    plan.failure = seen.usage.error;
  } else {
    plan.deletion.reset();
    plan.wait = plan::Wait{Reason::kWaitingForUsage, "asking Restate which versions are in use"};
  }
}

}  // namespace

DeploymentPlan PlanDeletion(const Observed& seen) {
  DeploymentPlan plan;
  plan.LookAgainIn(absl::Minutes(5));
  auto release = plan::RemoveFinalizer(kRestateDeployments, seen.body, crd::kRestateDeployment.finalizer, kManager);
  if (!release) {
    plan.released = true;
    return plan;
  }
  if (absl::Status unsupported = CheckSupported(seen); !unsupported.ok()) {
    plan.failure = std::move(unsupported);
    return plan;
  }
  if (!seen.status || !seen.status->deletion) {
    plan.steps.push_back(Announce(seen, "DeleteRequested", absl::StrCat("Delete `", seen.object->key().name, "`")));
  }
  if (seen.needs_look && !seen.usage.look) {
    SayWhyBlind(seen, plan);
    return plan;
  }
  const Retirement retirement = Retire(seen);
  plan.Add(retirement, seen);
  if (!plan.blockers.empty()) {
    SayWhatBlocks(seen, plan);
  } else if (retirement.next_removal) {
    SayWhenRemoved(seen, *retirement.next_removal, plan);
  } else {
    plan.steps.push_back(*std::move(release));
    plan.released = true;
    plan.deletion = StatusOfDeletion(seen);  // told only when a step fails
    plan.deletion->message = "Drained; removing the versions";
  }
  return plan;
}

}  // namespace restate::deployment
