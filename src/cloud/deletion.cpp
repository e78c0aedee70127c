#include "absl/strings/str_cat.h"
#include "announce.h"
#include "restate/cloud/cloud.h"
#include "restate/plan/finalizer.h"

namespace restate::cloud {

// What the tunnel is made of goes with the object, by its owner references.
CloudPlan PlanDeletion(const Observed& seen) {
  CloudPlan plan;
  plan.released = true;
  auto release =
      plan::RemoveFinalizer(kRestateCloudEnvironments, seen.body, crd::kRestateCloudEnvironment.finalizer, kManager);
  if (!release) return plan;
  plan.steps.push_back(
      plan::Announce{EventAbout(seen, false, "DeleteRequested", absl::StrCat("Delete `", seen.name(), "`"))});
  plan.steps.push_back(*std::move(release));
  return plan;
}

}  // namespace restate::cloud
