#include "restate/app/crd_gate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <vector>

#include "fake/fake_api.h"
#include "fake/fake_clock.h"

namespace restate::app {
namespace {

using std::chrono::seconds;

struct Gate {
  fake::FakeApi api;
  fake::FakeClock clock;
  Metrics metrics;
  std::unique_ptr<kube::HttpClient> http = kube::NewHttpClient({.base_url = api.url()}).value();
  kube::Client client{*http};
  std::unique_ptr<kube::EventRecorder> events = kube::NewEventRecorder(client, Clock::Real(), "test");
  std::unique_ptr<Leadership> leadership =
      Leadership::New({.leader_elect = Settings::LeaderElect::kOff}, false, {}, metrics, clock, [](const auto&) {
      }).value();

  // What the API server answers one look after the other; then it has the kind. `pauses`: as often it is waited.
  absl::Status WaitThrough(const std::vector<int>& codes, int pauses) {
    api.Serve(kube::kConfigMaps, {});
    std::atomic<std::size_t> looks = 0;
    api.OnRequest([&](const fake::ApiRequest&) -> std::optional<fake::Fault> {
      const std::size_t look = looks++;
      if (look >= codes.size()) return std::nullopt;
      return fake::Fault::Refuse(codes[look], "Reason", "told by a test");
    });
    auto waiting = std::async(std::launch::async, [this] {
      return CrdGate{kube::kConfigMaps, {}}.Wait(client, clock, metrics, *events, *leadership, {});
    });
    for (int i = 0; i < pauses; ++i) {
      REQUIRE(clock.WaitForSleepers(1));
      clock.Advance(seconds(10));
    }
    return waiting.get();
  }
};

TEST_CASE_FIXTURE(Gate, "a kind is waited for as long as the API server does not have it") {
  CHECK(WaitThrough({404, 503, 404}, 3).ok());
}

TEST_CASE_FIXTURE(Gate, "an API server that refuses everybody while it starts is asked again") {
  CHECK(WaitThrough({403, 404, 403, 503, 403}, 5).ok());
}

TEST_CASE_FIXTURE(Gate, "who may not find out whether a kind is there is told so") {
  const absl::Status ended = WaitThrough({404, 403, 403}, 2);
  CHECK(ReasonOf(ended) == Reason::kApiForbidden);
  CHECK(std::string(ended.message()).find("configmaps") != std::string::npos);
}

}  // namespace
}  // namespace restate::app
