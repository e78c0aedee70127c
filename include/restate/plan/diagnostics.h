// Diagnostics: what every object waits for just now, for the diagnostics page and for people who ask "why". The log has
// a line whenever that changes, but for moments (IsMoment): to ask Restate once more is no news.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "restate/base/error.h"
#include "restate/base/guarded.h"
#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::plan {

// Why an object is not where it should be.
struct Waiting {
  Reason reason;  // as in its Ready condition
  std::string message;
};

// Thread safe.
class Diagnostics {
 public:
  // A pass over the object has ended; nullopt: it waits for nothing.
  void Passed(std::string_view kind, const kube::Key& key, std::optional<Waiting> waiting, absl::Time now);
  void Forget(std::string_view kind, const kube::Key& key);

  // {"last_event": RFC 3339 time of the last pass or null, "waiting": [{kind, namespace, name, reason, message,
  // since}]}, at most `limit` objects, longest wait first, and "waiting_total".
  json::Value ToJson(std::size_t limit) const;

 private:
  // Whether the log should hear of it.
  bool Note(std::string_view kind, const kube::Key& key, const std::optional<Waiting>& waiting, absl::Time now);

  struct Entry {
    Waiting waiting;
    std::optional<Reason> told;  // what the log knows of; nullopt: there were moments only
    absl::Time since;
  };
  mutable std::mutex mutex_;
  std::optional<absl::Time> last_event_ GUARDED_BY(mutex_);
  std::map<std::pair<std::string, kube::Key>, Entry> waiting_ GUARDED_BY(mutex_);
};

}  // namespace restate::plan
