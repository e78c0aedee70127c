// ScriptedHttp: an HttpClient in memory that answers what a test wrote down, in order, and records what it was asked.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "restate/base/guarded.h"
#include "restate/kube/http.h"

namespace restate::fake {

// The test's end of a body that comes bit by bit. Thread safe.
class ScriptedStream {
 public:
  void Send(std::string piece);     // arrives as one read
  void End();                       // the clean end
  void Break(absl::Status status);  // silence past the limit (kDeadlineExceeded), a reset (kApiUnavailable)

  // Blocks until the client has read everything sent and asks for more, so that what it read has had its effect; or
  // until it has let go of the stream. false: it did neither within 30 s.
  [[nodiscard]] bool WaitUntilRead();

  // The client's end.
  absl::StatusOr<bool> Read(std::string* out, const std::stop_token& stop);
  void LetGo();

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::string> pieces_ GUARDED_BY(mutex_);
  absl::Status broken_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
  bool let_go_ GUARDED_BY(mutex_) = false;
  bool waiting_ GUARDED_BY(mutex_) = false;
};

// Thread safe. A request for which nothing is scripted yet waits until something is, or its stop.
class ScriptedHttp : public kube::HttpClient {
 public:
  // What the next request that has no answer yet gets.
  void Answer(kube::HttpResponse response);
  void Answer(int status, std::string body);
  void Fail(absl::Status status);            // transport error
  std::shared_ptr<ScriptedStream> Stream();  // 200 and a body that the test sends

  // The n-th request, n >= 1; blocks until it was made. Fails the test after 30 s.
  kube::HttpRequest WaitForRequest(std::size_t n);
  std::size_t request_count() const;

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request, std::stop_token stop) override;
  absl::StatusOr<std::unique_ptr<kube::HttpStream>> Open(const kube::HttpRequest& request,
                                                         std::stop_token stop) override;

 private:
  using Reply = std::variant<kube::HttpResponse, absl::Status, std::shared_ptr<ScriptedStream>>;
  void Push(Reply reply);
  Reply Next(const kube::HttpRequest& request, const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Reply> script_ GUARDED_BY(mutex_);
  std::vector<kube::HttpRequest> requests_ GUARDED_BY(mutex_);
};

}  // namespace restate::fake
