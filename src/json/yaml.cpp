#include "restate/json/yaml.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "restate/json/text.h"

namespace restate::json {
namespace {

constexpr std::size_t kLineWidth = 100;  // texts longer than this are folded

// The code point at `at`, which moves past it. A byte that is no UTF-8 counts as one of its own value.
char32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at++]);
  const int more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
  if (more == 0 || at + more > text.size()) return byte;
  char32_t code = byte & (0x3F >> more);
  for (int i = 0; i < more; ++i) code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3F);
  return code;
}

// Whether YAML readers take the character as it is. YAML 1.1 ones, kubectl's among them, break lines at 0x85, 0x2028,
// 0x2029.
bool IsPrintable(char32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;
  return code != 0x2028 && code != 0x2029 && code != 0xFEFF && code != 0xFFFE && code != 0xFFFF;
}

bool AllPrintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!IsPrintable(NextCodePoint(text, at))) return false;
  }
  return true;
}

// Words that some YAML reader takes for something other than a string; compared in lower case.
bool IsReservedWord(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kReserved = {"null", "true", "false", "yes", "no",
                                                                "on",   "off",  "y",     "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end();
}

// Whether the text needs no quotes. Errs on the side of quotes: only a letter, "_" or "/" may come first, so that
// nothing looks like a number, a date or an indicator.
bool IsPlain(std::string_view text) {
  const auto starts_well = [](unsigned char c) { return (c < 0x80 && std::isalpha(c)) || c == '_' || c == '/'; };
  if (text.empty() || !starts_well(text.front()) || text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  const auto harmless = [](unsigned char c) { return c >= 0x20 && c < 0x7F; };
  return std::all_of(text.begin(), text.end(), harmless) && !IsReservedWord(text);
}

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code = NextCodePoint(text, at);
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\t') {
      out += "\\t";
    } else if (IsPrintable(code)) {
      out += text.substr(start, at - start);
    } else {
      absl::StrAppend(&out, "\\u", absl::Hex(static_cast<std::uint32_t>(code), absl::kZeroPad4));
    }
  }
  out += '"';
}

// A text of several lines that can stand as a literal block.
bool FitsLiteral(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') return false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code = NextCodePoint(text, at);
    if (code != '\n' && !IsPrintable(code)) return false;
  }
  return true;
}

// A text of one long line whose words can be put on several lines and joined again.
bool FitsFolded(std::string_view text) {
  return text.size() > kLineWidth && text.front() != ' ' && text.back() != ' ' &&
         text.find("  ") == std::string_view::npos && text.find(' ') != std::string_view::npos && AllPrintable(text);
}

class YamlWriter {
 public:
  // Writes what follows "key:" or "-": a scalar on the same line, or a container from the next line on.
  void AfterKey(const Value& value, int indent) {
    if (const Object* members = value.object(); members && !members->empty()) {
      out_ += '\n';
      Members(*members, indent + 2, true);
    } else if (const Array* items = value.array(); items && !items->empty()) {
      out_ += '\n';
      Items(*items, indent, true);
    } else {
      out_ += ' ';
      Scalar(value, indent + 2);
    }
  }

  void Document(const Value& value) {
    if (const Object* members = value.object(); members && !members->empty()) {
      Members(*members, 0, true);
    } else if (const Array* items = value.array(); items && !items->empty()) {
      Items(*items, 0, true);
    } else {
      Scalar(value, 2);
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  // `at_line_start`: whether the first line still needs its indentation; after "- " it does not.
  void Members(const Object& members, int indent, bool at_line_start) {
    for (const auto& [key, value] : members) {
      if (at_line_start) out_.append(indent, ' ');
      at_line_start = true;
      Text(key);
      out_ += ':';
      AfterKey(value, indent);
    }
  }

  void Items(const Array& items, int indent, bool at_line_start) {
    for (const Value& item : items) {
      if (at_line_start) out_.append(indent, ' ');
      at_line_start = true;
      out_ += "- ";
      if (const Object* members = item.object(); members && !members->empty()) {
        Members(*members, indent + 2, false);
      } else if (const Array* inner = item.array(); inner && !inner->empty()) {
        Items(*inner, indent + 2, false);
      } else {
        Scalar(item, indent + 2);
      }
    }
  }

  // A scalar or an empty container, and the end of its line.
  void Scalar(const Value& value, int indent) {
    const std::string* text = value.get<std::string>();
    if (text && FitsLiteral(*text)) return Literal(*text, indent);
    if (text && FitsFolded(*text)) return Folded(*text, indent);
    if (text) {
      Text(*text);
    } else {
      out_ += Dump(value);
    }
    out_ += '\n';
  }

  void Text(std::string_view text) {
    if (IsPlain(text)) {
      out_ += text;
    } else {
      AppendQuoted(text, out_);
    }
  }

  void Literal(std::string_view text, int indent) {
    // The mark after | says how many of the line ends at the end count: none, one, all.
    const bool ended = text.back() == '\n';
    const bool more = ended && text.size() > 1 && text[text.size() - 2] == '\n';
    out_ += !ended ? "|-\n" : more ? "|+\n" : "|\n";
    if (ended) text.remove_suffix(1);
    while (true) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      if (!line.empty()) out_.append(indent, ' ');
      out_ += line;
      out_ += '\n';
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  void Folded(std::string_view text, int indent) {
    out_ += ">-\n";
    while (!text.empty()) {
      // Up to the last blank within the width; up to the next one when a word is wider.
      std::size_t end = text.size() <= kLineWidth ? std::string_view::npos : text.rfind(' ', kLineWidth);
      if (end == std::string_view::npos && text.size() > kLineWidth) end = text.find(' ');
      out_.append(indent, ' ');
      out_ += text.substr(0, end);
      out_ += '\n';
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string ToFlowYaml(const Value& value) {
  std::string text = Dump(value);
  if (AllPrintable(text)) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code = NextCodePoint(text, at);
    if (IsPrintable(code)) {
      out.append(text, start, at - start);
    } else {  // within a string: elsewhere is nothing but ASCII
      absl::StrAppend(&out, "\\u", absl::Hex(static_cast<std::uint32_t>(code), absl::kZeroPad4));
    }
  }
  return out;
}

std::string ToYaml(const Value& value) {
  YamlWriter writer;
  writer.Document(value);
  return writer.Take();
}

}  // namespace restate::json
