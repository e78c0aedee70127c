// WorkQueue: which key is due next. The client-go contract: a key is queued once, never worked on twice at the same time,
// and worked on once more when it was added meanwhile.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>

#include "restate/base/clock.h"
#include "restate/base/guarded.h"
#include "restate/kube/resource.h"

namespace restate::runtime {

// What the metrics of a queue show (client-rules Q9).
struct QueueObserver {
  virtual ~QueueObserver() = default;
  virtual void Added() {}
  virtual void Waited(Clock::Duration) {}  // from due to taken
  virtual void Depth(std::size_t) {}       // keys that are due
  virtual void Retried() {}
};

class WorkQueue {
 public:
  enum class Priority : std::uint8_t { kLive, kBackground };  // background: initial lists and periodic passes (Q8)

  explicit WorkQueue(Clock& clock, QueueObserver* observer = nullptr) : clock_(clock), observer_(observer) {}

  // The key is due now, or after a delay. Of two dates the earlier wins; of two priorities the higher.
  void Add(const kube::Key& key, Priority priority = Priority::kLive);
  void AddAfter(const kube::Key& key, Clock::Duration delay);
  // Due after the key's back-off: 1 s, doubled at each call, up to 5 min, until Forget. `at_least`: Retry-After.
  void AddRateLimited(const kube::Key& key, Clock::Duration at_least = {});
  void Forget(const kube::Key& key);

  // Blocks for a due key that no worker holds; nullopt once stopped. Every key taken is handed back with Done.
  std::optional<kube::Key> Take(std::stop_token stop);
  void Done(const kube::Key& key);

  std::size_t depth() const;
  int failures(const kube::Key& key) const;

 private:
  struct Due {
    Clock::TimePoint at;
    Priority priority;
  };
  void AddLocked(const kube::Key& key, Clock::TimePoint at, Priority priority);

  Clock& clock_;
  QueueObserver* const observer_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // The implementer chooses the containers; each carries GUARDED_BY(mutex_).
  std::map<kube::Key, Due> due_ GUARDED_BY(mutex_);
  std::set<kube::Key> held_ GUARDED_BY(mutex_);
  std::map<kube::Key, int> failures_ GUARDED_BY(mutex_);
  std::uint64_t version_ GUARDED_BY(mutex_) = 0;
};

}  // namespace restate::runtime
