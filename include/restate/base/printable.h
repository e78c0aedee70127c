// Printable: any bytes as one line that people, terminals and JSON readers can be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace restate {

// Valid UTF-8 without control characters (C1 ones included: terminals obey them), at most `limit` bytes, cut between
// characters. A control character becomes a blank, a byte that belongs to no character becomes "?".
std::string Printable(std::string_view text, std::size_t limit = std::string_view::npos);

}  // namespace restate
