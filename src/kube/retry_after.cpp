#include "retry_after.h"

#include <algorithm>
#include <string>

namespace restate::kube {
namespace {

// The three date forms a recipient must accept (RFC 9110, 5.6.7).
constexpr const char* kDateFormats[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};

constexpr std::string_view kBlank = " \t";

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::optional<absl::Duration> ParseRetryAfter(std::string_view text, absl::Time now) {
  constexpr absl::Duration kLongest = absl::Hours(1);
  text = Trim(text);
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    // More digits than this are longer than an hour anyway, and would overflow.
    return text.size() > 9 ? kLongest : std::min(absl::Seconds(std::stoll(std::string(text))), kLongest);
  }
  for (const char* format : kDateFormats) {
    absl::Time time;
    if (absl::ParseTime(format, std::string(text), absl::UTCTimeZone(), &time, nullptr)) {
      return std::clamp(time - now, absl::ZeroDuration(), kLongest);
    }
  }
  return std::nullopt;
}

}  // namespace restate::kube
