// Execute: effects in order, stopping at the first failure, and a cache that has learned from the answers.
#include "restate/plan/execute.h"

#include <doctest/doctest.h>

#include <thread>

#include "absl/strings/match.h"
#include "plan/stage.h"

namespace restate::plan {
namespace {

using json::Arr;
using json::Obj;

const kube::Key kAsker{"default", "asker"};
const kube::Key kSet{"default", "set"};

json::Value ReplicaSet(std::string_view name, int replicas = 1) {
  const auto labels = Obj({{"app", "a"}});
  return Obj({{"apiVersion", "apps/v1"},
              {"kind", "ReplicaSet"},
              {"metadata", Obj({{"namespace", "default"}, {"name", name}})},
              {"spec", Obj({{"replicas", replicas},
                            {"selector", Obj({{"matchLabels", labels}})},
                            {"template",
                             Obj({{"metadata", Obj({{"labels", labels}})},
                                  {"spec", Obj({{"containers", Arr({Obj({{"name", "c"}, {"image", "i"}})})}})}})}})}});
}

json::Value Service(std::string_view name, int port = 9080) {
  return Obj(
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata", Obj({{"namespace", "default"}, {"name", name}})},
       {"spec",
        Obj({{"selector", Obj({{"app", "a"}})},
             {"ports", Arr({Obj({{"name", "p"}, {"port", port}, {"protocol", "TCP"}, {"targetPort", port}})})}})}});
}

struct Fixture {
  Fixture() : stage({kube::kReplicaSets, kube::kServices}) {}
  Outcome Run(std::vector<Step> steps, std::stop_token stop = {}) {
    Plan plan;
    plan.steps = std::move(steps);
    return Execute(plan, kAsker, stage.MakeWorld(std::move(stop)));
  }
  kube::ObjectPtr Set() { return stage.cache.Get(kube::kReplicaSets, kSet); }
  admin::Endpoint Restate() { return {.origin = stage.admin.url(), .prefix = ""}; }
  Register RegisterStep() {
    return {Restate(),
            {.uri = "http://set.default.svc.cluster.local:9080/", .force = false, .use_http_11 = {}},
            "restate.dev/deployment-id",
            "restate-operator/deployment-id",
            {kube::kReplicaSets, kube::kServices},
            {Set(), stage.cache.Get(kube::kServices, kSet)}};
  }
  Stage stage;
};

Create CreateStep(json::Value body) { return {kube::kReplicaSets, std::move(body), "restate-operator"}; }

TEST_CASE("a created object is in the cache before any watch says so") {
  Fixture f;
  const auto outcome = f.Run({CreateStep(ReplicaSet("set"))});
  CHECK(outcome.error.ok());
  CHECK(outcome.done == 1);
  CHECK(outcome.changed);
  REQUIRE(f.Set());
  CHECK(f.Set()->uid() == f.stage.api.Get(kube::kReplicaSets, kSet)->StringAt({"metadata", "uid"}));
}

TEST_CASE("the first failure ends the pass") {
  Fixture f;
  f.stage.api.Add(kube::kReplicaSets, ReplicaSet("taken"));
  const auto outcome =
      f.Run({CreateStep(ReplicaSet("a")), CreateStep(ReplicaSet("taken")), CreateStep(ReplicaSet("b"))});
  CHECK(outcome.done == 1);
  CHECK(ReasonOf(outcome.error) == Reason::kApiConflict);
  CHECK(f.stage.api.Get(kube::kReplicaSets, {"default", "a"}));
  CHECK(!f.stage.api.Get(kube::kReplicaSets, {"default", "b"}));
  // Who holds the name is known now.
  CHECK(f.stage.cache.Get(kube::kReplicaSets, {"default", "taken"}));
}

TEST_CASE("an object that the API server refuses is the answer, in its words") {
  Fixture f;
  f.stage.api.OnRequest([](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
    if (r.method != "POST") return std::nullopt;
    return fake::Fault::Refuse(422, "Invalid", "spec.x: must be y");
  });
  const auto outcome = f.Run({CreateStep(ReplicaSet("set"))});
  CHECK(ReasonOf(outcome.error) == Reason::kApiRejected);
  CHECK(absl::StrContains(std::string(MessageOf(outcome.error)), "spec.x: must be y"));
}

TEST_CASE("a stopped pass begins no further step") {
  Fixture f;
  std::stop_source stop;
  stop.request_stop();
  const auto outcome = f.Run({CreateStep(ReplicaSet("set"))}, stop.get_token());
  CHECK(ReasonOf(outcome.error) == Reason::kStopped);
  CHECK(outcome.done == 0);
  CHECK(f.stage.api.writes().empty());
}

TEST_CASE("steps that rest on an old look are not begun") {
  Fixture f;
  Plan plan;
  plan.steps = {CreateStep(ReplicaSet("set"))};
  plan.expires = f.stage.clock.Now();
  CHECK(Execute(plan, kAsker, f.stage.MakeWorld()).error.ok());
  plan.steps = {CreateStep(ReplicaSet("late"))};
  f.stage.clock.Advance(std::chrono::milliseconds(1));
  CHECK(ReasonOf(Execute(plan, kAsker, f.stage.MakeWorld()).error) == Reason::kApiConflict);
  CHECK(!f.stage.api.Get(kube::kReplicaSets, {"default", "late"}));
}

TEST_CASE("deleting") {
  Fixture f;
  f.stage.api.Add(kube::kReplicaSets, ReplicaSet("set"));
  f.stage.Sync();
  const Delete step{kube::kReplicaSets, kSet, f.Set()->uid()};
  SUBCASE("the object is gone from the cache at once") {
    CHECK(f.Run({step}).error.ok());
    CHECK(!f.Set());
    CHECK(!f.stage.api.Get(kube::kReplicaSets, kSet));
  }
  SUBCASE("twice is fine") {
    f.stage.api.Remove(kube::kReplicaSets, kSet);
    CHECK(f.Run({step}).error.ok());
  }
  SUBCASE("another one of that name survives, and is known afterwards") {
    f.stage.api.Remove(kube::kReplicaSets, kSet);
    f.stage.api.Add(kube::kReplicaSets, ReplicaSet("set"));
    CHECK(ReasonOf(f.Run({step}).error) == Reason::kApiConflict);
    REQUIRE(f.stage.api.Get(kube::kReplicaSets, kSet));
    REQUIRE(f.Set());
    CHECK(f.Set()->uid() != step.uid);
  }
}

TEST_CASE("applying: nothing is taken from others by force, unless the object is known as ours") {
  Fixture f;
  json::Value foreign = Service("set", 80);
  foreign["spec"]["selector"] = Obj({{"app", "foreign"}});
  f.stage.api.Add(kube::kServices, foreign);
  CHECK(ReasonOf(f.Run({Apply{kube::kServices, Service("set"), "restate-operator", "", nullptr}}).error) ==
        Reason::kApiConflict);
  CHECK(f.stage.api.Get(kube::kServices, kSet)->StringAt({"spec", "selector", "app"}) == "foreign");
  const auto known = f.stage.cache.Get(kube::kServices, kSet);
  REQUIRE(known);  // so that the next pass can name it
  CHECK(f.Run({Apply{kube::kServices, Service("set"), "restate-operator", "", known}}).error.ok());
  CHECK(f.stage.api.Get(kube::kServices, kSet)->StringAt({"spec", "selector", "app"}) == "a");
}

TEST_CASE("what the object can do without: a refusal is told, and the plan goes on") {
  Fixture f;
  Apply optional{kube::kServices, Service("web"), "restate-operator", "", nullptr};
  optional.if_refused = kube::Event{.warning = true, .reason = "ApplyFailed", .note = "Service web"};
  const std::vector<Step> steps = {optional, CreateStep(ReplicaSet("set"))};
  const auto answer = [&](int code, const char* reason) {
    f.stage.api.OnRequest([=](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
      if (r.plural != "services") return std::nullopt;
      return fake::Fault::Refuse(code, reason, "maxReplicas is required");
    });
  };
  SUBCASE("refused") {
    answer(422, "Invalid");
    const Outcome outcome = f.Run(steps);
    CHECK(outcome.error.ok());
    REQUIRE(outcome.refused.size() == 1);
    REQUIRE(f.stage.events.events.size() == 1);
    CHECK(outcome.refused[0].note == f.stage.events.events[0].note);
    CHECK(f.stage.events.events[0].reason == "ApplyFailed");
    CHECK(absl::StrContains(f.stage.events.events[0].note, "Service web: "));
    CHECK(absl::StrContains(f.stage.events.events[0].note, "maxReplicas is required"));
    CHECK(f.stage.api.Get(kube::kReplicaSets, kSet));
  }
  SUBCASE("the server is away: that is no refusal") {
    answer(503, "ServiceUnavailable");
    CHECK(ReasonOf(f.Run(steps).error) == Reason::kApiUnavailable);
    CHECK(f.stage.events.events.empty());
    CHECK(!f.stage.api.Get(kube::kReplicaSets, kSet));
  }
}

TEST_CASE("a step that ends the plan does so where it changes something, and not where it is refused") {
  Fixture f;
  Apply last{kube::kServices, Service("web"), "restate-operator", "", nullptr};
  last.if_refused = kube::Event{.warning = true, .reason = "ApplyFailed", .note = "Service web"};
  last.must_be_new = true;
  last.ends_plan = true;
  const std::vector<Step> steps = {last, CreateStep(ReplicaSet("set"))};
  SUBCASE("made") {
    const Outcome outcome = f.Run(steps);
    CHECK(outcome.error.ok());
    CHECK(outcome.changed);
    CHECK(outcome.done == 1);
    CHECK(!f.stage.api.Get(kube::kReplicaSets, kSet));
  }
  SUBCASE("as it should be already") {
    REQUIRE(f.Run({Apply{kube::kServices, Service("web"), "restate-operator", "", nullptr}}).error.ok());
    last.live = f.stage.cache.Get(kube::kServices, {"default", "web"});
    REQUIRE(last.live);
    CHECK(f.Run({last, steps[1]}).done == 2);
  }
  SUBCASE("refused") {
    f.stage.api.OnRequest([](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
      if (r.plural != "services") return std::nullopt;
      return fake::Fault::Refuse(403, "Forbidden", "not yours");
    });
    const Outcome outcome = f.Run(steps);
    CHECK(outcome.error.ok());
    CHECK(outcome.refused.size() == 1);
    CHECK(f.stage.api.Get(kube::kReplicaSets, kSet));
  }
}

TEST_CASE("what others do not need: it is refused, and the applies after it are carried out, and nothing else") {
  Fixture f;
  const auto apply = [](std::string_view name, bool others_go_on) {
    Apply step{kube::kServices, Service(name), "restate-operator", "", nullptr};
    step.others_go_on = others_go_on;
    return step;
  };
  const auto answer = [&](int code, const char* reason) {
    f.stage.api.OnRequest([=](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
      if (r.name != "web") return std::nullopt;
      return fake::Fault::Refuse(code, reason, "spec.x: must be y");
    });
  };
  const auto made = [&](const kube::Resource& resource, const char* name) {
    return f.stage.api.Get(resource, {"default", name}).has_value();
  };
  SUBCASE("refused") {
    answer(422, "Invalid");
    const Outcome outcome = f.Run({apply("web", true), CreateStep(ReplicaSet("set")), apply("other", false)});
    CHECK(ReasonOf(outcome.error) == Reason::kApiRejected);
    CHECK(absl::StrContains(std::string(MessageOf(outcome.error)), "spec.x: must be y"));
    CHECK(outcome.done == 1);
    CHECK(made(kube::kServices, "other"));
    CHECK(!made(kube::kReplicaSets, "set"));
  }
  SUBCASE("the first refusal is told, and ends the pass where others do need the second") {
    answer(403, "Forbidden");
    const Outcome outcome = f.Run({apply("web", true), apply("web", false), apply("other", true)});
    CHECK(ReasonOf(outcome.error) == Reason::kApiForbidden);
    CHECK(!made(kube::kServices, "other"));
  }
  SUBCASE("the server is away: that is no refusal") {
    answer(503, "ServiceUnavailable");
    CHECK(ReasonOf(f.Run({apply("web", true), apply("other", true)}).error) == Reason::kApiUnavailable);
    CHECK(!made(kube::kServices, "other"));
  }
}

TEST_CASE("what cannot be changed is replaced where that is asked for, and nothing else is") {
  Fixture f;
  f.Run({CreateStep(ReplicaSet("set"))});
  json::Value other = ReplicaSet("set");
  other["spec"]["selector"]["matchLabels"] = Obj({{"app", "b"}});
  other["spec"]["template"]["metadata"]["labels"] = Obj({{"app", "b"}});
  Apply step{kube::kReplicaSets, other, "restate-operator", "", f.Set()};
  const std::string uid = f.Set()->uid();
  const auto there = [&] { return f.stage.api.Get(kube::kReplicaSets, kSet).has_value(); };
  CHECK(ReasonOf(f.Run({step}).error) == Reason::kApiRejected);
  CHECK(there());
  step.replace_if_immutable = true;
  SUBCASE("the field is immutable") {
    const auto outcome = f.Run({step});
    CHECK(outcome.error.ok());
    CHECK(outcome.changed);
    CHECK(!there());
    CHECK(!f.Set());  // so that the next pass makes it
  }
  SUBCASE("it is refused for another reason") {
    f.stage.api.OnRequest([](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
      if (r.method != "PATCH") return std::nullopt;
      return fake::Fault::Refuse(422, "Invalid", "spec.replicas: must be greater than or equal to 0");
    });
    CHECK(ReasonOf(f.Run({step}).error) == Reason::kApiRejected);
    CHECK(there());
  }
  SUBCASE("the object is another one than we know") {
    step.body["metadata"]["uid"] = uid;
    f.stage.api.Remove(kube::kReplicaSets, kSet);
    f.stage.api.Add(kube::kReplicaSets, ReplicaSet("set"));
    CHECK(ReasonOf(f.Run({step}).error) == Reason::kApiConflict);
    CHECK(there());
  }
}

TEST_CASE("the same apply is sent once") {
  Fixture f;
  const auto run = [&] {
    return f.Run(
        {Apply{kube::kServices, Service("set"), "restate-operator", "", f.stage.cache.Get(kube::kServices, kSet)}});
  };
  CHECK(run().changed);
  CHECK(!run().changed);
  CHECK(f.stage.api.writes().size() == 1);
}

TEST_CASE("the replicas of a scaled object are known at once") {
  Fixture f;
  f.stage.api.Add(kube::kReplicaSets, ReplicaSet("set", 1));
  f.stage.Sync();
  const auto version = f.Set()->resource_version();
  const Apply scale{kube::kReplicaSets,
                    Obj({{"apiVersion", "autoscaling/v1"},
                         {"kind", "Scale"},
                         {"metadata", Obj({{"name", "set"}, {"namespace", "default"}, {"uid", f.Set()->uid()}})},
                         {"spec", Obj({{"replicas", 5}})}}),
                    "restate-operator/scale-restore", "scale", f.Set()};
  CHECK(f.Run({scale}).error.ok());
  CHECK(f.stage.api.Get(kube::kReplicaSets, kSet)->IntAt({"spec", "replicas"}) == 5);
  CHECK(f.Set()->Body().IntAt({"spec", "replicas"}) == 5);
  CHECK(f.Set()->resource_version() != version);
  CHECK(f.Set()->resource_version() ==
        f.stage.api.Get(kube::kReplicaSets, kSet)->StringAt({"metadata", "resourceVersion"}));
}

TEST_CASE("a registration is written down on both objects before anything else happens") {
  Fixture f;
  f.stage.api.Add(kube::kReplicaSets, ReplicaSet("set"));
  f.stage.api.Add(kube::kServices, Service("set"));
  f.stage.Sync();
  const auto outcome = f.Run({f.RegisterStep(), CreateStep(ReplicaSet("after"))});
  REQUIRE_MESSAGE(outcome.error.ok(), std::string(MessageOf(outcome.error)));
  REQUIRE(outcome.registration);
  const std::string id = f.stage.admin.IdOf("http://set.default.svc.cluster.local:9080/");
  CHECK(outcome.registration->id == id);
  for (const auto& resource : {kube::kReplicaSets, kube::kServices}) {
    CHECK(f.stage.api.Get(resource, kSet)->StringAt({"metadata", "annotations", "restate.dev/deployment-id"}) == id);
    CHECK(
        f.stage.cache.Get(resource, kSet)->Body().StringAt({"metadata", "annotations", "restate.dev/deployment-id"}) ==
        id);
  }
  const auto writes = f.stage.api.writes();
  REQUIRE(writes.size() == 3);
  CHECK(writes[0].name == "set");
  CHECK(writes[1].name == "set");
  // A second time nothing is left to write.
  CHECK(f.Run({f.RegisterStep()}).error.ok());
  CHECK(f.stage.api.writes().size() == 3);
}

TEST_CASE("a registration whose object went meanwhile makes no half of one") {
  Fixture f;
  f.stage.api.Add(kube::kReplicaSets, ReplicaSet("set"));
  f.stage.api.Add(kube::kServices, Service("set"));
  f.stage.Sync();
  f.stage.api.Remove(kube::kReplicaSets, kSet);
  const auto outcome = f.Run({f.RegisterStep()});
  CHECK(ReasonOf(outcome.error) == Reason::kApiConflict);
  CHECK(outcome.registration);  // Restate has it all the same
  CHECK(!f.stage.api.Get(kube::kReplicaSets, kSet));
  CHECK(!f.Set());
}

TEST_CASE("deregistering") {
  Fixture f;
  const std::string uri = "http://set.default.svc.cluster.local:9080/";
  const std::string id = f.stage.admin.With([&](auto& model) { return model.Register(uri, false)->id; });
  CHECK(f.Run({Forget{f.Restate(), id}}).error.ok());
  CHECK(f.stage.admin.IdOf(uri).empty());
  CHECK(f.Run({Forget{f.Restate(), id}}).error.ok());  // already gone
  f.stage.admin.Break(fake::AdminCall::kForget, {});
  CHECK(ReasonOf(f.Run({Forget{f.Restate(), id}}).error) == Reason::kAdminCallRejected);
}

TEST_CASE("an object that must be new is not added to one that no watch shows") {
  Fixture f;
  f.stage.api.Add(kube::kServices, Service("set", 1));
  const auto before = f.stage.api.Get(kube::kServices, kSet);
  Apply apply{kube::kServices, Service("set", 1), "restate-operator"};
  apply.must_be_new = true;
  CHECK(ReasonOf(f.Run({apply}).error) == Reason::kApiConflict);
  CHECK(f.stage.api.Get(kube::kServices, kSet) == before);
  REQUIRE(f.stage.cache.Get(kube::kServices, kSet));  // the next pass sees whose it is
  f.stage.api.Remove(kube::kServices, kSet);
  CHECK(f.Run({apply}).error.ok());
  CHECK(f.stage.api.Get(kube::kServices, kSet));
}

TEST_CASE("provisioning") {
  Fixture f;
  const std::string address = "restate-0.restate:5122";
  const admin::WantedNodes nodes{.identify = {address}, .state_from = {}};
  f.stage.fake_nodes.Identify(address, fake::FakeNodes::Awaiting());
  const auto look = [&] {
    while (!f.stage.nodes.Ask(kAsker, nodes).look) f.stage.AwaitLook();
    return f.stage.nodes.Ask(kAsker, nodes).look;
  };
  CHECK(look()->identities.at(address)->AwaitsProvisioning());
  const Provision step{address};
  CHECK(ToString(step) == "provision restate-0.restate:5122");
  SUBCASE("once it is done, no look from before it counts") {
    const auto outcome = f.Run({step, CreateStep(ReplicaSet("after"))});
    CHECK(outcome.error.ok());
    CHECK(outcome.provisioned);
    CHECK(outcome.changed);
    CHECK(f.stage.api.Get(kube::kReplicaSets, {"default", "after"}));
    CHECK_FALSE(f.stage.nodes.Ask(kAsker, nodes).last);
    CHECK(look()->identities.at(address)->Provisioned());
  }
  SUBCASE("a failure ends the plan in the node's words, and nothing is known of what came of it") {
    f.stage.fake_nodes.FailProvision(address, MakeError(Reason::kAdminCallRejected, address + ": INTERNAL: no quorum"));
    const auto outcome = f.Run({step, CreateStep(ReplicaSet("after"))});
    CHECK(ReasonOf(outcome.error) == Reason::kProvisioningFailed);
    CHECK(absl::StrContains(std::string(MessageOf(outcome.error)), "restate-0.restate:5122: INTERNAL: no quorum"));
    CHECK_FALSE(outcome.provisioned);
    CHECK_FALSE(f.stage.api.Get(kube::kReplicaSets, {"default", "after"}));
    CHECK_FALSE(f.stage.nodes.Ask(kAsker, nodes).last);
  }
  SUBCASE("an operator that ends while the node hangs has not failed") {
    f.stage.fake_nodes.Hang(address);
    std::stop_source stop;
    std::jthread ending([&] {
      f.stage.fake_nodes.WaitForCalls(2);
      stop.request_stop();
    });
    const auto outcome = f.Run({step}, stop.get_token());
    CHECK(ReasonOf(outcome.error) == Reason::kStopped);
    CHECK_FALSE(outcome.provisioned);
  }
}

TEST_CASE("an event is handed over and cannot fail") {
  Fixture f;
  const auto outcome =
      f.Run({Announce{{.regarding = Obj({}), .warning = false, .reason = "R", .action = "A", .note = "n"}}});
  CHECK(outcome.error.ok());
  CHECK(!outcome.changed);
  CHECK(f.stage.events.Reasons() == std::vector<std::string>{"R"});
}

}  // namespace
}  // namespace restate::plan
