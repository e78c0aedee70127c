#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/gates.h"
#include "restate/deployment/knative.h"
#include "restate/plan/finalizer.h"

namespace restate::deployment {
namespace {

constexpr absl::Duration kShortestLook = absl::Seconds(1);
// How long Restate is waited for when nothing but its answer is missing: an outage shorter than this leaves nothing
// behind, and a Restate that is gone for ever holds nobody.
constexpr absl::Duration kPatience = absl::Minutes(1);

crd::DeletionStatus StatusOfDeletion(const Observed& seen) {
  crd::DeletionStatus status{};
  const bool forced = seen.spec.restate.delete_policy == crd::DeletePolicy::kForce;
  status.policy = forced ? crd::DeletePolicy::kForce : crd::DeletePolicy::kDrain;
  status.phase = seen.mode() == Mode::kForce ? crd::DeletionPhase::kForcing : crd::DeletionPhase::kDraining;
  status.started_at = seen.deletion_requested();
  if (forced) return status;
  const auto& drain = seen.spec.restate.drain;
  status.deadline = seen.deletion_deadline();
  status.on_timeout = drain ? drain->on_timeout.value_or(crd::OnTimeout::kHold) : crd::OnTimeout::kHold;
  return status;
}

// Nobody is surprised by a forced removal: the status says so before anything is removed.
bool ForcingIsTold(const Observed& seen) {
  return seen.status && seen.status->deletion && seen.status->deletion->phase == crd::DeletionPhase::kForcing;
}

void TellForcing(const Observed& seen, DeploymentPlan& plan) {
  crd::DeletionStatus status = StatusOfDeletion(seen);
  status.message = "Removing all versions, whatever their work";
  plan.wait = plan::Wait{Reason::kForcingDeletion, *status.message};
  plan.deletion = std::move(status);
  plan.LookAgainIn(absl::ZeroDuration());
}

// Whether Restate has had its time, and the object goes without its answer: force was asked for, or there is nothing
// left that its answer could protect.
bool GivesUpOnRestate(const Observed& seen) {
  const bool unreachable = !seen.endpoint.ok() || !seen.usage.error.ok();
  if (!seen.MayBeRegistered()) return unreachable;
  const bool may = seen.mode() == Mode::kForce || seen.versions.empty();
  const bool by_deadline = seen.mode() == Mode::kForce && seen.spec.restate.delete_policy != crd::DeletePolicy::kForce;
  const absl::Time since = by_deadline ? seen.deletion_deadline() : seen.deletion_requested();
  return unreachable && may && seen.now >= since + kPatience;
}

void SayWhatBlocks(const Observed& seen, DeploymentPlan& plan) {
  crd::DeletionStatus status = StatusOfDeletion(seen);
  std::vector<crd::PendingInvocations> pending;
  for (const Blocker& b : plan.blockers) {
    pending.push_back({b.version, b.deployment_id, b.pinned, b.unpinned});
    status.total_pending_invocations += b.pinned + b.unpinned;
  }
  status.pending_invocations = std::move(pending);
  const bool overdue = *status.deadline <= seen.now;
  if (overdue) status.phase = crd::DeletionPhase::kOverdue;
  status.message = overdue
                       ? absl::StrCat("Still waiting on ", ListOf(plan.blockers), " after the ",
                                      absl::ToInt64Seconds(*status.deadline - *status.started_at), "s drain timeout")
                       : absl::StrCat("Waiting for in-flight invocations against ", ListOf(plan.blockers));
  plan.wait = plan::Wait{overdue ? Reason::kDeletionOverdue : Reason::kDeploymentInUse,
                         absl::StrCat(*status.message,
                                      ". To end the wait, cancel or kill them (restate invocations list), or set "
                                      "spec.restate.deletePolicy to force")};
  if (!overdue) plan.LookAgainIn(std::max(*status.deadline - seen.now, kShortestLook));
  plan.deletion = std::move(status);
  plan.LookAgainIn(kDrainLook);
}

void SayWhenRemoved(const Observed& seen, absl::Duration next_removal, DeploymentPlan& plan) {
  crd::DeletionStatus status = StatusOfDeletion(seen);
  status.message = "Drained; waiting out the drain delay before removing old versions";
  plan.wait = plan::Wait{Reason::kDeploymentDraining, *status.message};
  if (status.on_timeout == crd::OnTimeout::kForce) next_removal = std::min(next_removal, *status.deadline - seen.now);
  plan.deletion = std::move(status);
  plan.LookAgainIn(std::max(next_removal, kShortestLook));
}

void SayWhyBlind(const Observed& seen, DeploymentPlan& plan) {
  plan.deletion = StatusOfDeletion(seen);
  if (!seen.endpoint.ok() && ReasonOf(seen.endpoint.status()) == Reason::kNotSynced) {
    plan.deletion.reset();
    plan.wait = plan::Wait{Reason::kNotSynced, std::string(MessageOf(seen.endpoint.status()))};
    plan.LookAgainIn(kListLook);
  } else if (!seen.endpoint.ok()) {
    plan.failure = Annotate(seen.endpoint.status(), "cannot ask Restate whether versions are in use");
  } else if (!seen.usage.error.ok()) {
    plan.failure = seen.usage.error;
  } else if (seen.cluster == ClusterState::kNotSynced) {
    plan.deletion.reset();
    plan.wait = ClusterNotReady(seen);
    plan.LookAgainIn(kListLook);
  } else {
    plan.deletion.reset();
    plan.wait = plan::Wait{Reason::kWaitingForUsage, "asking Restate which versions are in use"};
  }
  if (seen.mode() == Mode::kForce || seen.versions.empty()) plan.LookAgainIn(kDrainLook);
}

// A Restate that versions were registered with before spec.restate.register changed.
void SayWhoIsSilent(const Observed& seen, const absl::Status& unanswered, DeploymentPlan& plan) {
  if (unanswered.ok()) {
    plan.wait = plan::Wait{Reason::kWaitingForUsage, "asking an earlier Restate which versions are in use"};
    return;
  }
  plan.deletion = StatusOfDeletion(seen);
  plan.failure = Annotate(unanswered, "an earlier Restate of spec.restate.register cannot be asked");
}

// What stays behind or goes with its work is told once, with the steps that do it.
void WarnOfLosses(const Observed& seen, const std::vector<Blocker>& abandoned, const std::vector<Blocker>& left,
                  DeploymentPlan& plan) {
  if (!abandoned.empty()) {
    plan.steps.push_back(plan::Announce{
        Warn(seen, "ForcedDeletion", absl::StrCat("Removed with their unfinished work: ", ListOf(abandoned)))});
  }
  if (!left.empty()) {
    plan.steps.push_back(plan::Announce{
        Warn(seen, "RegistrationLeft",
             absl::StrCat(seen.endpoint->ToString(),
                          " keeps deployments whose pods are gone, for they have unfinished work: ", ListOf(left),
                          ". Cancel it, or deploy the same version again"))});
  }
  if (seen.needs_look && !seen.usage.look && seen.MayBeRegistered()) {
    plan.steps.push_back(plan::Announce{
        Warn(seen, "RegistrationLeft",
             absl::StrCat(seen.endpoint.ok() ? seen.endpoint->ToString() : std::string("Restate"),
                          " could not be asked; what is registered there for ", seen.object->key().name, " stays"))});
  }
}

void Remove(const Observed& seen, plan::Step release, DeploymentPlan& plan) {
  const Retirement retirement = Retire(seen, GivesUpOnRestate(seen));
  plan.Add(retirement, seen);
  if (!retirement.blockers.empty()) return SayWhatBlocks(seen, plan);
  if (!retirement.unanswered.ok() || retirement.waits) return SayWhoIsSilent(seen, retirement.unanswered, plan);
  if (retirement.next_removal) return SayWhenRemoved(seen, *retirement.next_removal, plan);

  const Retirement leftovers = RetireLeftovers(seen);
  plan.Add(leftovers, seen);
  std::vector<Blocker> abandoned = retirement.abandoned;
  abandoned.insert(abandoned.end(), leftovers.abandoned.begin(), leftovers.abandoned.end());
  WarnOfLosses(seen, abandoned, leftovers.blockers, plan);
  plan.steps.push_back(std::move(release));
  plan.released = true;
  plan.deletion = StatusOfDeletion(seen);  // told only when a step fails
  plan.deletion->message = "Drained; removing the versions";
}

// Versions may be there that cannot be seen. Where Knative is not installed there is none left.
bool HidesVersions(const Observed& seen) {
  return seen.in_knative_mode() && seen.knative == KnativeState::kUnknown && seen.mode() != Mode::kForce;
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
  if (!seen.status || !seen.status->deletion) {
    plan.steps.push_back(Announce(seen, "DeleteRequested", absl::StrCat("Delete `", seen.object->key().name, "`")));
  }
  if (seen.cluster == ClusterState::kMissing) {  // what was registered there went with it
    plan.steps.push_back(*std::move(release));
    plan.released = true;
    return plan;
  }
  if (HidesVersions(seen)) {
    plan.wait = KnativeMissing(seen);
    plan.deletion = StatusOfDeletion(seen);
    plan.deletion->message = plan.wait->message;
  } else if (seen.mode() == Mode::kForce && !ForcingIsTold(seen) && !seen.versions.empty()) {
    TellForcing(seen, plan);
  } else if (seen.needs_look && !seen.usage.look && !GivesUpOnRestate(seen)) {
    SayWhyBlind(seen, plan);
  } else {
    Remove(seen, *std::move(release), plan);
  }
  return plan;
}

}  // namespace restate::deployment
