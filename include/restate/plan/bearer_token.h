// The token with which Restate Cloud is asked.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "restate/crd/restate_cloud_environment.h"
#include "restate/kube/object.h"
#include "restate/plan/world.h"

namespace restate::plan {

// The Secret that a RestateCloudEnvironment names, as it is now. `shown` is what a watch says of it.
using ReadSecret =
    std::function<absl::StatusOr<kube::ObjectPtr>(const kube::Key& environment, const kube::ObjectPtr& shown)>;

// By World::secrets. What it is given must outlive it.
ReadSecret SecretReader(const World& world);

// The token in the Secret of the operator's namespace that spec.authentication.secret of `environment` names. Errors
// name that field, the Secret and the cure: kNotSynced, kSecretNotFound, those of admin::BearerTokenOf; or that of the
// read.
absl::StatusOr<std::string> BearerToken(const kube::Key& environment, const crd::TokenSecret& reference,
                                        const runtime::Cache& cache, const Config& config,
                                        const ReadSecret& read_secret);

}  // namespace restate::plan
