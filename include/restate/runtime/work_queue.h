// WorkQueue: which key is due next. The client-go contract: a key is queued once, never worked on twice at the same
// time, and worked on once more when it was added meanwhile.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <tuple>
#include <utility>

#include "restate/base/clock.h"
#include "restate/base/guarded.h"
#include "restate/kube/resource.h"

namespace restate::runtime {

// What the metrics of a queue show (client-rules Q9). Called with no lock held, from any thread.
struct QueueObserver {
  virtual ~QueueObserver() = default;
  virtual void Added() {}                  // a key that had no date got one
  virtual void Waited(Clock::Duration) {}  // from due to taken
  virtual void Depth(std::size_t) {}       // keys that are due
  virtual void Retried() {}
};

// Thread safe; one mutex. Every operation costs O(log n) of the keys known.
class WorkQueue {
 public:
  // Among the keys that are due, live ones go first. Background: initial lists and periodic passes (Q8).
  enum class Priority : std::uint8_t { kLive, kBackground };

  // Back-off of a key that fails: the first delay, doubled up to the second.
  static constexpr Clock::Duration kFirstRetry = std::chrono::seconds(1);
  static constexpr Clock::Duration kLastRetry = std::chrono::minutes(5);

  explicit WorkQueue(Clock& clock, QueueObserver* observer = nullptr) : clock_(clock), observer_(observer) {}

  // The key is due now, or after a delay. Of two dates the earlier wins; of two priorities the higher.
  void Add(const kube::Key& key, Priority priority = Priority::kLive);
  void AddAfter(const kube::Key& key, Clock::Duration delay, Priority priority = Priority::kBackground);
  // A failure: due after the key's back-off, which doubles at each call until Forget, but not later than `at_most`. The
  // other side's own wish (Retry-After) stands above both: `at_least`.
  void AddRateLimited(const kube::Key& key, Clock::Duration at_least = {}, Clock::Duration at_most = kLastRetry);
  // A failure that is worth an immediate second look (a lost race): due now the first time since Forget, then as above.
  void AddAtOnce(const kube::Key& key);
  // A success: the back-off starts anew. Dates already set stay.
  void Forget(const kube::Key& key);

  // Blocks for a due key that no worker holds; nullopt once stopped, even when keys are due. Every key taken is handed
  // back with Done.
  std::optional<kube::Key> Take(std::stop_token stop);
  void Done(const kube::Key& key);

  std::size_t depth() const;                 // keys that are due and not held
  int failures(const kube::Key& key) const;  // since Forget
  bool held(const kube::Key& key) const;     // a worker has it

 private:
  struct Due {
    Clock::TimePoint at;
    Priority priority;
  };
  using DueMap = std::map<kube::Key, Due>;

  // `failed`: the add counts as a retry.
  void AddAt(const kube::Key& key, Clock::Duration delay, Priority priority, bool failed);
  int CountFailure(const kube::Key& key);
  // The functions below are called with mutex_ held.
  bool Merge(const kube::Key& key, Due due);  // true: the key had no date
  void Link(const DueMap::value_type& entry);
  void Unlink(const DueMap::value_type& entry);
  void Promote();
  std::size_t DueCount() const;

  Clock& clock_;
  QueueObserver* const observer_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Every key that has a date. One that is not held is also in `ready_` or `delayed_`; a held one waits for its Done.
  DueMap due_ GUARDED_BY(mutex_);
  std::set<std::tuple<Priority, Clock::TimePoint, kube::Key>> ready_ GUARDED_BY(mutex_);
  std::set<std::pair<Clock::TimePoint, kube::Key>> delayed_ GUARDED_BY(mutex_);
  std::set<kube::Key> held_ GUARDED_BY(mutex_);
  std::map<kube::Key, int> failures_ GUARDED_BY(mutex_);
  std::uint64_t version_ GUARDED_BY(mutex_) = 0;  // moves with `ready_` and `delayed_`: wakes who waits for a key
};

}  // namespace restate::runtime
