#include "restate/admin/nodes.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "admin/woken.h"
#include "fake/fake_clock.h"
#include "fake/fake_nodes.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

using fake::FakeNodes;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kThreads = 4;

absl::Status Down() { return MakeError(Reason::kAdminCallFailed, "nobody is there"); }

NodesState StateWith(std::uint32_t nodes) {
  NodesState state;
  for (std::uint32_t id = 1; id <= nodes; ++id) state.nodes[id] = {.alive = true, .generation = 1};
  return state;
}

struct Fixture {
  FakeNodes api;
  fake::FakeClock clock;
  Woken woken;
  const kube::Key a{"restate", "a"}, b{"restate", "b"}, c{"restate", "c"};
  const WantedNodes wanted{.identify = {"n0", "n1", "n2"}, .state_from = {"n0", "n1", "n2"}};
  std::optional<Nodes> nodes;

  Fixture() {
    nodes.emplace(api, clock, [this](const kube::Key& key) { woken.Add(key); });
    for (const std::string address : {"n0", "n1", "n2"}) {
      api.Identify(address, FakeNodes::Member(1));
      api.SetState(address, StateWith(3));
    }
  }

  bool Waits(const kube::Key& asker, const WantedNodes& of) { return !nodes->Ask(asker, of).look; }
  bool Waits(const kube::Key& asker) { return Waits(asker, wanted); }
  // Everything that is due was asked and booked; `hanging` calls are still out.
  void Settle(int hanging = 0) { REQUIRE(clock.WaitForSleepers(kThreads - hanging)); }
  std::shared_ptr<const NodesLook> Look(const kube::Key& asker, const WantedNodes& of) {
    REQUIRE(Waits(asker, of));
    Settle();
    auto look = nodes->Ask(asker, of).look;
    REQUIRE(look);
    return look;
  }
  // Calls since the last question of this kind.
  std::vector<std::string> NewCalls() {
    const auto all = api.calls();
    std::vector<std::string> fresh(all.begin() + static_cast<std::ptrdiff_t>(told_), all.end());
    told_ = all.size();
    return fresh;
  }

 private:
  std::size_t told_ = 0;
};

TEST_CASE_FIXTURE(Fixture, "a look has an answer or an error of each node, and one state; its asker is woken once") {
  api.Identify("n1", Down());
  api.Identify("n2", FakeNodes::Awaiting());
  api.Hang("n0");
  CHECK(Waits(a));
  CHECK(Waits(a));  // a second question changes nothing
  api.Release("n0");
  CHECK(woken.WaitFor(1) == std::vector{a});
  Settle();
  CHECK(woken.Times(a) == 1);
  const auto answer = nodes->Ask(a, wanted);
  REQUIRE(answer.look);
  CHECK(answer.look == answer.last);
  CHECK(answer.look->answered == clock.Now());
  CHECK(answer.look->identities.size() == 3);
  CHECK(answer.look->identities.at("n0")->Provisioned());
  CHECK(ReasonOf(answer.look->identities.at("n1").status()) == Reason::kAdminCallFailed);
  CHECK(answer.look->identities.at("n2")->AwaitsProvisioning());
  REQUIRE(answer.look->state);
  CHECK((*answer.look->state)->nodes.size() == 3);
  CHECK(api.calls().size() == 4);
}

TEST_CASE_FIXTURE(Fixture, "who wants nothing waits for nothing") {
  CHECK(nodes->Ask(a, {}).look);
  CHECK(api.calls().empty());
}

TEST_CASE_FIXTURE(Fixture, "an old look is still there to be reported while the next one is made") {
  const auto first = Look(a, wanted);
  clock.Advance(seconds(10));
  CHECK(nodes->Ask(a, wanted).look == first);
  clock.Advance(milliseconds(1));
  const auto answer = nodes->Ask(a, wanted);
  CHECK_FALSE(answer.look);
  CHECK(answer.last == first);
  Settle();
  CHECK(woken.Times(a) == 2);
  CHECK(nodes->Ask(a, wanted).look != first);
}

TEST_CASE_FIXTURE(Fixture, "a look that lacks a node that is asked for does not serve") {
  Look(a, {.identify = {"n0"}, .state_from = {}});
  CHECK_FALSE(nodes->Ask(a, wanted).last);
  clock.Advance(milliseconds(200));
  Settle();
  const auto more = nodes->Ask(a, wanted).look;
  REQUIRE(more);
  CHECK(nodes->Ask(a, {.identify = {"n1"}, .state_from = {}}).look == more);
}

TEST_CASE_FIXTURE(Fixture, "the state is asked of one node after the other, next time first of the one that answered") {
  const WantedNodes state{.identify = {}, .state_from = {"n0", "n1", "n2"}, .max_age = {}};
  api.SetState("n0", Down());
  api.SetState("n1", Down());
  CHECK(Look(a, state)->state->ok());
  CHECK(NewCalls() == std::vector<std::string>{"state n0", "state n1", "state n2"});
  clock.Advance(seconds(1));
  Look(a, state);
  CHECK(NewCalls() == std::vector<std::string>{"state n2"});
  SUBCASE("nobody answers: the last error counts") {
    api.SetState("n2", Down());
    clock.Advance(seconds(1));
    CHECK(ReasonOf(Look(a, state)->state->status()) == Reason::kAdminCallFailed);
    CHECK(NewCalls() == std::vector<std::string>{"state n2", "state n0", "state n1"});
  }
}

TEST_CASE_FIXTURE(Fixture, "after a change no look from before serves, nor one that began before") {
  Look(a, wanted);
  nodes->Changed(a);
  auto answer = nodes->Ask(a, wanted);
  CHECK_FALSE(answer.look);
  CHECK_FALSE(answer.last);
  NewCalls();
  api.Hang("n1");
  clock.Advance(milliseconds(200));
  Settle(1);
  api.Identify("n1", FakeNodes::Awaiting());
  nodes->Changed(a);  // ends the call that hangs, and the look with it
  api.Release("n1");
  Settle();
  CHECK(NewCalls().size() == 8);
  CHECK(woken.Times(a) == 2);
  CHECK(nodes->Ask(a, wanted).look->identities.at("n1")->AwaitsProvisioning());
}

TEST_CASE_FIXTURE(Fixture, "a change is the asker's own") {
  const auto look = Look(b, wanted);
  nodes->Changed(a);
  CHECK(nodes->Ask(b, wanted).look == look);
}

TEST_CASE_FIXTURE(Fixture, "a hot loop over nodes that do not answer asks after 2, 4, 8, 10 and 10 s") {
  const WantedNodes now{.identify = {"n0", "dead"}, .state_from = {}, .max_age = {}};
  Look(a, now);
  std::size_t calls = 2;
  for (const auto pause : {seconds(2), seconds(4), seconds(8), seconds(10), seconds(10)}) {
    clock.Advance(pause - milliseconds(1));
    CHECK(nodes->Ask(a, now).look);
    nodes->Changed(a);
    CHECK(Waits(a, now));
    Settle();
    CHECK(api.calls().size() == calls);
    CHECK(clock.UntilNextWake() == milliseconds(1));
    clock.Advance(milliseconds(1));
    Settle();
    calls += 2;
    CHECK(api.calls().size() == calls);
  }
  SUBCASE("until all answer again") {
    api.Identify("dead", FakeNodes::Member(2));
    clock.Advance(seconds(10));
    Look(a, now);
    clock.Advance(milliseconds(200));
    Look(a, now);
    api.Identify("dead", Down());
    clock.Advance(milliseconds(200));
    Look(a, now);
    nodes->Changed(a);
    CHECK(Waits(a, now));
    Settle();
    CHECK(clock.UntilNextWake() == seconds(2));
  }
}

TEST_CASE_FIXTURE(Fixture, "a hot loop over nodes that answer asks every 200 ms") {
  const WantedNodes now{.identify = {"n0"}, .state_from = {}, .max_age = {}};
  Look(a, now);
  nodes->Changed(a);
  CHECK(Waits(a, now));
  Settle();
  CHECK(clock.UntilNextWake() == milliseconds(200));
  CHECK(api.calls().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "nodes that hang delay their own asker only") {
  WantedNodes many;
  for (const std::string address : {"h0", "h1", "h2", "h3", "h4"}) {
    api.Hang(address);
    many.identify.push_back(address);
  }
  CHECK(Waits(a, many));
  Settle(3);
  CHECK(Waits(b));
  CHECK(woken.WaitFor(1) == std::vector{b});
  CHECK(nodes->Ask(b, wanted).look);
  SUBCASE("who has nothing out yet comes first") {
    api.Hang("x0");
    const std::size_t before = api.calls().size();
    CHECK(Waits(b, {.identify = {"x0", "x1", "x2"}, .state_from = {}}));
    clock.Advance(milliseconds(200));
    api.WaitForCalls(before + 1);
    CHECK(Waits(c));
    api.Release("h0");
    CHECK(woken.WaitFor(2).back() == c);
  }
}

TEST_CASE_FIXTURE(Fixture, "who is forgotten is not woken, and its calls end") {
  for (const std::string address : {"n0", "n1", "n2"}) api.Hang(address);
  CHECK(Waits(a));
  Settle(3);
  nodes->Forget(a);
  Settle();
  CHECK(woken.Times(a) == 0);
  CHECK(api.calls().size() == 3);
  nodes->Forget(b);  // never asked: nothing happens
}

TEST_CASE_FIXTURE(Fixture, "the end waits for no node that hangs") {
  for (const std::string address : {"n0", "n1", "n2"}) api.Hang(address);
  CHECK(Waits(a));
  api.WaitForCalls(3);
  nodes.reset();
  CHECK(woken.Times(a) == 0);
}

}  // namespace
}  // namespace restate::admin
