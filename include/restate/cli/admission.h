// Admission: what an API server that has our CRDs does with an object before it keeps it.
#pragma once

#include <string>
#include <vector>

#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::cli {

// The resource of an object of one of our kinds, by its `kind`; nullptr: it is none of ours.
const kube::Resource* OurResourceOf(const json::Value& object);

// Fills in the defaults of the CRD of an object of ours, and returns its mistakes, each with the path of the field:
// "spec.replicas: must be at least 0, not -1". Empty: an API server would take it as new. A field that the CRD does not
// know is a mistake, as for kubectl. Of rules that compare with an earlier state, nothing is said.
std::vector<std::string> Admit(json::Value& object);

}  // namespace restate::cli
