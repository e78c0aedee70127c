// Events about an object that is being reconciled.
#pragma once

#include <string>

#include "restate/kube/events.h"
#include "restate/kube/object.h"
#include "restate/kube/resource.h"

namespace restate::plan {

kube::Event EventAbout(const kube::Resource& resource, const kube::Object& object, bool warning, std::string reason,
                       std::string note);

}  // namespace restate::plan
