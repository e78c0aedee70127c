// Pod templates of workloads that run: what a change of them would do.
#pragma once

#include "restate/json/value.h"

namespace restate::plan {

// Whether an apply of ours with the pod template `pods` would leave that of the live workload (a Deployment, a
// StatefulSet) as it is, whatever it did to the rest. A change of it rolls all pods.
bool PodsStay(const json::Value& live, const json::Value& pods);

// With the labels and annotations of the live pods that another operator copied there and that we would not.
json::Value WithForeignMetadata(const json::Value& live, json::Value pods);

}  // namespace restate::plan
