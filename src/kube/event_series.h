// EventSeries: which request, if any, an event is worth. Pure bookkeeping: no threads, no requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "restate/base/clock.h"
#include "restate/json/value.h"
#include "restate/kube/events.h"
#include "restate/kube/resource.h"

namespace restate::kube {

class EventSeries {
 public:
  explicit EventSeries(std::string instance);

  struct Send {
    bool create = true;  // else a merge patch
    Key key;             // of the Event object
    json::Value body;
    std::string series;  // for Forget
  };
  // Counts an event. nullopt: nothing is to be sent, because its series was brought up to date less than 5 minutes ago
  // or because its object has used up its budget (25, then one in 5 minutes).
  std::optional<Send> Add(const Event& event, Clock::TimePoint now, absl::Time wall);
  // The Event object of a series does not exist: the next event makes a new one.
  void Forget(const std::string& series) { series_.erase(series); }

 private:
  struct Series {
    Key key;
    std::int64_t count = 0;
    Clock::TimePoint seen, sent;
  };
  struct Budget {
    double left = 0;
    Clock::TimePoint at;
  };
  bool Spend(const std::string& object, Clock::TimePoint now);
  void DropOld(Clock::TimePoint now);
  json::Value Body(const Event& event, const Key& key, absl::Time wall) const;
  Key NewKey(const json::Value& regarding, absl::Time wall);

  const std::string instance_;
  std::uint64_t made_ = 0;
  std::map<std::string, Series> series_;
  std::map<std::string, Budget> budgets_;
};

}  // namespace restate::kube
