// Why one object is not as wished: its conditions in words, with cause and cure from the table of reasons
// (base/error.h), what its pods say, its last Warning events, and what happens next.
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

// "pod greeter-x: container greeter: ErrImagePull: not found" of each of these pods that is not ready.
std::vector<std::string> PodTroublesOf(const json::Array& pods);

// What others say about an object.
struct Evidence {
  std::vector<Warning> warnings;
  std::vector<std::string> pods;  // their troubles
};

// Pure. `node` is one of our objects, not a version. Ends with a line feed.
std::string WhyText(const Node& node, const Evidence& evidence, absl::Time now, const Style& style);

}  // namespace restate::cli
