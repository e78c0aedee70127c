#include "restate/cli/tree_text.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "restate/plan/conditions.h"

namespace restate::cli {
namespace {

constexpr std::size_t kColumns = 4;  // and what follows them in the last one, which is not padded

struct Glyphs {
  const char *branch, *last, *pipe;
};

Glyphs GlyphsFor(const Style& style) {
  return style.unicode ? Glyphs{"├─ ", "└─ ", "│  "} : Glyphs{"|- ", "`- ", "|  "};
}

// A line of the table; with `text` one that is no part of its columns.
struct Line {
  std::string prefix;  // the branches of the tree, faint
  std::array<std::string, kColumns> cells;
  std::string rest;
  std::string text;
  Colour colour = Colour::kPlain;  // of the state, or of the text
};

// Columns that a text takes: code points, as far as names and branches go.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string LabelOf(const Node& node) {
  const std::string name = kube::Key{node.ns, node.name}.ToString();
  if (node.kind == "Version") return node.name;
  return node.kind == "RestateDeployment" ? name : absl::StrCat(node.kind, " ", name);
}

std::string PodsOf(const Node& node) {
  if (!node.pods) return "";
  return absl::StrCat(node.pods->ready ? absl::StrCat(*node.pods->ready) : "?", "/", node.pods->wanted);
}

std::string WorkOf(const Node& node, absl::Time now) {
  std::int64_t total = 0;
  std::vector<std::string> parts;
  for (const auto& [status, count] : node.invocations) {
    total += count;
    parts.push_back(absl::StrCat(count, " ", status));
  }
  if (parts.empty()) return "";
  return absl::StrCat(total, total == 1 ? " invocation (" : " invocations (", absl::StrJoin(parts, ", "), ")",
                      node.oldest_invocation ? absl::StrCat(", oldest ", Age(now - *node.oldest_invocation)) : "");
}

// What is known of it besides its state.
std::string RestOf(const Node& node, absl::Time now) {
  std::vector<std::string> parts;
  if (std::string work = WorkOf(node, now); !work.empty()) parts.push_back(std::move(work));
  if (node.removed_at) {
    const std::string when = Distance(*node.removed_at, now);
    parts.push_back(node.state == State::kDeleting
                        ? absl::StrCat(*node.removed_at > now ? "drain times out " : "drain timed out ", when)
                    : *node.removed_at > now ? absl::StrCat("removed ", when)
                                             : absl::StrCat("removal due ", when));
  }
  if (node.state == State::kDrained && node.pods && node.pods->wanted == 0) parts.push_back("kept for a rollback");
  if (node.kind == "Version" && !node.deployment_id.empty()) parts.push_back(node.deployment_id);
  if (!node.images.empty()) parts.push_back(absl::StrJoin(node.images, " "));
  return absl::StrJoin(parts, "  ");
}

class Table {
 public:
  Table(absl::Time now, const Style& style) : now_(now), style_(style), glyphs_(GlyphsFor(style)) {
    lines_.push_back({.cells = {"NAME", "STATE", "PODS", "SINCE"}, .colour = Colour::kFaint});
  }

  // `here` comes before its own line, `below` before those of what hangs under it.
  void Add(const Node& node, const std::string& here, const std::string& below) {
    Line line{.prefix = here,
              .cells = {Clean(style_, LabelOf(node)), std::string(NameOf(node.state)), PodsOf(node),
                        node.since ? Age(now_ - *node.since) : ""},
              .rest = Clean(style_, RestOf(node, now_)),
              .colour = ColourOf(node.state)};
    lines_.push_back(std::move(line));
    const Colour urgency = node.state == State::kStalled ? Colour::kBad : Colour::kBusy;
    for (const Wait& wait : node.waits) {
      lines_.push_back({.prefix = below + (node.children.empty() ? "   " : glyphs_.pipe),
                        .text = Clean(style_, Sentence(wait, now_)),
                        .colour = urgency});
    }
    for (const Node& child : node.children) {
      const bool last = &child == &node.children.back();
      Add(child, below + (last ? glyphs_.last : glyphs_.branch), below + (last ? "   " : glyphs_.pipe));
    }
  }

  std::string ToString() const {
    std::array<std::size_t, kColumns> widths{};
    for (const Line& line : lines_) {
      for (std::size_t i = 0; i < kColumns; ++i) {
        widths[i] = std::max(widths[i], WidthOf(line.cells[i]) + (i == 0 ? WidthOf(line.prefix) : 0));
      }
    }
    std::string text;
    for (const Line& line : lines_) absl::StrAppend(&text, Format(line, widths), "\n");
    return text;
  }

 private:
  std::string Format(const Line& line, const std::array<std::size_t, kColumns>& widths) const {
    std::string text = Paint(style_, Colour::kFaint, line.prefix);
    if (!line.text.empty()) return text + Paint(style_, line.colour, line.text);
    const bool head = &line == &lines_.front();
    std::string padding;
    for (std::size_t i = 0; i < kColumns; ++i) {
      if (!line.cells[i].empty()) {
        const bool coloured = head || i == 1;
        absl::StrAppend(&text, padding, Paint(style_, coloured ? line.colour : Colour::kPlain, line.cells[i]));
        padding.clear();
      }
      padding.append(widths[i] + 2 - WidthOf(line.cells[i]) - (i == 0 ? WidthOf(line.prefix) : 0), ' ');
    }
    return line.rest.empty() ? text : text + padding + Paint(style_, Colour::kFaint, line.rest);
  }

  absl::Time now_;
  Style style_;
  Glyphs glyphs_;
  std::vector<Line> lines_;
};

}  // namespace

Colour ColourOf(State state) {
  switch (state) {
    case State::kReady:
    case State::kCurrent: return Colour::kGood;
    case State::kStalled:
    case State::kMissing: return Colour::kBad;
    case State::kWaiting:
    case State::kSuspended:
    case State::kDeleting:
    case State::kDraining:
    case State::kRemoving:
    case State::kUnseen: return Colour::kBusy;
    case State::kScaledToZero:
    case State::kDrained: return Colour::kFaint;
    case State::kNone: return Colour::kPlain;
  }
  return Colour::kPlain;
}

std::string Sentence(const Wait& wait, absl::Time now) {
  const bool ready = wait.about == "Ready";
  const std::string_view what = ready                     ? "not ready"
                                : wait.about == "Warning" ? "warning"
                                : wait.about == "Version" ? "its removal waits"
                                                          : "waits";
  return absl::StrCat(std::string(what), wait.since ? absl::StrCat(" for ", Age(now - *wait.since)) : "", ": ",
                      plan::Joined(wait.reason, wait.message));
}

std::string ToText(const Tree& tree, absl::Time now, const Style& style, std::string_view where) {
  std::string text;
  if (tree.roots.empty()) {
    text = absl::StrCat("There is no RestateCluster, RestateCloudEnvironment or RestateDeployment here (",
                        std::string(where), ").\nkubectl restate status -A looks in all namespaces; ",
                        "`kubectl explain restatedeployment.spec` says how to begin.\n");
  } else {
    Table table(now, style);
    for (const Node& root : tree.roots) table.Add(root, "", "");
    text = table.ToString();
  }
  for (const std::string& note : tree.notes) absl::StrAppend(&text, "note: ", Clean(style, note), "\n");
  return text;
}

}  // namespace restate::cli
