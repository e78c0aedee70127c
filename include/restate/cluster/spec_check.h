// What is wrong with a RestateCluster before anything is done about it: mistakes a person has to mend, each naming its
// field and the cure.
#pragma once

#include "absl/status/status.h"
#include "restate/cluster/observed.h"

namespace restate::cluster {

// The first mistake of the spec, or ok. Nothing is made or changed for an object with a mistake.
absl::Status CheckSpec(const Observed& seen);

// The parts of it that are about the pods.
absl::Status CheckEnvironment(const Observed& seen);
absl::Status CheckVolumes(const Observed& seen);
absl::Status CheckSidecars(const Observed& seen);
absl::Status CheckLists(const Observed& seen);

// Sizes of what the spec becomes.
absl::Status CheckSizes(const Observed& seen);

// "/a//b/./c/" as "/a/b/c"; nullopt: no absolute path, or one that climbs.
std::optional<std::string> NormalPath(std::string_view path);

}  // namespace restate::cluster
