// The RestateDeployment kind, as plan::Reconcile wants it.
#pragma once

#include <optional>

#include "restate/crd/restate_deployment.h"
#include "restate/deployment/observed.h"
#include "restate/deployment/retirement.h"
#include "restate/plan/reconcile.h"

namespace restate::deployment {

// What was decided, and what the status says of it.
struct DeploymentPlan : plan::Plan {
  bool collided = false;                        // the status counts it, and with that the name changes
  bool released = false;                        // the object goes with these steps, or is none of our business
  std::vector<Blocker> blockers;                // versions that unfinished work holds
  std::optional<crd::DeletionStatus> deletion;  // of an object that is being deleted

  // Takes over what Retire decided. Removals are not begun once the look they rest on is too old.
  void Add(const Retirement& retirement, const Observed& seen);
};

DeploymentPlan PlanRollout(const Observed& seen);
DeploymentPlan PlanDeletion(const Observed& seen);
// The status and the Warning event of a pass. Pure.
plan::Report ReportOn(const Observed& seen, const DeploymentPlan& plan, const plan::Outcome& outcome);

struct Kind {
  static constexpr std::string_view kName = crd::kRestateDeployment.kind;
  static constexpr kube::Resource kResource = kRestateDeployments;

  static std::optional<Observed> Observe(const kube::Key& key, const plan::World& world) {
    return deployment::Observe(key, world);
  }
  static DeploymentPlan MakePlan(const Observed& seen) {
    return seen.deleting() ? PlanDeletion(seen) : PlanRollout(seen);
  }
  static plan::Report MakeReport(const Observed& seen, const DeploymentPlan& plan, const plan::Outcome& outcome) {
    return ReportOn(seen, plan, outcome);
  }
  static void Forgotten(const kube::Key& key, const plan::World& world) { world.usage.Forget(key); }
};

}  // namespace restate::deployment
