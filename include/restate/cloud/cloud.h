// The RestateCloudEnvironment kind, as plan::Reconcile wants it.
#pragma once

#include <optional>

#include "restate/cloud/observed.h"
#include "restate/plan/reconcile.h"

namespace restate::cloud {

struct CloudPlan : plan::Plan {
  bool released = false;             // the object goes with these steps, or is none of our business
  std::optional<plan::Wait> tunnel;  // why not all tunnel pods are as they should be; the object is Ready all the same
};

CloudPlan PlanRollout(const Observed& seen);
CloudPlan PlanDeletion(const Observed& seen);
// The status and the Warning event of a pass. Pure.
plan::Report ReportOn(const Observed& seen, const CloudPlan& plan, const plan::Outcome& outcome);

struct Kind {
  static constexpr std::string_view kName = crd::kRestateCloudEnvironment.kind;
  static constexpr kube::Resource kResource = kRestateCloudEnvironments;

  // Asks the API server for the Secret when it has changed, and for what has the tunnel's name but not our labels.
  static std::optional<Observed> Observe(const kube::Key& key, const plan::World& world);
  static CloudPlan MakePlan(const Observed& seen) { return seen.deleting() ? PlanDeletion(seen) : PlanRollout(seen); }
  static plan::Report MakeReport(const Observed& seen, const CloudPlan& plan, const plan::Outcome& outcome) {
    return ReportOn(seen, plan, outcome);
  }
  static void Forgotten(const kube::Key& key, const plan::World& world) { world.secrets.Release(key); }
};

}  // namespace restate::cloud
