#include "restate/cli/unified_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"

namespace restate::cli {
namespace {

constexpr std::size_t kAround = 3;  // lines shown before and after a change

using Lines = std::vector<std::string_view>;

struct Edit {
  char mark;  // ' ', '-' or '+'
  std::string_view line;
};

Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Lengths of the longest common subsequences of all pairs of tails.
class CommonTails {
 public:
  CommonTails(const Lines& a, const Lines& b) : width_(b.size() + 1), lengths_((a.size() + 1) * width_) {
    for (std::size_t i = a.size(); i-- > 0;) {
      for (std::size_t j = b.size(); j-- > 0;) {
        lengths_[i * width_ + j] = a[i] == b[j] ? At(i + 1, j + 1) + 1 : std::max(At(i + 1, j), At(i, j + 1));
      }
    }
  }
  std::uint32_t At(std::size_t i, std::size_t j) const { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> lengths_;
};

void AppendMiddle(const Lines& a, const Lines& b, std::vector<Edit>& edits) {
  const CommonTails common(a, b);
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      edits.push_back({' ', a[i++]});
      ++j;
    } else if (i < a.size() && (j == b.size() || common.At(i + 1, j) >= common.At(i, j + 1))) {
      edits.push_back({'-', a[i++]});
    } else {
      edits.push_back({'+', b[j++]});
    }
  }
}

// What both have at the beginning and at the end is left out of the search: most of it, mostly.
std::vector<Edit> EditsBetween(const Lines& a, const Lines& b) {
  std::size_t head = 0, tail = 0;
  const std::size_t most = std::min(a.size(), b.size());
  while (head < most && a[head] == b[head]) ++head;
  while (tail < most - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < head; ++i) edits.push_back({' ', a[i]});
  AppendMiddle(Lines(a.begin() + head, a.end() - tail), Lines(b.begin() + head, b.end() - tail), edits);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) edits.push_back({' ', a[i]});
  return edits;
}

// "12,7" as in a hunk's head: the first line, and how many. `diff` counts from the line before where there is none.
std::string Range(std::size_t begin, std::size_t count) {
  const std::size_t first = count == 0 ? begin : begin + 1;
  return count == 1 ? absl::StrCat(first) : absl::StrCat(first, ",", count);
}

std::size_t Count(const std::vector<Edit>& edits, std::size_t begin, std::size_t end, char without) {
  return std::count_if(edits.begin() + begin, edits.begin() + end, [&](const Edit& e) { return e.mark != without; });
}

// The end of the hunk that begins with the change at `change`: before a run of equal lines that is too long to be
// shown.
std::size_t EndOfHunk(const std::vector<Edit>& edits, std::size_t change) {
  std::size_t last = change;
  for (std::size_t i = change; i < edits.size() && i <= last + 2 * kAround + 1; ++i) {
    if (edits[i].mark != ' ') last = i;
  }
  return std::min(last + 1 + kAround, edits.size());
}

}  // namespace

std::string UnifiedDiff(std::string_view before, std::string_view after, std::string_view before_name,
                        std::string_view after_name) {
  if (before == after) return {};
  const std::vector<Edit> edits = EditsBetween(Split(before), Split(after));
  std::string text("--- ");
  text.append(before_name).append("\n+++ ").append(after_name).append("\n");
  for (std::size_t at = 0; at < edits.size();) {
    if (edits[at].mark == ' ') {
      ++at;
      continue;
    }
    const std::size_t begin = at - std::min(at, kAround), end = EndOfHunk(edits, at);
    absl::StrAppend(&text, "@@ -", Range(Count(edits, 0, begin, '+'), Count(edits, begin, end, '+')), " +",
                    Range(Count(edits, 0, begin, '-'), Count(edits, begin, end, '-')), " @@\n");
    for (std::size_t i = begin; i < end; ++i) text.append(1, edits[i].mark).append(edits[i].line).append("\n");
    at = end;
  }
  return text;
}

}  // namespace restate::cli
