// How a mistake in a spec is told.
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"

namespace restate::cluster {

inline absl::Status Invalid(std::string_view field, std::string_view problem) {
  return MakeError(Reason::kInvalidRestateConfig, absl::StrCat(std::string(field), ": ", std::string(problem)));
}

}  // namespace restate::cluster
