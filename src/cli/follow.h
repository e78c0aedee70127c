// Follow: some resources kept in a cache, and a wait for the next change of any of them.
#pragma once

#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "restate/base/clock.h"
#include "restate/base/guarded.h"
#include "restate/kube/client.h"
#include "restate/runtime/reflector.h"

namespace restate::cli {

// Thread safe. `client` must outlive it.
class Follow : private runtime::ReflectorObserver {
 public:
  Follow(kube::Client& client, std::vector<runtime::ReflectorOptions> resources);
  ~Follow() override;
  Follow(const Follow&) = delete;
  Follow& operator=(const Follow&) = delete;

  // Waits until something changed or failed since the last call, `until`, or a stop. Whether something did.
  bool Await(Clock::TimePoint until, std::stop_token stop);
  const runtime::Cache& cache() const { return cache_; }
  // The last failure of each list or watch that no success has followed.
  std::map<kube::Resource, absl::Status> Troubles() const;

 private:
  void Failed(const kube::Resource& resource, const absl::Status& status) override;
  void Watched(const kube::Resource& resource) override;
  void Tell();

  runtime::Cache cache_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool news_ GUARDED_BY(mutex_) = false;
  std::map<kube::Resource, absl::Status> troubles_ GUARDED_BY(mutex_);
  std::list<runtime::Reflector> reflectors_;  // last: they end before what they report to
};

}  // namespace restate::cli
