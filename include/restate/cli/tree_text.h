// The tree for people: one line per object in columns, and under it what it waits for.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "restate/cli/text.h"
#include "restate/cli/tree.h"

namespace restate::cli {

// Ends with a line feed. `where` says which part of the cluster was looked at ("namespace shop"): an empty tree says
// that there is nothing there, and what to do.
std::string ToText(const Tree& tree, absl::Time now, const Style& style, std::string_view where);

// "not ready for 4m10s: Reason: message": a wait in one line. Not cleaned, not coloured.
std::string Sentence(const Wait& wait, absl::Time now);
Colour ColourOf(State state);

}  // namespace restate::cli
