// Woken: whom a class woke, in order.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "restate/kube/resource.h"

namespace restate::admin {

// Thread safe.
class Woken {
 public:
  void Add(const kube::Key& key) {
    const std::lock_guard lock(mutex_);
    keys_.push_back(key);
    changed_.notify_all();
  }
  // Waits until so many were woken, in real time.
  std::vector<kube::Key> WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return keys_.size() >= count; }));
    return keys_;
  }
  std::size_t Times(const kube::Key& key) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(keys_.begin(), keys_.end(), key));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<kube::Key> keys_;
};

}  // namespace restate::admin
