// An HttpClient that answers from a function and keeps what it was asked.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "restate/kube/http.h"

namespace restate::testing {

class FakeHttp : public kube::HttpClient {
 public:
  using Answer = std::function<absl::StatusOr<kube::HttpResponse>(const kube::HttpRequest& request)>;
  explicit FakeHttp(Answer answer) : answer_(std::move(answer)) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request, std::stop_token) override {
    Keep(request);
    return answer_(request);
  }
  absl::StatusOr<std::unique_ptr<kube::HttpStream>> Open(const kube::HttpRequest& request, std::stop_token) override {
    Keep(request);
    auto response = answer_(request);
    if (!response.ok()) return response.status();
    return std::make_unique<Stream>(*std::move(response));
  }

  std::vector<kube::HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  kube::HttpRequest last() const { return requests().back(); }

 private:
  class Stream : public kube::HttpStream {
   public:
    explicit Stream(kube::HttpResponse response) : body_(std::move(response.body)), head_(std::move(response)) {
      head_.body.clear();
    }
    const kube::HttpResponse& head() const override { return head_; }
    absl::StatusOr<bool> Read(std::string* out) override {
      if (body_.empty()) return false;
      out->append(std::exchange(body_, {}));
      return true;
    }

   private:
    std::string body_;
    kube::HttpResponse head_;
  };

  void Keep(const kube::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }

  const Answer answer_;
  mutable std::mutex mutex_;
  std::vector<kube::HttpRequest> requests_;
};

inline kube::HttpResponse Answer(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .retry_after = {}, .body = std::move(body)};
}

}  // namespace restate::testing
