#include "list_text.h"

#include <optional>

namespace restate::kube {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

// The end of the string that begins at `at`: after its closing quote.
std::size_t SkipString(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Position after the '[' of the outermost object's member `items`.
std::optional<std::size_t> FindItems(std::string_view text) {
  int depth = 0;
  std::string_view last_string, key;
  for (std::size_t at = 0; at < text.size();) {
    switch (text[at]) {
      case '"': {
        const std::size_t end = SkipString(text, at);
        last_string = text.substr(at, end - at);
        at = end;
        continue;
      }
      case ':': key = depth == 1 ? last_string : std::string_view(); break;
      case ',': key = {}; break;
      case '[':
        if (depth == 1 && key == "\"items\"") return at + 1;
        [[fallthrough]];
      case '{': ++depth; break;
      case ']':
      case '}': --depth; break;
      default: break;
    }
    ++at;
  }
  return std::nullopt;
}

// Fills `items` with the elements of the array whose content begins at `at`; the position of its ']'.
std::optional<std::size_t> SplitArray(std::string_view text, std::size_t at, std::vector<std::string_view>* items) {
  int depth = 0;
  std::size_t begin = at;
  const auto add = [&](std::size_t end) {
    if (const auto item = Trim(text.substr(begin, end - begin)); !item.empty()) items->push_back(item);
    begin = end + 1;
  };
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = SkipString(text, at);
      continue;
    }
    if (c == ',' && depth == 0) add(at);
    if (c == ']' && depth == 0) {
      add(at);
      return at;
    }
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    ++at;
  }
  return std::nullopt;
}

}  // namespace

ListText SplitList(std::string_view text) {
  ListText list;
  const auto begin = FindItems(text);
  const auto end = begin ? SplitArray(text, *begin, &list.items) : std::nullopt;
  if (!end) return {std::string(text), {}};
  list.envelope = text.substr(0, *begin);
  list.envelope += text.substr(*end);
  return list;
}

}  // namespace restate::kube
