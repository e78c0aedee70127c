#include "restate/app/losses.h"

namespace restate::app {

void Losses::Gone(const kube::Key& key, bool held) {
  if (!held) return tell_(key);
  const std::lock_guard lock(mutex_);
  doubtful_.insert(key);
}

void Losses::Passed(const kube::Key& key, const absl::Status& error) {
  {
    const std::lock_guard lock(mutex_);
    if (doubtful_.erase(key) == 0) return;
  }
  if (!error.ok()) tell_(key);
}

}  // namespace restate::app
