#include "restate/cli/why.h"

#include <doctest/doctest.h>

#include "restate/base/error.h"

namespace restate::cli {
namespace {

using json::Obj;
using json::Value;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z
constexpr Style kAscii{};

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Node Greeter(State state, std::vector<Wait> waits) {
  return {.kind = "RestateDeployment",
          .ns = "shop",
          .name = "greeter",
          .state = state,
          .since = kNow - absl::Minutes(4),
          .waits = std::move(waits)};
}

TEST_CASE("why says what is waited for, since when, its cause and cure, and what happens next") {
  const std::string text =
      WhyText(Greeter(State::kWaiting,
                      {{"Ready", "ReplicaSetPodNotReady", "pod greeter-x: ErrImagePull", kNow - absl::Seconds(250)}}),
              {}, kNow, kAscii);
  CHECK(Has(text, "RestateDeployment shop/greeter: Waiting for 4m\n"));
  CHECK(Has(text, "It is not ready for 4m10s: ReplicaSetPodNotReady\n  pod greeter-x: ErrImagePull\n"));
  CHECK(Has(text, "  cause: " + std::string(CauseOf(Reason::kReplicaSetPodNotReady)) + "\n"));
  CHECK(Has(text, "  cure:  " + std::string(CureOf(Reason::kReplicaSetPodNotReady)) + "\n"));
  CHECK(Has(text, "What happens next\n  The operator goes on by itself"));
  CHECK_FALSE(Has(text, "Last warnings"));
}

TEST_CASE("why says when a person is asked for, and when the operator is held off") {
  const std::string mistake =
      WhyText(Greeter(State::kStalled, {{"Ready", "InvalidSpec", "spec.x: is required", kNow}}), {}, kNow, kAscii);
  CHECK(Has(mistake, "Nothing, until somebody changes the object"));
  // Of two rows with this name: a missing cluster comes by itself, a mistake does not go by itself.
  const Wait config{"Ready", "InvalidRestateConfig", "url", kNow};
  CHECK(Has(WhyText(Greeter(State::kStalled, {config}), {}, kNow, kAscii), "until somebody changes the object"));
  CHECK(Has(WhyText(Greeter(State::kWaiting, {config}), {}, kNow, kAscii), "as soon as what is missing is there"));
  const std::string held =
      WhyText(Greeter(State::kSuspended, {{"Reconciling", "Disabled", "held off", kNow}}), {}, kNow, kAscii);
  CHECK(Has(held, "restate.dev/reconcile-"));
  CHECK_FALSE(Has(held, "goes on by itself"));
}

TEST_CASE("why of an object that is fine says so, and when older versions go") {
  Node node = Greeter(State::kReady, {});
  node.children = {{.kind = "Version", .ns = "shop", .name = "greeter-b", .state = State::kCurrent},
                   {.kind = "Version",
                    .ns = "shop",
                    .name = "greeter-a",
                    .state = State::kDraining,
                    .invocations = {{"suspended", 2}},
                    .oldest_invocation = kNow - absl::Hours(50)},
                   {.kind = "Version",
                    .ns = "shop",
                    .name = "greeter-0",
                    .state = State::kDrained,
                    .removed_at = kNow + absl::Seconds(200)}};
  const std::string text = WhyText(node, {}, kNow, kAscii);
  CHECK(Has(text, "It waits for nothing.\n"));
  CHECK(Has(text, "Version greeter-a is Draining\n  2 suspended\n  The oldest invocation began 2d2h ago"));
  CHECK(Has(text, "Version greeter-0 is removed in 3m20s (2027-01-15T08:03:20Z)\n"));
}

Value Event(std::string_view uid, std::string_view type, std::string_view reason, std::string_view time) {
  return Obj({{"type", type},
              {"reason", reason},
              {"note", "a note"},
              {"regarding", Obj({{"uid", uid}})},
              {"eventTime", time}});
}

TEST_CASE("why shows the last Warning events of this incarnation, newest first") {
  const Value object = Obj({{"metadata", Obj({{"uid", "u1"}})}});
  Value series = Event("u1", "Warning", "Series", "2027-01-15T06:00:00.000000Z");
  series["series"] = Obj({{"count", 7}, {"lastObservedTime", "2027-01-15T07:59:00.500000Z"}});
  const auto warnings =
      WarningsOf({Event("u1", "Warning", "Older", "2027-01-15T07:00:00.000000Z"),
                  Event("u1", "Normal", "Fine", "2027-01-15T07:00:00.000000Z"),
                  Event("u0", "Warning", "Earlier", "2027-01-15T07:00:00.000000Z"), series, Value("no event")},
                 object);
  REQUIRE(warnings.size() == 2);
  const std::string text = WhyText(Greeter(State::kReady, {}), {.warnings = warnings, .pods = {}}, kNow, kAscii);
  CHECK(Has(text, "Last warnings\n  59s ago, 7 times  Series: a note\n  1h ago  Older: a note\n"));
  CHECK(WarningsOf(json::Array(9, Event("u1", "Warning", "Many", "")), object).size() == 5);
}

TEST_CASE("why shows what pods that are not ready say") {
  const auto pod = [](std::string_view name, Value status) {
    return Obj(
        {{"metadata", Obj({{"name", name}, {"namespace", "shop"}, {"uid", name}})}, {"status", std::move(status)}});
  };
  const Value waiting = Obj(
      {{"phase", "Pending"},
       {"containerStatuses",
        json::Arr(
            {Obj({{"name", "greeter"},
                  {"state", Obj({{"waiting", Obj({{"reason", "ErrImagePull"}, {"message", "no such image"}})}})}})})}});
  const Value ready =
      Obj({{"phase", "Running"}, {"conditions", json::Arr({Obj({{"type", "Ready"}, {"status", "True"}})})}});
  const auto troubles = PodTroublesOf({pod("a", ready), pod("b", waiting), Value("no pod")});
  REQUIRE(troubles == std::vector<std::string>{"pod b: container greeter: ErrImagePull: no such image"});
  const std::string text =
      WhyText(Greeter(State::kWaiting, {}), {.warnings = {}, .pods = std::vector(7, troubles[0])}, kNow, kAscii);
  CHECK(Has(text, "What the pods say\n  pod b: container greeter: ErrImagePull: no such image\n"));
  CHECK(Has(text, "  and 2 more\n"));
}

TEST_CASE("why lets no text from outside steer the terminal") {
  const std::string text =
      WhyText(Greeter(State::kWaiting, {{"Ready", "\033[31mX", "a\033]0;b\007\nRestate: fine", kNow}}),
              {.warnings = {{kNow, 1, "\033c", "x\ry"}}, .pods = {"pod \033x"}}, kNow, kAscii);
  CHECK_FALSE(Has(text, "\033"));
  CHECK_FALSE(Has(text, "\nRestate: fine"));
  CHECK_FALSE(Has(text, "\r"));
}

}  // namespace
}  // namespace restate::cli
