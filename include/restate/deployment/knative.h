// Knative mode: the objects of the wanted version, and the gates before they serve. Knative Serving runs the pods
// behind a Configuration, each change of whose template is a Revision, and a Route that leads to the latest of these.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "restate/deployment/observed.h"
#include "restate/json/value.h"
#include "restate/plan/plan.h"

namespace restate::deployment {

// Mistakes that Knative or Restate would stumble over (kInvalidSpec, each names its field).
absl::Status CheckKnative(const Observed& seen);

json::Value ConfigurationFor(const Observed& seen);
// Leads to the latest Revision of the version's Configuration and is owned by that, so that the two go together.
json::Value RouteFor(const Observed& seen, const Version& version);

// The APIs of Knative are not there, or cannot be read. Nothing is known of the versions then.
std::optional<plan::Wait> KnativeMissing(const Observed& seen);
// The Configuration has not brought its latest template to life, or the Route does not lead there yet.
std::optional<plan::Wait> RouteNotReady(const Version& current);

// Where the cluster reaches the Route, with no slash at the end; empty: Knative has not said it yet.
std::string UrlOfRoute(const Version& version);
// Pods that Knative wants of a Configuration's latest Revision.
std::int64_t DesiredReplicas(const Version& version);

}  // namespace restate::deployment
