// The Retry-After header of HTTP answers.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace restate::kube {

// The wait a Retry-After value asks for, as seen at `now`: seconds or an HTTP date (RFC 9110, 10.2.3), clamped to 0 s
// .. 1 h. nullopt for everything else.
std::optional<absl::Duration> ParseRetryAfter(std::string_view text, absl::Time now);

}  // namespace restate::kube
