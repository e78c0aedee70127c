#include "restate/kube/fence.h"

#include <algorithm>

#include "restate/base/error.h"
#include "transport_error.h"

namespace restate::kube {
namespace {

class FencedHttp : public HttpClient {
 public:
  FencedHttp(std::unique_ptr<HttpClient> inner, const Fence& fence) : inner_(std::move(inner)), fence_(fence) {}

  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, std::stop_token stop) override {
    if (request.method == "GET") return inner_->Do(request, std::move(stop));
    const auto permit = fence_.Enter();
    if (!permit.ok()) return MarkNotSent(permit.status());
    HttpRequest write = request;
    write.send_by = std::min(write.send_by, permit->send_by);
    const EitherStop either(std::move(stop), permit->lost);
    return inner_->Do(write, either.token());
  }

  // Streams read: nobody opens one to write.
  absl::StatusOr<std::unique_ptr<HttpStream>> Open(const HttpRequest& request, std::stop_token stop) override {
    if (request.method == "GET") return inner_->Open(request, std::move(stop));
    return MakeError(Reason::kInternalError, "a stream that is no GET cannot pass the fence");
  }

 private:
  const std::unique_ptr<HttpClient> inner_;
  const Fence& fence_;
};

}  // namespace

std::unique_ptr<HttpClient> NewFencedHttp(std::unique_ptr<HttpClient> inner, const Fence& fence) {
  return std::make_unique<FencedHttp>(std::move(inner), fence);
}

}  // namespace restate::kube
