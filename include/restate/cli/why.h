// Why one object is not as wished: its conditions in words, with cause and cure from the table of reasons
// (base/error.h), its last Warning events, and what happens next.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "restate/cli/text.h"
#include "restate/cli/tree.h"
#include "restate/json/value.h"

namespace restate::cli {

struct Warning {
  std::optional<absl::Time> last;  // when it was seen last
  std::int64_t count = 1;          // how often
  std::string reason, note;
};

// Those of `events` (events.k8s.io/v1) that are Warnings about this incarnation of `object`: newest first, five at
// most.
std::vector<Warning> WarningsOf(const json::Array& events, const json::Value& object);

// Pure. `node` is one of our objects, not a version. Ends with a line feed.
std::string WhyText(const Node& node, const std::vector<Warning>& warnings, absl::Time now, const Style& style);

}  // namespace restate::cli
