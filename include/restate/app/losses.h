// Losses: objects whose finalizer somebody took away, told apart from those that the operator let go itself.
#pragma once

#include <functional>
#include <mutex>
#include <set>

#include "absl/status/status.h"
#include "restate/base/guarded.h"
#include "restate/kube/resource.h"

namespace restate::app {

// Thread safe; calls `tell` with no lock held.
class Losses {
 public:
  explicit Losses(std::function<void(const kube::Key&)> tell) : tell_(std::move(tell)) {}

  // An object went that had our finalizer when it was last seen. `held`: a pass over it is under way. That may be the
  // one that lets it go (the event can overtake the answer to its write), so its end is waited for.
  void Gone(const kube::Key& key, bool held);
  // A pass is over. One that let its object go has succeeded; one that was about to, and came too late, has not.
  void Passed(const kube::Key& key, const absl::Status& error);

 private:
  const std::function<void(const kube::Key&)> tell_;
  std::mutex mutex_;
  std::set<kube::Key> doubtful_ GUARDED_BY(mutex_);
};

}  // namespace restate::app
