// A stand-in for the controllers of Knative Serving on a FakeApi: a Revision for each change of a Configuration's
// template, and a Route that leads to the latest one that is ready.
#pragma once

#include <string>

#include "fake/fake_api.h"

namespace restate::deployment {

// The API server has the kinds from now on.
void ServeKnative(fake::FakeApi& api);

struct KnativeSettings {
  bool revisions_become_ready = true;
  bool routes_become_ready = true;
  std::string revision_trouble = "ContainerMissing";  // reason of a Revision that is not ready
};

// What the controllers do until there is nothing more to do.
void RunKnative(fake::FakeApi& api, const KnativeSettings& settings);

}  // namespace restate::deployment
