// The Pkl modules of our kinds, made from the field tables: pkl/ holds them as committed files. Who amends one gets
// types, ranges and required fields checked where the file is written.
#pragma once

#include <vector>

#include "restate/crd/generated_file.h"

namespace restate::crd {

// One module per kind, and Kubernetes.pkl with the types of Kubernetes that they use.
std::vector<GeneratedFile> PklModules();

}  // namespace restate::crd
