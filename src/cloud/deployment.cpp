// The Deployment, and what rolls its pods. What another operator, or an earlier version of this one, made differently
// waits for a roll that somebody wants, or that another token needs.
#include "metadata.h"
#include "restate/plan/pod_template.h"

namespace restate::cloud {
namespace {

std::string_view DigestOf(const json::Value& object) {
  return object.StringAt({"metadata", "annotations", kTokenDigestAnnotation});
}

std::string_view LiveDigestOfPods(const Observed& seen) {
  const json::Value* pods = seen.live.FindPath({"spec", "template"});
  return pods ? DigestOf(*pods) : std::string_view();
}

// Of the token that the live pods began with; empty: nobody wrote it down.
std::string_view LiveDigest(const Observed& seen) {
  const std::string_view of_pods = LiveDigestOfPods(seen);
  return of_pods.empty() ? DigestOf(seen.live) : of_pods;
}

bool HasAnotherToken(const Observed& seen) {
  return !LiveDigest(seen).empty() && LiveDigest(seen) != *seen.token_digest;
}

json::Value WithDigest(const Observed& seen, json::Value pods) {
  if (const std::string digest = DigestForPods(seen); !digest.empty()) {
    pods["metadata"]["annotations"][kTokenDigestAnnotation] = digest;
  }
  return pods;
}

// As the reference made them before it satisfied the Pod Security Standard `restricted`.
json::Value AsBefore(json::Value pods) {
  pods["spec"]["securityContext"].Erase("runAsNonRoot");
  for (json::Value& container : *pods["spec"]["containers"].array()) {
    container["securityContext"].Erase("capabilities");
  }
  return pods;
}

json::Value PodTemplateToApply(const Observed& seen) {
  json::Value wanted = WithDigest(seen, PodTemplateFor(seen));
  if (seen.live.is_null() || HasAnotherToken(seen) || plan::PodsStay(seen.live, wanted)) return wanted;
  json::Value kept = plan::WithForeignMetadata(seen.live, wanted);
  if (plan::PodsStay(seen.live, kept)) return kept;
  kept = AsBefore(std::move(kept));
  return plan::PodsStay(seen.live, kept) ? kept : wanted;
}

}  // namespace

std::string DigestForPods(const Observed& seen) {
  if (LiveDigestOfPods(seen).empty() && !HasAnotherToken(seen)) return {};
  return *seen.token_digest;
}

bool KeepsEarlierPods(const Observed& seen) {
  if (seen.live.is_null() || !seen.token_digest.ok()) return false;
  return !PodTemplateToApply(seen).FindPath({"spec", "securityContext", "runAsNonRoot"});
}

json::Value DeploymentFor(const Observed& seen) {
  json::Value deployment = ObjectFor(seen, kube::kDeployments);
  deployment["metadata"]["annotations"][kTokenDigestAnnotation] = *seen.token_digest;
  deployment["spec"] = json::Obj({{"replicas", seen.tunnel().replicas},
                                  {"selector", json::Obj({{"matchLabels", json::FromMap(SelectorLabels(seen))}})},
                                  {"template", PodTemplateToApply(seen)}});
  return deployment;
}

}  // namespace restate::cloud
