// Canaries: Jobs that show whether pods of the ServiceAccount get an identity before restate-server relies on it.
#pragma once

#include <string_view>

#include "restate/cluster/cluster.h"

namespace restate::cluster {

struct Canary {
  std::string_view name;  // of the Job
  json::Value job;
  Reason pending, failed;   // of the plan's waits
  std::string_view looks;   // what it looks for: "AWS credentials"
  std::string_view advice;  // where they have to come from
};

// Runs it until it has succeeded; that Job is kept, and its success with it. `proven`: it would succeed, as is known
// from elsewhere.
void RunCanary(const Observed& seen, const Canary& canary, bool proven, ClusterPlan& plan);

}  // namespace restate::cluster
