// The inside of FakeApi, for its sources only.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "restate/base/guarded.h"
#include "fake/fake_api.h"
#include "fake/http_server.h"
#include "fake/verbs.h"
#include "fake/watch_hub.h"
#include "fake/writes.h"

namespace restate::fake {

struct FakeApi::Impl {
  mutable std::mutex mutex;
  mutable std::condition_variable_any changed;
  ServerTruth truth GUARDED_BY(mutex);
  WatchHub hub GUARDED_BY(mutex);
  std::deque<ApiRequest> requests GUARDED_BY(mutex);
  int first_number GUARDED_BY(mutex) = 1;  // of requests.front()
  int in_flight GUARDED_BY(mutex) = 0, max_in_flight GUARDED_BY(mutex) = 0;
  RequestHook hook GUARDED_BY(mutex);
  int writes_to_go GUARDED_BY(mutex) = 0;
  std::function<void()> after_write GUARDED_BY(mutex);
  When when GUARDED_BY(mutex) = When::kAnswered;
  ExpiredForm expired_form GUARDED_BY(mutex) = ExpiredForm::kEvent;
  const Clock* clock GUARDED_BY(mutex) = nullptr;
  bool collects_garbage GUARDED_BY(mutex) = false;
  bool runs_replica_sets GUARDED_BY(mutex) = false;
  std::int64_t replica_sets_seen GUARDED_BY(mutex) = 0;
  std::unique_ptr<HttpServer> server;  // last: its threads use the rest

  // Requests (fake_api.cpp).
  bool Handle(ApiRequest request, Connection& connection, std::stop_token stop);
  bool HandleSound(ApiRequest& request, Connection& connection, const Fault& fault, std::stop_token stop);
  bool HandleWatch(const ApiRequest& request, Connection& connection, std::stop_token stop);
  std::optional<Watch> OpenWatch(const ApiRequest& request, Answer* refusal);
  void Record(const ApiRequest& request);
  std::function<void()> CountWrite(When now);

  // With the lock held.
  const Kind& KindOf(const kube::Resource& resource) const;
  void Tick();                        // sets the time of the next write
  void Settle();                      // what controllers do after a write; wakes the watches
  void SetCounts(const kube::Key& key, const ReplicaCounts& counts);
  void RunControllers();
};

}  // namespace restate::fake
