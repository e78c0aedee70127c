// Warnings: what the spec asks for and the cluster goes on without, and what its author should know. They keep nothing
// from running, so Ready does not say them: a condition of their own does, and an event when they come up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restate/cluster/cluster.h"
#include "restate/plan/verdict.h"

namespace restate::cluster {

struct Warning {
  std::string_view reason;  // CamelCase, of the condition and the event
  std::string message;      // names the field and the cure
};

std::vector<Warning> WarningsFor(const Observed& seen);

// The condition Warning, also of what a pass was `refused` and goes on without; nullopt: there is nothing to warn of.
std::optional<crd::Condition> WarningCondition(const Observed& seen, const plan::ConditionFrame& frame,
                                               const std::vector<kube::Event>& refused);

// An event for each that the status does not say yet.
void AnnounceWarnings(const Observed& seen, ClusterPlan& plan);

}  // namespace restate::cluster
