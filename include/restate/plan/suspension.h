// Suspension: the operator held off one object, by its annotation restate.dev/reconcile=disabled.
#pragma once

#include "restate/json/value.h"
#include "restate/kube/object.h"
#include "restate/plan/plan.h"

namespace restate::plan {

// A delete request ends it. `body` is the object's.
bool IsSuspended(const kube::Object& object, const json::Value& body);

// What a suspended object says.
Wait Suspended();

}  // namespace restate::plan
