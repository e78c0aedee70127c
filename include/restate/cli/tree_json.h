// The tree as JSON, for programs and for the operator's page. Its names are an interface: none changes its meaning.
#pragma once

#include "restate/cli/tree.h"
#include "restate/json/value.h"

namespace restate::cli {

// {"roots": [node], "notes": ["what could not be seen"]}
//
// A node; what is not known is left out:
//   kind              RestateCluster, RestateCloudEnvironment, Service or URL (roots), RestateDeployment (their
//                     children), Version (theirs)
//   namespace, name
//   state             Ready, Waiting, Stalled, Suspended, ScaledToZero, Deleting, Missing, Unseen; of versions Current,
//                     Draining, Drained, Removing
//   since             RFC 3339: since when it is in this state
//   pods              {"ready": 1, "wanted": 2}
//   waits             [{"about": condition type, or Version, "reason", "message", "since"}]: what is not as wished
//   deploymentId      dp_..., in Restate
//   images            of the version's containers
//   invocations       {"running": 2, ...}: unfinished ones that must end on the version, by their status in Restate;
//                     "attempting" and "unpinned" as in status.versions
//   oldestInvocation  RFC 3339: when the oldest of them was created
//   removedAt         RFC 3339: when the version is removed if no work comes before; of an object that is being
//                     deleted, when its drain times out
//   children          [node]
json::Value ToJson(const Tree& tree);

}  // namespace restate::cli
