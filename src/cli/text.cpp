#include "restate/cli/text.h"

#include <strings.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace restate::cli {
namespace {

std::string_view Variable(const kube::Environment& environment, const char* name) {
  const char* value = environment(name);
  return value ? value : "";
}

bool SpeaksUtf8(const kube::Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale(Variable(environment, name));
    if (locale.empty()) continue;
    const auto dot = locale.find('.');
    if (dot == std::string::npos) return false;
    const std::string charset = locale.substr(dot + 1, locale.find('@') - dot - 1);
    return strcasecmp(charset.c_str(), "utf-8") == 0 || strcasecmp(charset.c_str(), "utf8") == 0;
  }
  return false;
}

struct Decoded {
  char32_t code;
  std::size_t bytes;  // 0: no UTF-8
};

Decoded DecodeOne(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (bytes == 0 || text.size() < bytes) return {0, 0};
  char32_t code = first & (0xff >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (next & 0x3f);
  }
  return {code, bytes};
}

// Control characters of C0 and C1, and those that turn or hide what follows (bidirectional marks, separators, BOM).
bool Steers(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}

}  // namespace

Style StyleFor(bool terminal, const kube::Environment& environment) {
  const bool wanted = Variable(environment, "NO_COLOR").empty() && Variable(environment, "TERM") != "dumb";
  return {.colours = terminal && wanted, .unicode = SpeaksUtf8(environment)};
}

std::string Paint(const Style& style, Colour colour, std::string_view text) {
  constexpr std::array<const char*, 5> kCodes{"", "32", "33", "31", "2"};
  if (!style.colours || colour == Colour::kPlain || text.empty()) return std::string(text);
  return absl::StrCat("\033[", kCodes.at(static_cast<std::size_t>(colour)), "m", std::string(text), "\033[0m");
}

std::string Clean(const Style& style, std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const auto [code, bytes] = DecodeOne(text);
    const bool blank = bytes == 1 && (code == '\n' || code == '\t' || code == '\r');
    const bool shown = bytes > 0 && !Steers(code) && (bytes == 1 || style.unicode);
    clean += blank ? " " : shown ? std::string(text.substr(0, bytes)) : "?";
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return clean;
}

std::string Age(absl::Duration duration) {
  const std::int64_t seconds = std::max<std::int64_t>(absl::ToInt64Seconds(duration), 0);
  const std::int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  const auto with = [](std::int64_t big, const char* unit, std::int64_t small, const char* rest) {
    return absl::StrCat(big, unit, big < 10 && small > 0 ? absl::StrCat(small, rest) : "");
  };
  if (days > 0) return with(days, "d", hours % 24, "h");
  if (hours > 0) return with(hours, "h", minutes % 60, "m");
  if (minutes > 0) return with(minutes, "m", seconds % 60, "s");
  return absl::StrCat(seconds, "s");
}

std::string Distance(absl::Time time, absl::Time now) {
  return time > now ? absl::StrCat("in ", Age(time - now)) : absl::StrCat(Age(now - time), " ago");
}

}  // namespace restate::cli
