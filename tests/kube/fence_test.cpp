#include "restate/kube/fence.h"

#include <doctest/doctest.h>

#include <latch>
#include <thread>

#include "fake_http.h"
#include "loopback_server.h"
#include "restate/base/error.h"

namespace restate::kube {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::FakeHttp;

struct FakeFence : Fence {
  absl::StatusOr<Permit> permit = MakeError(Reason::kStopped, "does not lead");
  absl::StatusOr<Permit> Enter() const override { return permit; }
};

struct Rig {
  FakeFence fence;
  FakeHttp* http = new FakeHttp([](const HttpRequest&) { return Answer(200, "{}"); });
  std::unique_ptr<HttpClient> fenced = NewFencedHttp(std::unique_ptr<HttpClient>(http), fence);
};

TEST_CASE_FIXTURE(Rig, "L7: without permission reads pass, and no write does") {
  CHECK(fenced->Do({.target = "/x"}, {}).ok());
  CHECK(fenced->Open({.target = "/x?watch=1"}, {}).ok());
  REQUIRE(http->requests().size() == 2);
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    const auto refused = fenced->Do({.method = method, .target = "/x", .body = "{}"}, {});
    CHECK(ReasonOf(refused.status()) == Reason::kStopped);
    CHECK(WasNotSent(refused.status()));
  }
  CHECK(http->requests().size() == 2);
}

TEST_CASE_FIXTURE(Rig, "L7: with permission a write passes, and carries the time by which it must have left") {
  const Clock::TimePoint send_by = Clock::Real().Now() + seconds(3);
  fence.permit = Permit{send_by, {}};
  CHECK(fenced->Do({.method = "PATCH", .target = "/x", .body = "{}"}, {}).ok());
  CHECK(http->last().send_by == send_by);
  CHECK(fenced->Do({.target = "/x"}, {}).ok());
  CHECK(http->last().send_by == Clock::kForever);
}

TEST_CASE("L5: what is under way when permission is lost is called back; so is what its caller stops") {
  for (const bool by_fence : {true, false}) {
    std::latch arrived(1);
    testing::LoopbackServer server([&](const testing::LoopbackServer::Call& call) {
      arrived.count_down();
      return call.WaitForPeerToLeave();
    });
    std::stop_source lost, stop;
    FakeFence fence;
    fence.permit = Permit{Clock::kForever, lost.get_token()};
    auto http = NewHttpClient({.base_url = server.url()});
    REQUIRE(http.ok());
    const auto fenced = NewFencedHttp(*std::move(http), fence);
    std::jthread loser([&] {
      arrived.wait();
      (by_fence ? lost : stop).request_stop();
    });
    const auto answer =
        fenced->Do({.method = "POST", .target = "/x", .content_type = "a/b", .body = "{}"}, stop.get_token());
    CHECK(ReasonOf(answer.status()) == Reason::kStopped);
  }
}

TEST_CASE("L7: a request whose time to leave is over does not reach the server") {
  testing::LoopbackServer server([](const testing::LoopbackServer::Call& call) { return call.Reply("{}"); });
  const auto http = NewHttpClient({.base_url = server.url()});
  REQUIRE(http.ok());
  HttpRequest request{.method = "POST", .target = "/x", .content_type = "a/b", .body = "{}"};
  request.send_by = Clock::Real().Now() - seconds(1);
  const auto late = (*http)->Do(request, {});
  CHECK(ReasonOf(late.status()) == Reason::kApiUnavailable);
  CHECK(WasNotSent(late.status()));
  CHECK(server.connections() == 0);
  request.send_by = Clock::Real().Now() + seconds(60);
  CHECK((*http)->Do(request, {}).ok());
}

}  // namespace
}  // namespace restate::kube
