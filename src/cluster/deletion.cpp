#include "absl/strings/str_cat.h"
#include "announce.h"
#include "restate/cluster/cluster.h"
#include "restate/plan/finalizer.h"

namespace restate::cluster {

// What the cluster is made of goes with it, by its owner references.
ClusterPlan PlanDeletion(const Observed& seen) {
  ClusterPlan plan;
  plan.released = true;
  auto release = plan::RemoveFinalizer(kRestateClusters, seen.body, crd::kRestateCluster.finalizer, kManager);
  if (!release) return plan;
  plan.steps.push_back(Announce(seen, "DeleteRequested", absl::StrCat("Delete `", seen.name(), "`")));
  plan.steps.push_back(*std::move(release));
  return plan;
}

}  // namespace restate::cluster
