// Registration: what has to be done so that Restate routes new work to the wanted version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "restate/deployment/observed.h"
#include "restate/plan/plan.h"

namespace restate::deployment {

enum class Verdict : std::uint8_t {
  kRegister,       // Restate does not know it
  kRecord,         // it does, but nobody wrote the id down: the process ended in between
  kAlreadyLatest,  // new work goes to it
  kPromote,        // new work goes to another version of ours: a rollback
  kConfirm,        // it was registered a moment ago, and Restate does not say so yet
  kConflict,       // new work goes to a deployment that is not ours, or nowhere
  kUnknown,        // nobody looked yet
};

// Pure.
Verdict VerdictOn(const Observed& seen, const Version& current);

// Error (kInvalidSpec): a servicePath with dot segments, which would climb out of the version's URI.
absl::Status CheckServicePath(const Observed& seen);

// http://<version>.<namespace>.svc.<cluster dns>:9080/<servicePath>, in Knative mode <URL of the Route>/<servicePath>;
// with register.cloud as that is reached through a tunnel. Errors: that of CheckServicePath; kRouteNotReady.
absl::StatusOr<std::string> ServiceUri(const Observed& seen, const Version& version);

// The step that registers `current` and writes its id on the ReplicaSet and the Service, or on the Configuration.
// kPromote registers by force: nothing else makes Restate send new work back to a deployment it knows.
absl::StatusOr<plan::Register> RegisterStep(const Observed& seen, const Version& current, Verdict verdict);

// The deployment that Restate has under the version's uri; empty: none.
std::string IdOfUri(const Observed& seen, const Version& current);

// The deployment of ours, other than `current`, that new work goes to; empty: none.
std::string LatestOfOurs(const Observed& seen, const Version& current);

// Why a registered version gets no new work.
plan::Wait NotRoutedTo(const Observed& seen, const Version& current, Verdict verdict);

}  // namespace restate::deployment
