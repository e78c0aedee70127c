// Texts of other servers in our messages.
#pragma once

#include <string>
#include <string_view>

namespace restate::admin {

// For people and logs: one line of valid UTF-8 without control characters (C1 ones included: terminals obey them), at
// most 512 bytes, cut between characters.
std::string Quotable(std::string_view text);

}  // namespace restate::admin
