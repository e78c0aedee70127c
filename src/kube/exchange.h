// Exchange: what the calling thread and the I/O thread share about one request.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "restate/base/guarded.h"
#include "restate/kube/http.h"

namespace restate::kube {

// The I/O thread reports what happens, the caller waits for it and takes the bytes. Thread safe.
class Exchange {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Stage { kSent, kHead, kBytes, kEnd };
  enum class Verdict { kMore, kPause, kRefuse };

  // Bytes beyond `max_body` are refused. From `high_water` waiting bytes on the sender is paused.
  Exchange(std::size_t max_body, std::size_t high_water) : max_body_(max_body), high_water_(high_water) {}

  // --- I/O thread
  void MarkSent();  // the request's head has been written: from here on the server may have seen it
  void SetHead(HttpResponse head);
  // kPause: the bytes are taken, and `resume` is called once there is room for more. kRefuse: nobody wants them.
  Verdict Append(std::string_view bytes, std::function<void()> resume);
  // The end. `stale`: writing failed, most likely on a kept-alive connection that the server had closed.
  void Finish(absl::Status status, bool stale = false);

  // --- caller
  // Waits until `stage` is reached or all is over. false: stopped, or `until` has passed.
  bool WaitFor(Stage stage, std::stop_token stop, TimePoint until);
  std::optional<HttpResponse> head();
  std::string TakeBytes();
  bool finished();
  bool sent();
  bool stale();
  bool too_long();
  absl::Status status();
  // Nothing more is wanted: frees the bytes and refuses further ones.
  void Abandon();

 private:
  bool Reached(Stage stage) const;  // mutex_ held
  static void Call(std::vector<std::function<void()>>& resumes);

  const std::size_t max_body_, high_water_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<HttpResponse> head_ GUARDED_BY(mutex_);
  std::string bytes_ GUARDED_BY(mutex_);
  std::size_t received_ GUARDED_BY(mutex_) = 0;
  std::vector<std::function<void()>> paused_ GUARDED_BY(mutex_);
  absl::Status status_ GUARDED_BY(mutex_);
  bool sent_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  bool stale_ GUARDED_BY(mutex_) = false;
  bool too_long_ GUARDED_BY(mutex_) = false;
  bool abandoned_ GUARDED_BY(mutex_) = false;
};

}  // namespace restate::kube
