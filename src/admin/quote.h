// Texts of other servers in our messages.
#pragma once

#include <string>
#include <string_view>

#include "restate/base/printable.h"

namespace restate::admin {

// For people and logs: one line of at most 512 bytes.
inline std::string Quotable(std::string_view text) { return Printable(text, 512); }

}  // namespace restate::admin
