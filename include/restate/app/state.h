// State: what the controllers share: diagnostics, metrics and config. Built once by the operator and handed to each.
#pragma once

#include "restate/app/metrics.h"
#include "restate/plan/diagnostics.h"
#include "restate/plan/world.h"

namespace restate::app {

struct State {
  plan::Config config;
  Metrics metrics;
  plan::Diagnostics diagnostics;
};

}  // namespace restate::app
