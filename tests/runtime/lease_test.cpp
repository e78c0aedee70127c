// The rules L1 to L6 and L9 of the client, in memory: what is asked next, when, and what it says.
#include "restate/runtime/lease.h"

#include <doctest/doctest.h>

#include <string>

#include "instrumented.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/client.h"

using namespace std::chrono_literals;
using restate::Clock;
using restate::MakeError;
using restate::Reason;
using restate::json::Obj;
using restate::json::Value;
using namespace restate::runtime;
using Why = EndOfTerm::Why;

namespace {

const restate::kube::Key kLease{"ours", "restate-operator"};
const absl::Time kWall = absl::FromUnixSeconds(1'700'000'000);
const Clock::TimePoint kStart{1h};

struct LeaseSpec {
  std::string holder = "other";
  int seconds = 15;
  std::string renewed = "2001-01-01T00:00:00.000000Z";  // years off: nobody is to care
  std::string version = "1";
  int transitions = 3;
};

Value LeaseOf(const LeaseSpec& spec) {
  return Obj({{"apiVersion", "coordination.k8s.io/v1"},
              {"kind", "Lease"},
              {"metadata", Obj({{"name", kLease.name},
                                {"namespace", kLease.ns},
                                {"resourceVersion", spec.version},
                                {"labels", Obj({{"somebody", "cares"}})}})},
              {"spec", Obj({{"holderIdentity", spec.holder},
                            {"leaseDurationSeconds", spec.seconds},
                            {"acquireTime", "2000-01-01T00:00:00.000000Z"},
                            {"renewTime", spec.renewed},
                            {"leaseTransitions", spec.transitions}})}});
}

absl::Status Refused(int code, const std::string& reason) {
  const Value body = Obj({{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", "scripted"}});
  return restate::kube::ErrorOf({.status = code, .content_type = "application/json", .body = restate::json::Dump(body)},
                                "get leases");
}
absl::Status Down() { return MakeError(Reason::kApiUnavailable, "nobody answers"); }

struct Candidate {
  LeaseState state{LeaseTimes{}, kLease, "me"};
  Clock::TimePoint now = kStart;

  bool Looks() const { return std::holds_alternative<LookAtLease>(state.next()); }
  bool Creates() const { return std::holds_alternative<CreateLease>(state.next()); }
  bool Updates() const { return std::holds_alternative<UpdateLease>(state.next()); }
  bool Follows() const { return std::holds_alternative<WatchLease>(state.next()); }
  bool Leads() const { return state.leads_until() && now < *state.leads_until(); }
  Clock::Duration Wait() const { return state.due() - now; }

  void Leading() {
    state.Looked({}, now);
    Stored("1");
    REQUIRE(Leads());
  }
  // The server takes what is to be written.
  void Stored(const std::string& version) {
    Value lease = state.Body(kWall);
    lease["metadata"]["resourceVersion"] = version;
    state.Written(lease, now, now);
  }
};

TEST_CASE("L1: times with which two could lead, or one would lose its lease for nothing, are refused") {
  CHECK(CheckLeaseTimes({}).ok());
  CHECK(CheckLeaseTimes({.duration = 11s, .renew_deadline = 10s, .retry = 8s}).ok());
  CHECK_FALSE(CheckLeaseTimes({.duration = 10s, .renew_deadline = 10s, .retry = 2s}).ok());
  CHECK_FALSE(CheckLeaseTimes({.duration = 15s, .renew_deadline = 20s, .retry = 2s}).ok());
  CHECK_FALSE(CheckLeaseTimes({.duration = 15s, .renew_deadline = 12s, .retry = 10s}).ok());
}

TEST_CASE_FIXTURE(Candidate, "where there is no Lease it is made, and renewed every half deadline") {
  CHECK(Looks());
  state.Failed(Refused(404, "NotFound"), now, now);
  REQUIRE(Creates());
  const Value made = state.Body(kWall);
  CHECK(made.StringAt({"metadata", "name"}) == kLease.name);
  CHECK(RecordOf(made) == LeaseRecord{.holder = "me",
                                      .duration_seconds = 15,
                                      .acquire_time = "2023-11-14T22:13:20.000000Z",
                                      .renew_time = "2023-11-14T22:13:20.000000Z",
                                      .transitions = 0});
  CHECK_FALSE(Leads());
  Stored("1");
  CHECK(Leads());
  CHECK(*state.leads_until() == now + 10s);
  REQUIRE(Updates());
  CHECK(Wait() == 5s);

  now += 5s;
  const LeaseRecord renewed = RecordOf(state.Body(kWall + absl::Seconds(5)));
  CHECK(renewed.acquire_time == "2023-11-14T22:13:20.000000Z");
  CHECK(renewed.renew_time == "2023-11-14T22:13:25.000000Z");
  CHECK(renewed.transitions == 0);
  Stored("2");
  CHECK(*state.leads_until() == now + 10s);
}

TEST_CASE_FIXTURE(Candidate, "L5: leadership counts from before a renewal was asked for, not from its answer") {
  Leading();
  const auto sent = now += 5s;
  now += 3s;
  state.Written(state.Body(kWall), sent, now);
  CHECK(*state.leads_until() == sent + 10s);
  CHECK(state.due() == sent + 5s);
}

TEST_CASE_FIXTURE(Candidate, "L5: who cannot renew until the deadline leads no more, and nothing brings it back") {
  Leading();
  now += 10s - 1ms;
  state.Expire(now);
  CHECK(Leads());
  now += 1ms;
  CHECK_FALSE(Leads());
  state.Expire(now);
  REQUIRE(state.over() != nullptr);
  CHECK(state.over()->why == Why::kNotRenewed);
  CHECK(state.over()->message.find("ours/restate-operator") != std::string::npos);
  state.Written(LeaseOf({.holder = "me"}), now, now);
  state.Looked({}, now);
  CHECK_FALSE(state.leads_until());
  CHECK(state.over() != nullptr);
}

TEST_CASE_FIXTURE(Candidate, "L3: a fresh candidate waits for as long as the Lease says, from its own first look") {
  for (const int seconds : {15, 40}) {
    Candidate fresh;
    fresh.state.Looked(LeaseOf({.seconds = seconds}), fresh.now);
    REQUIRE(fresh.Follows());
    CHECK(std::get<WatchLease>(fresh.state.next()) == WatchLease{"1", std::chrono::seconds(seconds)});
    fresh.now += std::chrono::seconds(seconds) - 1ms;
    fresh.state.WatchEnded(fresh.now);
    CHECK(fresh.Looks());
    CHECK(fresh.Wait() == 1ms);
    fresh.now += 1ms;
    fresh.state.Looked(LeaseOf({.seconds = seconds}), fresh.now);
    REQUIRE(fresh.Updates());
    const Value taken = fresh.state.Body(kWall);
    CHECK(RecordOf(taken).holder == "me");
    CHECK(RecordOf(taken).duration_seconds == 15);
    CHECK(RecordOf(taken).acquire_time == "2023-11-14T22:13:20.000000Z");
    CHECK(RecordOf(taken).transitions == 4);
    CHECK(taken.StringAt({"metadata", "resourceVersion"}) == "1");
    CHECK(taken.StringAt({"metadata", "labels", "somebody"}) == "cares");
    CHECK_FALSE(fresh.Leads());
    fresh.Stored("2");
    CHECK(fresh.Leads());
  }
}

TEST_CASE_FIXTURE(Candidate, "L3: a Lease with a holder but without a time is given ours") {
  state.Looked(LeaseOf({.seconds = 0}), now);
  REQUIRE(Follows());
  CHECK(std::get<WatchLease>(state.next()).silence == 15s);
}

TEST_CASE_FIXTURE(Candidate, "L2: every change of the record starts the time anew, whatever times of day it says") {
  state.Looked(LeaseOf({}), now);
  for (const std::string renewed : {"2040-01-01T00:00:00.000000Z", "1990-01-01T00:00:00.000000Z", "no time at all"}) {
    now += 14s;
    CHECK(state.Event(LeaseOf({.renewed = renewed, .version = "2"}), now));
    REQUIRE(Follows());
    CHECK(std::get<WatchLease>(state.next()) == WatchLease{"2", 15s});
  }
}

TEST_CASE_FIXTURE(Candidate, "L3: an edit beside the record gives its holder no more time") {
  state.Looked(LeaseOf({}), now);
  now += 10s;
  CHECK_FALSE(state.Event(LeaseOf({.version = "2"}), now));
  REQUIRE(Follows());
  CHECK(std::get<WatchLease>(state.next()) == WatchLease{"2", 5s});
  now += 5s;
  state.WatchEnded(now);
  CHECK(Updates());
}

TEST_CASE_FIXTURE(Candidate,
                  "a released Lease is taken at once, one whose holder was only blanked out when its time is over") {
  state.Looked(LeaseOf({}), now);
  now += 1s;
  CHECK(state.Event(LeaseOf({.holder = "", .seconds = 15, .version = "2"}), now));
  CHECK(Follows());
  CHECK_FALSE(state.Event(LeaseOf({.holder = "", .seconds = 1, .version = "3"}), now));
  CHECK(Updates());
  CHECK(Wait() == 0s);
}

TEST_CASE_FIXTURE(Candidate, "L9: a Lease that is deleted does not end the claim that was seen") {
  state.Looked(LeaseOf({}), now);
  now += 4s;
  CHECK_FALSE(state.Event({}, now));
  REQUIRE(Looks());
  CHECK(Wait() == 2s);
  now += 2s;
  state.Failed(Refused(404, "NotFound"), now, now);
  CHECK(Looks());
  now = kStart + 14s;
  state.Failed(Refused(404, "NotFound"), now, now);
  CHECK(Looks());
  CHECK(Wait() == 1s);
  now += 1s;
  state.Failed(Refused(404, "NotFound"), now, now);
  REQUIRE(Creates());
  CHECK(RecordOf(state.Body(kWall)).transitions == 4);
  // The old holder came back just before.
  state.Failed(Refused(409, "AlreadyExists"), now, now);
  REQUIRE(Looks());
  state.Looked(LeaseOf({.renewed = "later", .version = "9"}), now);
  CHECK(Follows());
}

TEST_CASE_FIXTURE(Candidate, "L4: a lost race is looked at, at once the first time") {
  state.Failed(Refused(404, "NotFound"), now, now);
  for (const auto wait : {0s, 2s}) {
    state.Failed(Refused(409, "Conflict"), now, now);
    CHECK(Looks());
    CHECK(Wait() == wait);
  }
  state.Looked(LeaseOf({}), now);
  CHECK(Follows());
  CHECK_FALSE(Leads());
}

TEST_CASE_FIXTURE(Candidate, "who follows asks again after a failure, and obeys Retry-After") {
  state.Failed(Down(), now, now);
  CHECK(Looks());
  CHECK(Wait() == 2s);
  state.Failed(restate::WithRetryAfter(Down(), absl::Seconds(7)), now, now);
  CHECK(Wait() == 7s);
  state.Looked(LeaseOf({}), now);
  state.Failed(Refused(403, "Forbidden"), now, now);  // the watch: it goes on by looks
  CHECK(Looks());
  CHECK(Wait() == 2s);
  // An outage does not give the holder more time: it was not seen to renew.
  now += 20s;
  state.Looked(LeaseOf({}), now);
  CHECK(Updates());
}

TEST_CASE_FIXTURE(Candidate,
                  "L4: an acquisition that failed is not taken for a success, whatever the Lease says then") {
  state.Failed(Refused(404, "NotFound"), now, now);
  state.Failed(Down(), now, now);
  now += 2s;
  Value stored = LeaseOf({.holder = "me"});
  state.Looked(stored, now);
  CHECK_FALSE(Leads());
  CHECK(Follows());
}

TEST_CASE_FIXTURE(Candidate, "an acquisition that was answered later than leadership lasts is none") {
  state.Failed(Refused(404, "NotFound"), now, now);
  const auto sent = now;
  now += 10s;
  state.Written(LeaseOf({.holder = "me"}), sent, now);
  CHECK_FALSE(state.leads_until());
  CHECK(Follows());
}

TEST_CASE_FIXTURE(Candidate, "L4: a renewal that conflicts or fails is tried again on what the Lease says then") {
  Leading();
  now += 5s;
  SUBCASE("conflict") { state.Failed(Refused(409, "Conflict"), now, now); }
  SUBCASE("no answer") {
    state.Failed(Down(), now, now);
    CHECK(Wait() == 2s);
    now += 2s;
  }
  REQUIRE(Looks());
  CHECK(Leads());
  Value edited = LeaseOf({.holder = "me", .version = "7", .transitions = 0});
  state.Looked(edited, now);
  REQUIRE(Updates());
  CHECK(Wait() == 0s);
  const Value next = state.Body(kWall);
  CHECK(next.StringAt({"metadata", "resourceVersion"}) == "7");
  CHECK(next.StringAt({"metadata", "labels", "somebody"}) == "cares");
  Stored("8");
  CHECK(*state.leads_until() == now + 10s);
}

TEST_CASE_FIXTURE(Candidate, "L5: the time in which a renewal got no answer is the pause before the next try") {
  Leading();
  const auto sent = now += 5s;
  now += 2500ms;  // the client waited for so long
  state.Failed(Down(), sent, now);
  CHECK(Looks());
  CHECK(Wait() == 0s);
}

TEST_CASE_FIXTURE(Candidate, "L5: a leader that is asked to wait for longer than its term lasts tries once more") {
  Leading();
  now += 5s;
  state.Failed(restate::WithRetryAfter(Down(), absl::Seconds(30)), now, now);
  CHECK(state.due() == kStart + 7500ms);  // a request may take a quarter of the deadline
  now = state.due();
  state.Failed(restate::WithRetryAfter(Down(), absl::Seconds(30)), now, now);
  CHECK(Wait() == 30s);
}

TEST_CASE_FIXTURE(Candidate, "L9: a leader whose Lease is deleted makes it anew, and no change of hands of it") {
  Leading();
  now += 5s;
  state.Failed(Refused(404, "NotFound"), now, now);
  REQUIRE(Creates());
  const Value again = state.Body(kWall + absl::Seconds(5));
  CHECK(again.StringAt({"metadata", "resourceVersion"}).empty());
  CHECK(RecordOf(again).acquire_time == "2023-11-14T22:13:20.000000Z");
  CHECK(RecordOf(again).transitions == 0);
  Stored("5");
  CHECK(*state.leads_until() == now + 10s);
}

TEST_CASE_FIXTURE(Candidate, "L9: a leader takes its Lease back from nobody, but not from somebody") {
  Leading();
  now += 5s;
  state.Failed(Refused(409, "Conflict"), now, now);
  SUBCASE("nobody") {
    state.Looked(LeaseOf({.holder = "", .version = "7"}), now);
    REQUIRE(Updates());
    CHECK(Leads());
  }
  SUBCASE("somebody") {
    state.Looked(LeaseOf({.holder = "a stranger", .version = "7"}), now);
    REQUIRE(state.over() != nullptr);
    CHECK(state.over()->why == Why::kTaken);
    CHECK(state.over()->message.find("a stranger") != std::string::npos);
    CHECK_FALSE(Leads());
  }
}

TEST_CASE_FIXTURE(Candidate, "L9: who is never let near the Lease is told which right is missing") {
  bool may_look = false;
  SUBCASE("to look") {}
  SUBCASE("to make it") { may_look = true; }
  const auto refuse = [&] {
    if (may_look) state.Failed(Refused(404, "NotFound"), now, now);
    CHECK(Creates() == may_look);
    state.Failed(Refused(403, "Forbidden"), now, now);
  };
  refuse();
  REQUIRE(state.over() == nullptr);
  now += 14s;
  refuse();
  REQUIRE(state.over() == nullptr);
  now += 2s;
  refuse();
  REQUIRE(state.over() != nullptr);
  CHECK(state.over()->why == Why::kForbidden);
  CHECK(state.over()->message.find("leases.coordination.k8s.io") != std::string::npos);
}

TEST_CASE_FIXTURE(Candidate, "L9: an API server that refuses everybody while it starts is asked again") {
  for (int restart = 0; restart < 5; ++restart) {
    state.Failed(Refused(403, "Forbidden"), now, now);
    CHECK(Looks());
    CHECK(Wait() == 2s);
    now += 10s;
    state.Failed(Down(), now, now);
    now += 10s;
  }
  REQUIRE(state.over() == nullptr);
  state.Looked({}, now);
  CHECK(std::holds_alternative<CreateLease>(state.next()));
}

TEST_CASE_FIXTURE(Candidate, "L9: a right that is lost on the way is a failure like any other") {
  Leading();
  now += 5s;
  state.Failed(Refused(403, "Forbidden"), now, now);
  CHECK(Leads());
  CHECK(Looks());
  CHECK(Wait() == 2s);
}

TEST_CASE_FIXTURE(Candidate, "L6: a release leaves no holder and the shortest time, and keeps the count") {
  Leading();
  now += 1s;
  state.Release(now);
  CHECK_FALSE(state.leads_until());
  REQUIRE(Updates());
  CHECK(Wait() == 0s);
  const LeaseRecord released = RecordOf(state.Body(kWall));
  CHECK(released.holder.empty());
  CHECK(released.duration_seconds == 1);
  CHECK(released.transitions == 0);
  SUBCASE("at once") { Stored("2"); }
  SUBCASE("after a renewal whose answer nobody waited for") {
    state.Failed(Refused(409, "Conflict"), now, now);
    REQUIRE(Looks());
    state.Looked(LeaseOf({.holder = "me", .version = "2"}), now);
    REQUIRE(Updates());
    CHECK(RecordOf(state.Body(kWall)).holder.empty());
    Stored("3");
  }
  SUBCASE("which had arrived without an answer") {
    state.Failed(Down(), now, now);
    state.Looked(LeaseOf({.holder = "", .seconds = 1, .version = "2"}), now);
  }
  SUBCASE("somebody else holds it by now") {
    state.Failed(Refused(409, "Conflict"), now, now);
    state.Looked(LeaseOf({.holder = "other", .version = "2"}), now);
  }
  REQUIRE(state.over() != nullptr);
  CHECK(state.over()->why == Why::kReleased);
}

TEST_CASE_FIXTURE(Candidate, "L6: who does not lead has nothing to release") {
  state.Looked(LeaseOf({}), now);
  state.Release(now);
  REQUIRE(state.over() != nullptr);
  CHECK(state.over()->why == Why::kReleased);
}

// The server and two candidates. Every order of their requests, the arrival of the answers and the passing of time.
struct World {
  struct Peer {
    LeaseState state;
    bool asked = false;  // the server has acted, the answer is on its way
    absl::Status refused = {};
    Value answer = {};
    Clock::TimePoint sent = kStart;
  };
  Value lease;
  int version = 0;
  Clock::TimePoint now = kStart;
  Peer a{LeaseState(LeaseTimes{}, kLease, "a")}, b{LeaseState(LeaseTimes{}, kLease, "b")};

  // false: it has nothing to do.
  bool Step(Peer& peer) {
    peer.state.Expire(now);
    if (peer.state.over()) return false;
    if (peer.asked) return Deliver(peer);
    if (peer.state.due() > now) return false;
    if (std::holds_alternative<WatchLease>(peer.state.next())) {
      if (!lease.is_null() && RecordOf(lease) != peer.state.seen()) return peer.state.Event(lease, now), true;
      return peer.state.WatchEnded(now), true;
    }
    Serve(peer);
    return true;
  }
  void Serve(Peer& peer) {
    peer.asked = true;
    peer.sent = now;
    peer.refused = {};
    const bool looks = std::holds_alternative<LookAtLease>(peer.state.next());
    const bool creates = std::holds_alternative<CreateLease>(peer.state.next());
    Value body = peer.state.Body(kWall + absl::FromChrono(now - kStart));
    const bool current = creates ? lease.is_null()
                                 : !lease.is_null() && body.StringAt({"metadata", "resourceVersion"}) ==
                                                           lease.StringAt({"metadata", "resourceVersion"});
    if (looks ? lease.is_null() : !creates && lease.is_null()) peer.refused = Refused(404, "NotFound");
    if (!looks && peer.refused.ok() && !current) peer.refused = Refused(409, "Conflict");
    if (!looks && peer.refused.ok()) {
      body["metadata"]["resourceVersion"] = std::to_string(++version);
      lease = body;
    }
    peer.answer = lease;
  }
  bool Deliver(Peer& peer) {
    peer.asked = false;
    if (!peer.refused.ok()) {
      peer.state.Failed(peer.refused, peer.sent, now);
    } else if (std::holds_alternative<LookAtLease>(peer.state.next())) {
      peer.state.Looked(peer.answer, now);
    } else {
      peer.state.Written(peer.answer, peer.sent, now);
    }
    return true;
  }
  bool Leads(const Peer& peer) const { return peer.state.leads_until() && now < *peer.state.leads_until(); }
};

struct Explored {
  long states = 0, led_by_a = 0, led_by_b = 0, led_by_both = 0;
};

constexpr int kSteps = restate::kInstrumented ? 9 : 11;  // a third of the states for each step less

void Explore(const World& world, int steps, Explored& found) {
  ++found.states;
  const bool a = world.Leads(world.a), b = world.Leads(world.b);
  found.led_by_a += a;
  found.led_by_b += b;
  found.led_by_both += a && b;
  if (steps == 0) return;
  World next = world;
  if (next.Step(next.a)) Explore(next, steps - 1, found);
  World other = world;
  if (other.Step(other.b)) Explore(other, steps - 1, found);
  World later = world;
  later.now += 5s;
  Explore(later, steps - 1, found);
}

TEST_CASE("L4: in no order of two candidates' requests and answers do both lead") {
  Explored found;
  Explore(World{}, kSteps, found);
  CHECK(found.states > 10'000);
  CHECK(found.led_by_a > 0);
  CHECK(found.led_by_b > 0);
  CHECK(found.led_by_both == 0);
}

TEST_CASE("L4: nor do they where one of them takes over from the other") {
  World world;
  for (int i = 0; i < 4; ++i) world.Step(world.a);
  REQUIRE(world.Leads(world.a));
  for (int i = 0; i < 2; ++i) world.Step(world.b);
  world.now += 5s;
  Explored found;
  Explore(world, kSteps, found);
  CHECK(found.led_by_a > 0);
  CHECK(found.led_by_b > 0);
  CHECK(found.led_by_both == 0);
}

}  // namespace
