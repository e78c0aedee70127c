// Triggers: which RestateDeployment a change of something else is about, and whether it calls for a pass. Of its own
// changes: plan/triggers.h.
#pragma once

#include <optional>
#include <vector>

#include "restate/kube/resource.h"
#include "restate/runtime/cache.h"

namespace restate::deployment {

// Somebody took our finalizer away, and the object went before its versions were let go: what is registered for it in
// Restate stays there, and nobody will look after it.
bool WasTakenAway(const runtime::Change& change);
// ReplicaSets, Services and autoscalers carry the name of their RestateDeployment as a label.
std::optional<kube::Key> KeyOfChildChange(const runtime::Change& change);
// The same, for what has a status that nobody here reads.
std::optional<kube::Key> KeyOfSpecChange(const runtime::Change& change);
// Configurations, Routes and Revisions carry that name as an annotation, which Knative copies to the Revisions it
// makes.
std::optional<kube::Key> KeyOfKnativeChange(const runtime::Change& change);
// Those that wait for the RestateCluster whose existence or readiness changed; a running cluster's other changes
// concern nobody.
std::vector<kube::Key> KeysOfClusterChange(const runtime::Change& change, const runtime::Cache& cache);

// Those that register with the RestateCloudEnvironment, or through the Secret with its token.
std::vector<kube::Key> KeysOfCloudChange(const runtime::Change& change, const runtime::Cache& cache);
std::vector<kube::Key> KeysOfSecretChange(const runtime::Change& change, const runtime::Cache& cache);

}  // namespace restate::deployment
