// Fence: lets writes out only while this process may write, and calls back those under way when it may no more.
#pragma once

#include <memory>
#include <stop_token>
#include <utility>

#include "absl/status/statusor.h"
#include "restate/base/clock.h"
#include "restate/kube/http.h"

namespace restate::kube {

struct Permit {
  Clock::TimePoint send_by;  // what has not left by then must not leave
  std::stop_token lost;      // asked when the permission ends: what is under way is to be cancelled
};

class Fence {
 public:
  virtual ~Fence() = default;
  // Asked before each write; thread safe. Error: kStopped while this process may not write; kApiUnavailable when the
  // permission has to be renewed first, so that a later try may succeed.
  virtual absl::StatusOr<Permit> Enter() const = 0;
};

// A stop that is asked when either of two is.
class EitherStop {
 public:
  EitherStop(std::stop_token one, std::stop_token other)
      : one_(std::move(one), Ask{source_}), other_(std::move(other), Ask{source_}) {}
  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Ask {
    std::stop_source source;
    void operator()() const { source.request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Ask> one_, other_;
};

// `inner` behind a fence that outlives it: requests other than GET leave with its permission only. One that was refused
// or came too late fails as an unsent one (WasNotSent) or, where the permission is lost, with kStopped.
std::unique_ptr<HttpClient> NewFencedHttp(std::unique_ptr<HttpClient> inner, const Fence& fence);

}  // namespace restate::kube
