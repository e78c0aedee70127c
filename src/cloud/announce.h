// Events about a RestateCloudEnvironment.
#pragma once

#include <string>

#include "restate/cloud/observed.h"
#include "restate/plan/announce.h"

namespace restate::cloud {

inline kube::Event EventAbout(const Observed& seen, bool warning, std::string reason, std::string note) {
  return plan::EventAbout(kRestateCloudEnvironments, *seen.object, warning, std::move(reason), std::move(note));
}

}  // namespace restate::cloud
