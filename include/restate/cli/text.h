// Text for terminals: what a terminal can show, colours, and durations as people say them.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "restate/kube/credentials.h"

namespace restate::cli {

struct Style {
  bool colours = false;
  bool unicode = false;  // else ASCII: the locale is not UTF-8
};

// Colours on a terminal only, and not where NO_COLOR is set (https://no-color.org) or TERM is dumb. The locale as
// POSIX says: the first of LC_ALL, LC_CTYPE and LANG that is set.
Style StyleFor(bool terminal, const kube::Environment& environment);

enum class Colour { kPlain, kGood, kBusy, kBad, kFaint };
std::string Paint(const Style& style, Colour colour, std::string_view text);

// A text from outside on one line: control characters, which could steer the terminal, become spaces or "?"; so does
// what is no ASCII, where the style is without Unicode.
std::string Clean(const Style& style, std::string_view text);

// "42s", "4m10s", "12m", "3h5m", "14h", "2d4h", "12d"; "0s" of what is not over yet.
std::string Age(absl::Duration duration);
// "in 4m10s" or "4m10s ago".
std::string Distance(absl::Time time, absl::Time now);

}  // namespace restate::cli
