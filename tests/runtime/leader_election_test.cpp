// Leader election at a server: the rules L3 to L9 of the client with threads, requests and answers. Time is the fake
// clock's; only the silence of a watch is real.
#include "restate/runtime/leader_election.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fake/fake_api.h"
#include "fake/fake_clock.h"
#include "restate/base/error.h"

using namespace std::chrono_literals;
using restate::MakeError;
using restate::Reason;
using restate::ReasonOf;
using restate::fake::ApiRequest;
using restate::fake::FakeApi;
using restate::fake::FakeClock;
using restate::fake::Fault;
using restate::fake::Gate;
using restate::json::Value;
using namespace restate::runtime;
using Why = EndOfTerm::Why;

namespace {

const restate::kube::Key kLease{"ours", "restate-operator"};

// One process: its own connections and clock, so that a test can let its time pass alone.
struct Peer {
  std::unique_ptr<restate::kube::HttpClient> http;
  std::unique_ptr<restate::kube::Client> client;
  FakeClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<EndOfTerm> ended;
  std::unique_ptr<LeaderElection> election;

  // A watch is silent for `duration` before its end shows, in real time.
  Peer(const FakeApi& api, const std::string& identity, restate::Clock::Duration duration = 60s,
       bool alone_if_forbidden = false) {
    auto made = restate::kube::NewHttpClient({.base_url = api.url(), .user_agent = identity});
    REQUIRE(made.ok());
    http = *std::move(made);
    client = std::make_unique<restate::kube::Client>(*http);
    election = std::make_unique<LeaderElection>(
        LeaderElectionOptions{.lease = kLease,
                              .identity = identity,
                              .times = {.duration = duration, .renew_deadline = 1s, .retry = 100ms},
                              .alone_if_forbidden = alone_if_forbidden},
        *client, clock, [this](const EndOfTerm& end) {
          const std::lock_guard lock(mutex);
          ended = end;
          changed.notify_all();
        });
    election->Start();
  }
  bool Leads() const { return election->standing().leads; }
  bool MayWrite() const { return election->Enter().ok(); }
  // Both threads have nothing to do until time passes.
  void Settle() { REQUIRE(clock.WaitForSleepers(2)); }
  void Pass(restate::Clock::Duration time) {
    clock.Advance(time);
    Settle();
  }
  Why AwaitEnd() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 30s, [this] { return ended.has_value(); }));
    return ended->why;
  }
};

struct Server {
  FakeApi api;
  Server() {
    api.CreateNamespace("ours");
    api.Serve(kLeases, {.status_subresource = false});
  }
  LeaseRecord Record() const { return RecordOf(api.Get(kLeases, kLease).value_or(Value())); }
  std::vector<std::string> MethodsOf(const std::string& agent) const {
    std::vector<std::string> methods;
    for (const ApiRequest& request : api.requests()) {
      if (request.Header("user-agent") == agent) methods.push_back(request.method);
    }
    return methods;
  }
};

using Methods = std::vector<std::string>;

TEST_CASE_FIXTURE(Server, "one alone leads, may write, and renews every half deadline") {
  Peer a(api, "a");
  CHECK(a.election->AwaitLeading({}));
  a.Settle();
  CHECK(a.MayWrite());
  CHECK(Record().holder == "a");
  CHECK(Record().duration_seconds == 60);
  CHECK(a.election->standing().holder == "a");
  CHECK(a.election->standing().since == Record().acquire_time);
  CHECK(MethodsOf("a") == Methods{"GET", "POST"});
  a.Pass(499ms);
  CHECK(MethodsOf("a").size() == 2);
  for (int i = 0; i < 5; ++i) a.Pass(500ms);
  CHECK(MethodsOf("a") == Methods{"GET", "POST", "PUT", "PUT", "PUT", "PUT", "PUT"});
  CHECK(a.Leads());
  CHECK(Record().transitions == 0);
}

TEST_CASE_FIXTURE(Server, "of several that start at once one leads; the others write nothing and ask for one watch") {
  std::map<std::string, std::unique_ptr<Peer>> peers;
  for (const char* name : {"a", "b", "c"}) peers[name] = std::make_unique<Peer>(api, name);
  REQUIRE(api.AwaitWatches(kLeases, 2));
  const std::string holder = Record().holder;
  Peer& leader = *peers.at(holder);
  REQUIRE(leader.election->AwaitLeading({}));
  leader.Settle();
  api.ClearRequests();
  for (int i = 0; i < 10; ++i) leader.Pass(500ms);
  CHECK(MethodsOf(holder) == std::vector<std::string>(10, "PUT"));
  CHECK(api.requests().size() == 10);
  peers.erase(holder);
  for (const auto& [name, peer] : peers) {
    CHECK_FALSE(peer->Leads());
    CHECK(ReasonOf(peer->election->Enter().status()) == Reason::kStopped);
    CHECK(peer->election->standing().holder == holder);
  }
}

TEST_CASE_FIXTURE(Server, "L6: a release is taken up at once, and counted") {
  Peer a(api, "a");
  REQUIRE(a.election->AwaitLeading({}));
  Peer b(api, "b");
  REQUIRE(api.AwaitWatches(kLeases, 1));
  const auto permit = a.election->Enter();
  REQUIRE(permit.ok());
  a.election->Release(10s);
  CHECK_FALSE(a.MayWrite());
  CHECK(permit->lost.stop_requested());
  CHECK(b.election->AwaitLeading({}));
  CHECK(b.MayWrite());
  CHECK(Record().holder == "b");
  CHECK(Record().transitions == 1);
  CHECK_FALSE(a.ended.has_value());
}

TEST_CASE_FIXTURE(Server, "L6: a release while a renewal is under way") {
  Peer a(api, "a");
  REQUIRE(a.election->AwaitLeading({}));
  a.Settle();
  Peer b(api, "b");
  REQUIRE(api.AwaitWatches(kLeases, 1));
  const auto gate = std::make_shared<Gate>();
  bool before = false;
  SUBCASE("that the server has seen") {}
  SUBCASE("that the server has not seen") { before = true; }
  auto held = std::make_shared<std::atomic<bool>>(false);
  api.OnRequest([=](const ApiRequest& request) -> std::optional<Fault> {
    if (request.method != "PUT" || held->exchange(true)) return std::nullopt;
    return before ? Fault::HoldBefore(gate) : Fault::HoldAfter(gate);
  });
  a.clock.Advance(500ms);
  gate->AwaitArrivals(1);
  a.election->Release(10s);
  gate->Open();
  CHECK(b.election->AwaitLeading({}));
  CHECK(Record().holder == "b");
}

TEST_CASE_FIXTURE(Server, "L3, L2: who dies is followed when its time is over, and not before") {
  auto a = std::make_unique<Peer>(api, "a", 2s);
  REQUIRE(a->election->AwaitLeading({}));
  Peer b(api, "b");
  REQUIRE(api.AwaitWatches(kLeases, 1));
  a.reset();  // without a word
  CHECK_FALSE(b.Leads());
  CHECK(Record().holder == "a");
  b.clock.Advance(2s);
  CHECK(b.election->AwaitLeading({}));
  CHECK(Record().holder == "b");
  CHECK(Record().transitions == 1);
}

TEST_CASE_FIXTURE(Server,
                  "L5, L7: a leader that gets no answer stops to begin writes, then to lead, whatever it waits for") {
  Peer a(api, "a");
  REQUIRE(a.election->AwaitLeading({}));
  a.Settle();
  const auto gate = std::make_shared<Gate>();
  api.OnRequest([=](const ApiRequest&) -> std::optional<Fault> { return Fault::HoldBefore(gate); });
  const auto permit = a.election->Enter();
  REQUIRE(permit.ok());
  CHECK(permit->send_by == a.clock.Now() + 800ms);
  a.clock.Advance(500ms);
  gate->AwaitArrivals(1);
  CHECK(a.MayWrite());
  a.clock.Advance(300ms);
  CHECK(a.Leads());
  CHECK(ReasonOf(a.election->Enter().status()) == Reason::kApiUnavailable);
  CHECK_FALSE(permit->lost.stop_requested());
  a.clock.Advance(200ms);
  CHECK_FALSE(a.Leads());
  CHECK(ReasonOf(a.election->Enter().status()) == Reason::kStopped);
  CHECK(a.AwaitEnd() == Why::kNotRenewed);
  CHECK(permit->lost.stop_requested());
  CHECK_FALSE(a.election->AwaitLeading({}));
  gate->Open();
}

TEST_CASE_FIXTURE(Server, "L5: a short outage costs no leadership") {
  Peer a(api, "a");
  REQUIRE(a.election->AwaitLeading({}));
  a.Settle();
  api.OnRequest([](const ApiRequest&) -> std::optional<Fault> { return Fault::DropBefore(); });
  a.Pass(500ms);
  CHECK_FALSE(a.election->standing().trouble.empty());
  a.Pass(100ms);
  api.OnRequest([](const ApiRequest&) -> std::optional<Fault> { return std::nullopt; });
  a.Pass(100ms);
  CHECK(a.election->standing().trouble.empty());
  a.Pass(400ms);
  CHECK(a.Leads());
  CHECK(Record().holder == "a");
}

TEST_CASE_FIXTURE(Server, "L9: a Lease deleted by hand comes back with the same leader, although another one watches") {
  Peer a(api, "a");
  REQUIRE(a.election->AwaitLeading({}));
  a.Settle();
  Peer b(api, "b");
  REQUIRE(api.AwaitWatches(kLeases, 1));
  const std::string since = Record().acquire_time;
  api.Remove(kLeases, kLease);
  a.Pass(500ms);
  CHECK(Record().holder == "a");
  CHECK(Record().acquire_time == since);
  CHECK(a.MayWrite());
  CHECK_FALSE(b.Leads());
}

TEST_CASE_FIXTURE(Server, "L9: a Lease taken by hand ends leadership, and says who has it") {
  Peer a(api, "a");
  REQUIRE(a.election->AwaitLeading({}));
  a.Settle();
  api.Edit(kLeases, kLease, [](Value& lease) { lease["spec"]["holderIdentity"] = "a stranger"; });
  a.clock.Advance(500ms);
  CHECK(a.AwaitEnd() == Why::kTaken);
  CHECK_FALSE(a.MayWrite());
  CHECK(a.election->standing().holder == "a stranger");
}

TEST_CASE_FIXTURE(Server, "L9: without the right to look: an error that names it, or alone") {
  api.OnRequest([](const ApiRequest&) -> std::optional<Fault> { return Fault::Refuse(403, "Forbidden", "no leases"); });
  Peer strict(api, "strict");
  strict.Settle();
  CHECK_FALSE(strict.election->standing().trouble.empty());
  strict.clock.Advance(61s);
  CHECK(strict.AwaitEnd() == Why::kForbidden);
  CHECK_FALSE(strict.election->AwaitLeading({}));
  CHECK_FALSE(strict.MayWrite());

  Peer alone(api, "alone", 60s, true);
  alone.Settle();
  CHECK_FALSE(alone.MayWrite());
  alone.clock.Advance(61s);
  CHECK(alone.election->AwaitLeading({}));
  CHECK(alone.MayWrite());
  alone.clock.Advance(24h);
  CHECK(alone.MayWrite());
  alone.election->Release(1s);
  CHECK_FALSE(alone.MayWrite());
}

}  // namespace
