#include "gates.h"
#include "restate/cloud/cloud.h"
#include "restate/cloud/objects.h"
#include "restate/cloud/spec_check.h"
#include "restate/plan/finalizer.h"
#include "restate/plan/suspension.h"

namespace restate::cloud {
namespace {

constexpr absl::Duration kSteadyPass = absl::Minutes(5);  // what no watch event brings is found by then

void Make(const kube::Resource& resource, json::Value body, const kube::ObjectPtr& live, CloudPlan& plan) {
  // Of what we looked at: another object that took its name meanwhile is not overwritten.
  if (live) body["metadata"]["uid"] = live->uid();
  plan.steps.push_back(plan::Apply{.resource = resource,
                                   .body = std::move(body),
                                   .manager = std::string(kManager),
                                   .subresource = "",
                                   .live = live,
                                   .must_be_new = true});
}

// Without a token that is one, pods would not start, or would carry a Secret of another trade around: then the
// Deployment stays as it is, and so do its pods.
void MakeTunnel(const Observed& seen, CloudPlan& plan) {
  if (!seen.token_digest.ok()) {
    plan.failure = seen.token_digest.status();
    return;
  }
  plan.tunnel = DeploymentLeaving(seen);
  if (plan.tunnel) return;
  Make(kube::kDeployments, DeploymentFor(seen), seen.deployment, plan);
  plan.tunnel = TunnelNotReady(seen);
}

}  // namespace

CloudPlan PlanRollout(const Observed& seen) {
  CloudPlan plan;
  if (seen.suspended()) {
    plan.wait = plan::Suspended();
    return plan;
  }
  plan.LookAgainIn(kSteadyPass);
  plan.failure = CheckSpec(seen);
  if (plan.failure.ok()) plan.failure = CheckNamesFree(seen);
  if (!plan.failure.ok()) return plan;
  if (auto finalizer =
          plan::AddFinalizer(kRestateCloudEnvironments, seen.body, crd::kRestateCloudEnvironment.finalizer, kManager)) {
    plan.steps.push_back(*std::move(finalizer));
  }
  plan.again = true;  // whether the tunnel is ready, the objects say that these steps may change
  Make(kube::kServices, ServiceFor(seen), seen.service, plan);
  MakeTunnel(seen, plan);
  return plan;
}

}  // namespace restate::cloud
