// The RestateCluster kind, as plan::Reconcile wants it.
#pragma once

#include <optional>

#include "restate/cluster/observed.h"
#include "restate/plan/reconcile.h"

namespace restate::cluster {

struct ClusterPlan : plan::Plan {
  bool released = false;     // the object goes with these steps, or is none of our business
  bool provisioned = false;  // the nodes say so
};

ClusterPlan PlanRollout(const Observed& seen);
ClusterPlan PlanDeletion(const Observed& seen);
// The status and the Warning event of a pass. Pure.
plan::Report ReportOn(const Observed& seen, const ClusterPlan& plan, const plan::Outcome& outcome);

struct Kind {
  static constexpr std::string_view kName = crd::kRestateCluster.kind;
  static constexpr kube::Resource kResource = kRestateClusters;

  static std::optional<Observed> Observe(const kube::Key& key, const plan::World& world);
  static ClusterPlan MakePlan(const Observed& seen) { return seen.deleting() ? PlanDeletion(seen) : PlanRollout(seen); }
  static plan::Report MakeReport(const Observed& seen, const ClusterPlan& plan, const plan::Outcome& outcome) {
    return ReportOn(seen, plan, outcome);
  }
  static void Forgotten(const kube::Key& key, const plan::World& world) { world.nodes.Forget(key); }
};

}  // namespace restate::cluster
