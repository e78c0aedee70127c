#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "restate/admin/node_api.h"

namespace restate::admin {
namespace {

constexpr std::size_t kMaxNamed = 8;

// "partition 3 has", "partitions 3, 4 and 7 have", "partitions 0, 1, ... and 16 more have"; empty for none.
std::string Partitions(const std::vector<std::uint32_t>& ids) {
  if (ids.empty()) return "";
  if (ids.size() == 1) return absl::StrCat("partition ", ids[0], " has");
  std::string text = absl::StrCat("partitions ", ids[0]);
  const bool all = ids.size() <= kMaxNamed;
  for (std::size_t i = 1; i < (all ? ids.size() : kMaxNamed); ++i) {
    absl::StrAppend(&text, all && i + 1 == ids.size() ? " and " : ", ", ids[i]);
  }
  if (!all) absl::StrAppend(&text, " and ", ids.size() - kMaxNamed, " more");
  return text + " have";
}

// Its parts, with semicolons between them.
class Sentence {
 public:
  void Add(const std::string& part) { absl::StrAppend(&text_, text_.empty() ? "" : "; ", part); }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

void AddNodes(const NodesState& state, Sentence& sentence) {
  for (const auto& [id, node] : state.nodes) {
    if (node.alive) continue;
    std::string dead = absl::StrCat("node N", id, " is dead");
    if (node.last_seen_alive) {
      absl::StrAppend(&dead, ", last seen alive at ",
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *node.last_seen_alive, absl::UTCTimeZone()));
    }
    sentence.Add(dead);
  }
}

void AddPartitions(const NodesState& state, Sentence& sentence) {
  std::vector<std::uint32_t> leaderless, replaying;
  for (const auto& [id, partition] : state.partitions) {
    if (!partition.has_leader) leaderless.push_back(id);
    if (partition.replaying > 0) replaying.push_back(id);
    for (const std::uint32_t node : partition.broken_on) {
      sentence.Add(absl::StrCat("partition ", id, " is broken on N", node, ", whose store of it has to be replaced"));
    }
  }
  if (!leaderless.empty()) sentence.Add(Partitions(leaderless) + " no leader");
  if (!replaying.empty()) sentence.Add(Partitions(replaying) + " a processor that is not up to date yet");
  if (const std::size_t running = state.partitions.size(); running < state.configured_partitions) {
    sentence.Add(absl::StrCat(state.configured_partitions - running, " of ", state.configured_partitions,
                              " partitions run on no node"));
  }
}

}  // namespace

std::string TroubleIn(const NodesState& state) {
  Sentence sentence;
  AddNodes(state, sentence);
  AddPartitions(state, sentence);
  return std::move(sentence).text();
}

}  // namespace restate::admin
