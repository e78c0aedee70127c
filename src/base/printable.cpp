#include "restate/base/printable.h"

namespace restate {
namespace {

unsigned char ByteAt(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// The bytes of the UTF-8 character at `at`; 0 when there is none. RFC 3629, section 4.
std::size_t CharacterAt(std::string_view text, std::size_t at) {
  const unsigned char first = ByteAt(text, at), second = ByteAt(text, at + 1);
  const auto continues = [&](std::size_t i) { return (ByteAt(text, at + i) & 0xc0) == 0x80; };
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf && continues(1)) return 2;
  if (first >= 0xe0 && first <= 0xef && continues(1) && continues(2)) {
    const bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && continues(1) && continues(2) && continues(3)) {
    const bool overlong = first == 0xf0 && second < 0x90, too_large = first == 0xf4 && second > 0x8f;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

bool IsControl(std::string_view character) {
  const unsigned char first = ByteAt(character, 0);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && ByteAt(character, 1) < 0xa0);
}

}  // namespace

std::string Printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = CharacterAt(text, i);
    const std::string_view character = length == 0 ? "?" : text.substr(i, length);
    const std::string_view shown = IsControl(character) ? " " : character;
    if (out.size() + shown.size() > limit) break;
    out.append(shown);
    i += length == 0 ? 1 : length;
  }
  return out;
}

}  // namespace restate
