// Cutting texts for the size limits of the API server, which counts bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace restate::kube {

// `text` if it has at most `limit` bytes, else its beginning and an ellipsis, together at most `limit` bytes, cut
// between two characters. `limit` is at least 3, the ellipsis itself.
inline std::string CutUtf8(std::string_view text, std::size_t limit) {
  constexpr std::string_view kEllipsis = "\u2026";
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit - kEllipsis.size();
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  while (end > 0 && continues(end)) --end;
  return std::string(text.substr(0, end)).append(kEllipsis);
}

}  // namespace restate::kube
