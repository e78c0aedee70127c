// The pages of docs/ that are made from tables in the code, so that they cannot be behind it.
#pragma once

#include <vector>

#include "restate/crd/generated_file.h"

namespace restate::app {

// reasons.md, metrics.md, settings.md, and one page per kind.
std::vector<crd::GeneratedFile> DocPages();

}  // namespace restate::app
