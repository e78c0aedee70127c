#include "follow.h"

namespace restate::cli {

Follow::Follow(kube::Client& client, std::vector<runtime::ReflectorOptions> resources) {
  for (runtime::ReflectorOptions& options : resources) {
    reflectors_
        .emplace_back(
            std::move(options), client, cache_, Clock::Real(),
            [this](const std::vector<runtime::Change>&, bool) { Tell(); },
            static_cast<runtime::ReflectorObserver*>(this))
        .Start();
  }
}

Follow::~Follow() { reflectors_.clear(); }

bool Follow::Await(Clock::TimePoint until, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const bool changed = Clock::Real().Wait(changed_, lock, stop, until, [this] { return news_; });
  news_ = false;
  return changed;
}

std::map<kube::Resource, absl::Status> Follow::Troubles() const {
  std::lock_guard lock(mutex_);
  return troubles_;
}

void Follow::Failed(const kube::Resource& resource, const absl::Status& status) {
  {
    std::lock_guard lock(mutex_);
    troubles_[resource] = status;
  }
  Tell();
}

void Follow::Watched(const kube::Resource& resource) {
  std::lock_guard lock(mutex_);
  troubles_.erase(resource);
}

void Follow::Tell() {
  std::lock_guard lock(mutex_);
  news_ = true;
  changed_.notify_all();
}

}  // namespace restate::cli
