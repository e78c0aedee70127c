// The objects that make a tunnel, as they are wanted. Pure.
#pragma once

#include <string>

#include "restate/cloud/observed.h"
#include "restate/plan/metadata.h"

namespace restate::cloud {

using plan::StringMap;

// The two labels that selectors are made of.
StringMap SelectorLabels(const Observed& seen);
// The object's own, in which the two above win, less those that only mean something on the object itself.
StringMap CommonLabels(const Observed& seen);
StringMap CommonAnnotations(const Observed& seen);

// The pods as they are wanted, less the annotation with the token's digest.
json::Value PodTemplateFor(const Observed& seen);
json::Array EnvironmentFor(const Observed& seen);

// The digest that the pod template carries from now on; empty: none. Pods mount the token by a subPath, which never
// changes in a running pod, so another token needs other pods. Those of another operator, and new ones, begin with the
// current one and carry no digest: they are not restarted to learn it.
std::string DigestForPods(const Observed& seen);
// Whether the Deployment keeps pods that are less restricted than ours would be, until they roll anyhow.
bool KeepsEarlierPods(const Observed& seen);

// Requires seen.token_digest.
json::Value DeploymentFor(const Observed& seen);
json::Value ServiceFor(const Observed& seen);

}  // namespace restate::cloud
