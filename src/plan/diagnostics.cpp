#include "restate/plan/diagnostics.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

#include "restate/base/error.h"
#include "restate/plan/verdict.h"

namespace restate::plan {
namespace {

json::Value Time(absl::Time time) { return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

// A warning is what is an event too; to wait is a day's work.
void TellLog(std::string_view kind, const kube::Key& key, const Waiting& waiting) {
  const ReasonRow& row = RowOf(waiting.reason);
  spdlog::log(row.event ? spdlog::level::warn : spdlog::level::info, "{} {}: {}: {}", kind, key.ToString(), row.name,
              CutMessage(waiting.message));
}

}  // namespace

void Diagnostics::Passed(std::string_view kind, const kube::Key& key, std::optional<Waiting> waiting, absl::Time now) {
  if (!Note(kind, key, waiting, now)) return;
  if (waiting) return TellLog(kind, key, *waiting);
  spdlog::info("{} {}: waits for nothing any more", kind, key.ToString());
}

bool Diagnostics::Note(std::string_view kind, const kube::Key& key, const std::optional<Waiting>& waiting,
                       absl::Time now) {
  std::lock_guard lock(mutex_);
  last_event_ = now;
  const std::pair id(std::string(kind), key);
  if (!waiting) {
    const auto ended = waiting_.extract(id);
    return ended && ended.mapped().told;
  }
  Entry& entry = waiting_.try_emplace(id, Entry{*waiting, std::nullopt, now}).first->second;
  entry.waiting = *waiting;
  // The same reason with another count is still the same wait.
  if (IsMoment(waiting->reason) || entry.told == waiting->reason) return false;
  entry.told = waiting->reason;
  entry.since = now;
  return true;
}

void Diagnostics::Forget(std::string_view kind, const kube::Key& key) {
  std::lock_guard lock(mutex_);
  waiting_.erase({std::string(kind), key});
}

json::Value Diagnostics::ToJson(std::size_t limit) const {
  std::lock_guard lock(mutex_);
  using Iterator = decltype(waiting_)::const_iterator;
  std::vector<Iterator> longest;
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) longest.push_back(it);
  std::stable_sort(longest.begin(), longest.end(),
                   [](Iterator a, Iterator b) { return a->second.since < b->second.since; });
  json::Array list;
  for (const Iterator it : longest) {
    if (list.size() == limit) break;
    const auto& [kind, key] = it->first;
    list.push_back(json::Obj({{"kind", kind},
                              {"namespace", key.ns.empty() ? json::Value() : json::Value(key.ns)},
                              {"name", key.name},
                              {"reason", RowOf(it->second.waiting.reason).name},
                              {"message", it->second.waiting.message},
                              {"since", Time(it->second.since)}}));
  }
  json::Value page =
      json::Obj({{"waiting", std::move(list)}, {"waiting_total", static_cast<std::int64_t>(waiting_.size())}});
  page["last_event"] = last_event_ ? Time(*last_event_) : json::Value();
  return page;
}

}  // namespace restate::plan
