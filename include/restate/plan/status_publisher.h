// StatusPublisher: writes statuses that differ, and spares the API server the moments in between.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>

#include "absl/status/statusor.h"
#include "restate/base/clock.h"
#include "restate/base/guarded.h"
#include "restate/json/value.h"
#include "restate/kube/client.h"
#include "restate/kube/object.h"
#include "restate/runtime/cache.h"

namespace restate::plan {

struct StatusToPublish {
  kube::Resource resource;
  kube::ObjectPtr object;  // as last seen
  json::Value current;     // its status as last seen; null: none yet
  json::Value wanted;
  bool urgent = false;  // somebody waits for this news: an error, a ready object, a milestone
};

// Thread safe. A status that is not urgent is held back for 2 s, and for 10 s after the last one, so that the many
// small steps of a start (0 of 3 ready, 1 of 3, ...) become one or two writes. What an older CRD does not know, the
// server drops without a word: it is sent once and not again and again.
class StatusPublisher {
 public:
  StatusPublisher(kube::Client& client, runtime::Cache& cache, Clock& clock)
      : client_(client), cache_(cache), clock_(clock) {}

  // nullopt: published or nothing to say. A duration: held back, call again then. Error: the write failed.
  absl::StatusOr<std::optional<Clock::Duration>> Publish(const StatusToPublish& status, std::stop_token stop);
  void Forget(const kube::Key& key);

 private:
  struct Pace {
    std::optional<Clock::TimePoint> written, pending_since;
    std::uint64_t sent = 0, stored = 0;  // digests of the last status that was sent, and of what became of it
  };
  bool Repeats(const kube::Key& key, const json::Value& wanted, const json::Value& current);
  std::optional<Clock::Duration> HoldBack(const kube::Key& key, bool urgent);
  void Written(const kube::Key& key, const json::Value& wanted, const json::Value& stored);
  void Settled(const kube::Key& key);

  kube::Client& client_;
  runtime::Cache& cache_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<kube::Key, Pace> paces_ GUARDED_BY(mutex_);
};

// Whether two statuses say the same; transition times do not count.
bool SameStatus(const json::Value& a, const json::Value& b);

}  // namespace restate::plan
