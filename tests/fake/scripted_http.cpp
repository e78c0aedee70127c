#include "fake/scripted_http.h"

#include <stdexcept>
#include <utility>

#include "restate/base/error.h"

namespace restate::fake {
namespace {

constexpr std::chrono::seconds kPatience(30);

class Body : public kube::HttpStream {
 public:
  Body(kube::HttpResponse head, std::shared_ptr<ScriptedStream> stream, std::stop_token stop)
      : head_(std::move(head)), stream_(std::move(stream)), stop_(std::move(stop)) {}
  ~Body() override { stream_->LetGo(); }

  const kube::HttpResponse& head() const override { return head_; }
  absl::StatusOr<bool> Read(std::string* out) override { return stream_->Read(out, stop_); }

 private:
  kube::HttpResponse head_;
  std::shared_ptr<ScriptedStream> stream_;
  std::stop_token stop_;
};

}  // namespace

void ScriptedStream::Send(std::string piece) {
  std::lock_guard lock(mutex_);
  pieces_.push_back(std::move(piece));
  changed_.notify_all();
}

void ScriptedStream::End() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void ScriptedStream::Break(absl::Status status) {
  std::lock_guard lock(mutex_);
  broken_ = std::move(status);
  changed_.notify_all();
}

bool ScriptedStream::WaitUntilRead() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] { return let_go_ || (waiting_ && pieces_.empty()); });
}

absl::StatusOr<bool> ScriptedStream::Read(std::string* out, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  waiting_ = true;
  changed_.notify_all();
  const bool woken = changed_.wait(lock, stop, [this] { return !pieces_.empty() || ended_ || !broken_.ok(); });
  waiting_ = false;
  if (!woken) return MakeError(Reason::kStopped, "the read was stopped");
  if (!pieces_.empty()) {
    out->append(pieces_.front());
    pieces_.pop_front();
    return true;
  }
  if (!broken_.ok()) return broken_;
  return false;
}

void ScriptedStream::LetGo() {
  std::lock_guard lock(mutex_);
  let_go_ = true;
  changed_.notify_all();
}

void ScriptedHttp::Answer(kube::HttpResponse response) { Push(std::move(response)); }

void ScriptedHttp::Answer(int status, std::string body) {
  Push(kube::HttpResponse{.status = status, .content_type = "application/json", .body = std::move(body)});
}

void ScriptedHttp::Fail(absl::Status status) { Push(std::move(status)); }

std::shared_ptr<ScriptedStream> ScriptedHttp::Stream() {
  auto stream = std::make_shared<ScriptedStream>();
  Push(stream);
  return stream;
}

kube::HttpRequest ScriptedHttp::WaitForRequest(std::size_t n) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return requests_.size() >= n; })) {
    throw std::runtime_error("request " + std::to_string(n) + " was not made within 30 s");
  }
  return requests_[n - 1];
}

std::size_t ScriptedHttp::request_count() const {
  std::lock_guard lock(mutex_);
  return requests_.size();
}

absl::StatusOr<kube::HttpResponse> ScriptedHttp::Do(const kube::HttpRequest& request, std::stop_token stop) {
  Reply reply = Next(request, stop);
  if (auto* status = std::get_if<absl::Status>(&reply)) return *status;
  if (auto* response = std::get_if<kube::HttpResponse>(&reply)) return *std::move(response);
  throw std::logic_error("a stream is scripted for " + request.method + " " + request.target);
}

absl::StatusOr<std::unique_ptr<kube::HttpStream>> ScriptedHttp::Open(const kube::HttpRequest& request,
                                                                     std::stop_token stop) {
  Reply reply = Next(request, stop);
  if (auto* status = std::get_if<absl::Status>(&reply)) return *status;
  kube::HttpResponse head{.status = 200, .content_type = "application/json"};
  auto* scripted = std::get_if<std::shared_ptr<ScriptedStream>>(&reply);
  auto stream = scripted ? *scripted : std::make_shared<ScriptedStream>();
  if (auto* response = std::get_if<kube::HttpResponse>(&reply)) {
    head = *response;
    head.body.clear();
    if (!response->body.empty()) stream->Send(response->body);
    stream->End();
  }
  return std::make_unique<Body>(std::move(head), std::move(stream), std::move(stop));
}

void ScriptedHttp::Push(Reply reply) {
  std::lock_guard lock(mutex_);
  script_.push_back(std::move(reply));
  changed_.notify_all();
}

ScriptedHttp::Reply ScriptedHttp::Next(const kube::HttpRequest& request, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  requests_.push_back(request);
  changed_.notify_all();
  if (!changed_.wait(lock, stop, [this] { return !script_.empty(); })) {
    return MakeError(Reason::kStopped, "the request was stopped");
  }
  Reply reply = std::move(script_.front());
  script_.pop_front();
  return reply;
}

}  // namespace restate::fake
