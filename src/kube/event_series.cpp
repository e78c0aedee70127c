#include "event_series.h"

#include <algorithm>

#include "restate/base/digest.h"
#include "utf8.h"

namespace restate::kube {
namespace {

using std::chrono::minutes;

constexpr minutes kSeriesGap{10};  // after a longer pause a repeated event is a new one
constexpr minutes kPatchInterval{5};
constexpr double kBurst = 25;  // client-go's legacy filter
constexpr minutes kRefill{5};
constexpr std::size_t kRemembered = 4096;  // series and objects; beyond that the old ones go

// Limits in bytes, validated by the API server.
constexpr std::size_t kNoteLimit = 1024, kNameLimit = 128, kObjectNameLimit = 253;

std::string ObjectId(const json::Value& regarding) {
  std::string id(regarding.StringAt({"kind"}));
  id.append("\n").append(KeyOf(regarding).ToString()).append("\n").append(regarding.StringAt({"metadata", "uid"}));
  return id;
}

std::string SeriesId(const Event& event) {
  std::string id = ObjectId(event.regarding);
  id.append(event.warning ? "\nWarning\n" : "\nNormal\n").append(event.action).append("\n").append(event.reason);
  return id.append("\n").append(Sha256Hex(event.note));
}

std::string MicroTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()); }

// A part of a DNS subdomain made of `text`: at most `limit` bytes, ending in a letter or digit.
std::string DnsSafe(std::string_view text, std::size_t limit) {
  std::string safe;
  for (const char c : text.substr(0, limit)) {
    const auto lower = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const bool allowed =
        (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '-' || lower == '.';
    safe += allowed ? lower : '-';
  }
  safe.erase(safe.find_last_not_of("-.") + 1);
  safe.erase(0, safe.find_first_not_of("-."));
  return safe.empty() ? "event" : safe;
}

json::Value Reference(const json::Value& regarding) {
  const auto text = [&](std::initializer_list<std::string_view> path) {
    const std::string_view value = regarding.StringAt(path);
    return value.empty() ? json::Value() : json::Value(value);
  };
  return json::Obj({{"apiVersion", text({"apiVersion"})},
                    {"kind", text({"kind"})},
                    {"name", text({"metadata", "name"})},
                    {"namespace", text({"metadata", "namespace"})},
                    {"uid", text({"metadata", "uid"})},
                    {"resourceVersion", text({"metadata", "resourceVersion"})}});
}

}  // namespace

EventSeries::EventSeries(std::string instance) : instance_(CutUtf8(instance, kNameLimit)) {}

std::optional<EventSeries::Send> EventSeries::Add(const Event& event, Clock::TimePoint now, absl::Time wall) {
  DropOld(now);
  std::string id = SeriesId(event);
  const auto it = series_.find(id);
  const bool known = it != series_.end() && now - it->second.seen < kSeriesGap;
  if (known) {
    Series& series = it->second;
    ++series.count;
    series.seen = now;
    if (now - series.sent < kPatchInterval || !Spend(ObjectId(event.regarding), now)) return std::nullopt;
    series.sent = now;
    json::Value patch =
        json::Obj({{"series", json::Obj({{"count", series.count}, {"lastObservedTime", MicroTime(wall)}})}});
    return Send{.create = false, .key = series.key, .body = std::move(patch), .series = std::move(id)};
  }
  if (!Spend(ObjectId(event.regarding), now)) return std::nullopt;
  const Key key = NewKey(event.regarding, wall);
  series_[id] = {.key = key, .count = 1, .seen = now, .sent = now};
  return Send{.create = true, .key = key, .body = Body(event, key, wall), .series = std::move(id)};
}

bool EventSeries::Spend(const std::string& object, Clock::TimePoint now) {
  const auto [it, fresh] = budgets_.try_emplace(object, Budget{kBurst, now});
  Budget& budget = it->second;
  const double earned = std::chrono::duration<double>(now - budget.at) / std::chrono::duration<double>(kRefill);
  budget.left = std::min(kBurst, budget.left + earned);
  budget.at = now;
  // A little less than one, for a refill that was added up from parts.
  if (budget.left < 1 - 1e-6) return false;
  budget.left -= 1;
  return true;
}

void EventSeries::DropOld(Clock::TimePoint now) {
  if (series_.size() >= kRemembered) {
    std::erase_if(series_, [&](const auto& entry) { return now - entry.second.seen >= kSeriesGap; });
    if (series_.size() >= kRemembered) series_.clear();  // repeated ones then become new events
  }
  if (budgets_.size() >= kRemembered) {
    const auto full_again = kRefill * static_cast<int>(kBurst);
    std::erase_if(budgets_, [&](const auto& entry) { return now - entry.second.at >= full_again; });
    if (budgets_.size() >= kRemembered) budgets_.clear();
  }
}

Key EventSeries::NewKey(const json::Value& regarding, absl::Time wall) {
  const Key about = KeyOf(regarding);
  char suffix[40];
  snprintf(suffix, sizeof suffix, ".%llx", static_cast<unsigned long long>(absl::ToUnixNanos(wall)) + ++made_);
  const std::string name = DnsSafe(about.name, kObjectNameLimit - std::string_view(suffix).size()) + suffix;
  // Events about cluster-scoped objects live in `default`, where kubectl looks for them.
  return {about.ns.empty() ? "default" : about.ns, name};
}

json::Value EventSeries::Body(const Event& event, const Key& key, absl::Time wall) const {
  const std::string& action = event.action.empty() ? event.reason : event.action;  // required
  return json::Obj({{"apiVersion", kEvents.ApiVersion()},
                    {"kind", kEvents.kind},
                    {"metadata", json::Obj({{"namespace", key.ns}, {"name", key.name}})},
                    {"eventTime", MicroTime(wall)},
                    {"type", event.warning ? "Warning" : "Normal"},
                    {"reason", CutUtf8(event.reason, kNameLimit)},
                    {"action", CutUtf8(action, kNameLimit)},
                    {"note", CutUtf8(event.note, kNoteLimit)},
                    {"regarding", Reference(event.regarding)},
                    {"reportingController", kManager},
                    {"reportingInstance", instance_}});
}

}  // namespace restate::kube
