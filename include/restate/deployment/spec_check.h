// What is wrong with a RestateDeployment before anything is done about it: mistakes a person has to mend, each naming
// its field and the cure.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "restate/admin/endpoint.h"
#include "restate/deployment/observed.h"

namespace restate::deployment {

// The admin API named by spec.restate.register, if it is not in Restate Cloud. kInvalidRestateConfig for a mistake in
// the field.
absl::StatusOr<admin::Endpoint> EndpointOf(const Observed& seen);

// The first mistake of the spec, or ok. Nothing is created for an object with a mistake; what exists stays as it is.
absl::Status CheckSpec(const Observed& seen);

}  // namespace restate::deployment
