// What is wrong with a RestateCloudEnvironment before anything is done about it.
#pragma once

#include "absl/status/status.h"
#include "restate/cloud/observed.h"

namespace restate::cloud {

// The first mistake of the spec, or ok: it names its field and the cure. Nothing is made or changed for an object with
// a mistake.
absl::Status CheckSpec(const Observed& seen);

// An object of the tunnel's name is somebody else's: the error says which (kNameTaken).
absl::Status CheckNamesFree(const Observed& seen);

}  // namespace restate::cloud
