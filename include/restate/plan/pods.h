// What pods say about themselves, as kubelet and scheduler put it.
#pragma once

#include <string>
#include <vector>

#include "restate/kube/object.h"

namespace restate::plan {

// And not on its way out.
bool IsReadyPod(const kube::Object& pod, const json::Value& body);

// What keeps it from being ready: "Pending: 0/3 nodes are available". Empty: nothing.
std::string TroubleOfPod(const kube::Object& pod, const json::Value& body);

// "a-1 (Pending: 0/3 nodes are available), a-2 (...) and 5 more" of such texts; the others have the same trouble,
// mostly.
std::string SomeTroubles(std::vector<std::string> troubles);

}  // namespace restate::plan
