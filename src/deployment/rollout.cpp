#include "absl/strings/str_cat.h"
#include "restate/deployment/announce.h"
#include "restate/deployment/current_version.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/gates.h"
#include "restate/deployment/objects.h"
#include "restate/deployment/registration.h"
#include "restate/deployment/spec_check.h"
#include "restate/plan/finalizer.h"
#include "restate/plan/suspension.h"

namespace restate::deployment {
namespace {

constexpr absl::Duration kSteadyPass = absl::Minutes(5);    // what no watch event brings is found by then
constexpr absl::Duration kRoutingLook = absl::Seconds(30);  // while Restate routes elsewhere

void AddWait(DeploymentPlan& plan, std::optional<plan::Wait> wait) {
  if (!plan.wait) plan.wait = std::move(wait);
}

// Versions that get no new work leave whether or not the wanted one is ready: the nodes may be full.
void RetireOldVersions(const Observed& seen, DeploymentPlan& plan) {
  const Retirement retirement = Retire(seen);
  plan.Add(retirement, seen);
  if (retirement.next_removal) {
    plan.LookAgainIn(*retirement.next_removal);
  } else if (!plan.blockers.empty() || !retirement.unanswered.ok()) {
    plan.LookAgainIn(kDrainLook);
  }
}

// What is not listed yet is no failure.
void Fail(const absl::Status& failure, DeploymentPlan& plan) {
  if (ReasonOf(failure) != Reason::kNotSynced) {
    plan.failure = failure;
    return;
  }
  plan.LookAgainIn(kListLook);
  AddWait(plan, plan::Wait{Reason::kNotSynced, std::string(MessageOf(failure))});
}

// The watch on clusters brings the next pass.
void WaitForCluster(plan::Wait wait, DeploymentPlan& plan) {
  if (RowOf(wait.reason).error_class == ErrorClass::kWait && wait.reason != Reason::kNotSynced) {
    return AddWait(plan, std::move(wait));
  }
  Fail(MakeError(wait.reason, wait.message), plan);
}

// A failed look into Restate is a failure of the pass, unless its cluster is known to be not ready; one that is still
// under way is a short wait.
bool LookIsMissing(const Observed& seen, DeploymentPlan& plan) {
  if (!seen.needs_look || seen.usage.look) return false;
  if (auto wait = ClusterNotReady(seen); wait && (!seen.usage.error.ok() || seen.cluster != ClusterState::kNotReady)) {
    WaitForCluster(*std::move(wait), plan);
  } else if (!seen.usage.error.ok()) {
    plan.failure = seen.usage.error;
  } else {
    AddWait(plan, plan::Wait{Reason::kWaitingForUsage,
                             absl::StrCat("asking ", seen.endpoint->ToString(), " which versions are in use")});
  }
  return true;
}

plan::Wait ConfirmationOf(const Version& current) {
  return {Reason::kConfirmingRegistration, absl::StrCat("asking Restate whether it routes to ", current.name())};
}

void RegisterCurrent(const Observed& seen, const Version& current, Verdict verdict, DeploymentPlan& plan) {
  if (auto wait = ClusterNotReady(seen)) return WaitForCluster(*std::move(wait), plan);
  if (auto wait = NothingToRegister(seen, current)) return AddWait(plan, wait);
  if (auto wait = VersionNotReady(seen, current)) return AddWait(plan, wait);
  if (LookIsMissing(seen, plan)) return;
  auto step = RegisterStep(seen, current, verdict);
  if (!step.ok()) {
    plan.failure = step.status();
    return;
  }
  plan.steps.push_back(*std::move(step));
  plan.steps.push_back(
      verdict == Verdict::kPromote
          ? Announce(seen, "Promoted",
                     absl::StrCat("Promoted deployment ", current.deployment_id, " back to latest for ", current.name(),
                                  ", superseding ", LatestOfOurs(seen, current)))
          : Announce(seen, "VersionRegistered",
                     absl::StrCat("Version ", current.name(), " was registered at ", seen.endpoint->ToString())));
  AddWait(plan, ConfirmationOf(current));
  plan.again = true;
}

void Route(const Observed& seen, const Version& current, Verdict verdict, DeploymentPlan& plan) {
  switch (verdict) {
    case Verdict::kRecord:
      plan.steps.push_back(Record(current, IdOfUri(seen, current), seen.now));
      plan.again = true;
      return AddWait(plan, ConfirmationOf(current));
    case Verdict::kRegister:
    case Verdict::kPromote: return RegisterCurrent(seen, current, verdict, plan);
    case Verdict::kConfirm:
    case Verdict::kConflict: plan.LookAgainIn(kRoutingLook); return AddWait(plan, NotRoutedTo(seen, current, verdict));
    case Verdict::kAlreadyLatest: return AddWait(plan, VersionNotReady(seen, current));
    case Verdict::kUnknown: return;  // LookIsMissing has said why
  }
}

}  // namespace

DeploymentPlan PlanRollout(const Observed& seen) {
  DeploymentPlan plan;
  if (seen.suspended()) {
    plan.wait = plan::Suspended();
    return plan;
  }
  plan.LookAgainIn(kSteadyPass);
  if (absl::Status mistake = CheckSpec(seen); !mistake.ok()) {
    Fail(mistake, plan);
    return plan;
  }
  if (auto finalizer =
          plan::AddFinalizer(kRestateDeployments, seen.body, crd::kRestateDeployment.finalizer, kManager)) {
    plan.steps.push_back(*std::move(finalizer));
  }
  if (!MakeCurrentVersion(seen, plan)) return plan;
  // A first version is registered once its pods are ready, and that is what it says until then.
  const bool first = seen.versions.size() == 1 && seen.Current()->deployment_id.empty();
  if (!first && LookIsMissing(seen, plan)) return plan;
  const Verdict verdict = VerdictOn(seen, *seen.Current());
  Route(seen, *seen.Current(), verdict, plan);
  // While a stranger serves our services, our older versions may be what a person wants back.
  if (verdict != Verdict::kConflict) RetireOldVersions(seen, plan);
  return plan;
}

}  // namespace restate::deployment
