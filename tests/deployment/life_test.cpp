// Whole lives of RestateDeployments, on a fake API server and a fake Restate.
#include <doctest/doctest.h>

#include <algorithm>

#include "deployment/passes.h"
#include "restate/json/text.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;
using std::chrono::seconds;

const kube::Key kKey{"default", "greeter"};

json::Value Greeter(std::string_view image, json::Value restate = Obj({})) {
  restate["register"] = Obj({{"url", "http://127.0.0.1:9070"}});
  const auto labels = Obj({{"app", "greeter"}});
  return Obj({{"apiVersion", "restate.dev/v1beta1"},
              {"kind", "RestateDeployment"},
              {"metadata", Obj({{"namespace", kKey.ns}, {"name", kKey.name}})},
              {"spec",
               Obj({{"replicas", 2},
                    {"revisionHistoryLimit", 1},
                    {"selector", Obj({{"matchLabels", labels}})},
                    {"template", Obj({{"metadata", Obj({{"labels", labels}})},
                                      {"spec", Obj({{"containers", Arr({Obj({{"name", "c"}, {"image", image}})})}})}})},
                    {"restate", restate}})}});
}

struct Life : Passes {
  explicit Life(json::Value restate = Obj({}), std::string_view crd = "../crds/restatedeployments.yaml")
      : Passes(true, crd) {
    stage.api.Add(kRestateDeployments, Greeter("i:v1", std::move(restate)));
  }
  void Roll(std::string_view image) {
    stage.api.Edit(kRestateDeployments, kKey, [&](json::Value& cr) {
      cr["spec"]["template"]["spec"]["containers"].array()->front()["image"] = image;
    });
  }
  // "i:v1 x2" per ReplicaSet, sorted.
  std::vector<std::string> Versions() const {
    std::vector<std::string> versions;
    for (const json::Value& set : stage.api.List(kube::kReplicaSets)) {
      versions.push_back(
          std::string(set.FindPath({"spec", "template", "spec", "containers"})->array()->front().StringAt({"image"})) +
          " x" + std::to_string(set.IntAt({"spec", "replicas"})));
    }
    std::sort(versions.begin(), versions.end());
    return versions;
  }
  std::string CurrentId() const {
    return std::string(stage.api.Get(kRestateDeployments, kKey)->StringAt({"status", "deploymentId"}));
  }
};

using Versions = std::vector<std::string>;

TEST_CASE("deployed, rolled, drained, kept as history, removed") {
  Life life;
  CHECK(life.Settle(kKey).after == std::chrono::minutes(5));
  CHECK(life.Ready(kKey) == "True Deployed");
  const std::string first = life.CurrentId();
  life.stage.admin.Start("long", {.service = "greeter.default", .status = "suspended", .pin = first});

  life.Roll("i:v2");
  CHECK(life.Settle(kKey).after <= seconds(10));
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.CurrentId() != first);
  CHECK(life.Versions() == Versions{"i:v1 x2", "i:v2 x2"});

  life.stage.admin.Complete("long");
  life.stage.clock.Advance(seconds(11));
  life.Settle(kKey);
  CHECK(life.Versions() == Versions{"i:v1 x2", "i:v2 x2"});
  life.stage.clock.Advance(seconds(290));
  life.Settle(kKey);
  CHECK(life.Versions() == Versions{"i:v1 x2", "i:v2 x2"});
  life.stage.clock.Advance(seconds(11));
  life.Settle(kKey);
  CHECK(life.Versions() == Versions{"i:v1 x0", "i:v2 x2"});

  life.Roll("i:v3");
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(302));
  life.Settle(kKey);
  CHECK(life.Versions() == Versions{"i:v2 x0", "i:v3 x2"});
  CHECK(life.stage.admin.With([&](auto& model) { return model.deployments().count(first); }) == 0);
  CHECK(life.stage.admin.UnsafeForgets().empty());
}

TEST_CASE("nothing is written while nothing changes") {
  Life life;
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(20));
  life.Settle(kKey);
  life.stage.api.ClearRequests();
  for (int i = 0; i < 20; ++i) {
    life.stage.clock.Advance(std::chrono::minutes(5));
    life.Settle(kKey);
  }
  CHECK(life.stage.api.requests().empty());
}

TEST_CASE("with the CRD of an older operator, which drops what it does not know, nothing is written twice") {
  Life life(Obj({}), "golden/crds/restatedeployments.json");
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(!life.stage.api.Get(kRestateDeployments, kKey)->FindPath({"status", "versions"}));
  life.stage.clock.Advance(seconds(20));
  life.Settle(kKey);
  life.stage.api.ClearRequests();
  for (int i = 0; i < 20; ++i) {
    life.stage.clock.Advance(std::chrono::minutes(5));
    life.Settle(kKey);
  }
  CHECK(life.stage.api.requests().empty());
}

TEST_CASE("rolled back: the same version again, and Restate routes to it; the other drains") {
  Life life(Obj({{"drainDelaySeconds", 5}}));
  life.Settle(kKey);
  const std::string first = life.CurrentId();
  life.Roll("i:v2");
  life.Settle(kKey);
  const std::string second = life.CurrentId();
  life.stage.clock.Advance(seconds(6));
  life.Settle(kKey);
  REQUIRE(life.Versions() == Versions{"i:v1 x0", "i:v2 x2"});
  life.stage.admin.Start("long", {.service = "greeter.default", .status = "suspended", .pin = second});

  life.Roll("i:v1");
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.CurrentId() == first);
  CHECK(life.stage.admin.LatestOf("greeter.default") == first);
  CHECK(life.Versions() == Versions{"i:v1 x2", "i:v2 x2"});
  const auto reasons = life.stage.events.Reasons();
  CHECK(std::count(reasons.begin(), reasons.end(), "Promoted") == 1);

  life.stage.admin.Complete("long");
  life.stage.clock.Advance(seconds(11));
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(7));
  life.Settle(kKey);
  CHECK(life.Versions() == Versions{"i:v1 x2", "i:v2 x0"});
  CHECK(life.stage.admin.UnsafeForgets().empty());
}

TEST_CASE("a short drain delay still takes two looks") {
  Life life(Obj({{"drainDelaySeconds", 0}}));
  life.Settle(kKey);
  life.Roll("i:v2");
  life.Settle(kKey, seconds(0));
  const int queries = life.stage.admin.Count(fake::AdminCall::kQuery);
  CHECK(life.Versions() == Versions{"i:v1 x2", "i:v2 x2"});
  life.Settle(kKey, seconds(2));
  CHECK(life.Versions() == Versions{"i:v1 x0", "i:v2 x2"});
  CHECK(life.stage.admin.Count(fake::AdminCall::kQuery) > queries);
}

TEST_CASE("deleted: held by work, then by the delay, then gone without a trace") {
  Life life;
  life.Settle(kKey);
  const std::string id = life.CurrentId();
  life.stage.admin.Start("waiting", {.service = "greeter.default", .status = "inboxed"});
  life.stage.api.MarkDeleted(kRestateDeployments, kKey);
  CHECK(life.Settle(kKey).after <= seconds(10));
  CHECK(life.Ready(kKey) == "False DeploymentInUse");
  CHECK(life.stage.api.Get(kRestateDeployments, kKey)->IntAt({"status", "deletion", "totalPendingInvocations"}) == 1);

  life.stage.admin.Complete("waiting");
  life.stage.clock.Advance(seconds(11));
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "False DeploymentDraining");
  life.stage.clock.Advance(seconds(301));
  life.Settle(kKey);
  CHECK(!life.stage.api.Get(kRestateDeployments, kKey));
  CHECK(life.Versions().empty());
  CHECK(life.stage.api.List(kube::kServices).empty());
  CHECK(life.stage.admin.With([&](auto& model) { return model.deployments().count(id); }) == 0);
  CHECK(life.stage.admin.UnsafeForgets().empty());
  CHECK(!life.Pass(kKey).after);  // the key is done with
}

TEST_CASE("Restate away: told, and registered when it is back") {
  Life life;
  life.stage.admin.Break(fake::AdminCall::kRegister, {.kind = fake::AdminFault::Kind::kReset});
  life.stage.admin.Break(fake::AdminCall::kQuery, {.kind = fake::AdminFault::Kind::kReset});
  CHECK(ReasonOf(life.Settle(kKey).error) == Reason::kAdminCallFailed);
  CHECK(life.Ready(kKey) == "False AdminCallFailed");
  const int tries = life.stage.admin.Count(fake::AdminCall::kRegister);
  for (int i = 0; i < 3; ++i) life.Settle(kKey);
  CHECK(life.stage.admin.Count(fake::AdminCall::kRegister) == tries);  // the look goes first from now on
  life.stage.admin.Heal();
  life.stage.clock.Advance(seconds(30));
  life.stage.AwaitLook();
  CHECK(life.Settle(kKey).error.ok());
  CHECK(life.Ready(kKey) == "True Deployed");
}

TEST_CASE("the answer to a registration got lost: the version is found again, and none is registered twice") {
  Life life;
  life.stage.admin.Break(fake::AdminCall::kRegister, {.kind = fake::AdminFault::Kind::kDoneAndReset}, 1);
  life.Settle(kKey);
  CHECK(life.Settle(kKey).error.ok());
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.stage.admin.With([](auto& model) { return model.deployments().size(); }) == 1);
}

TEST_CASE("somebody's change that arrives with the answer to our status write is not missed") {
  Life life;
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(30));
  bool edited = false;
  life.stage.api.OnRequest([&](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
    if (r.subresource == "status" && !std::exchange(edited, true)) life.Roll("i:v2");
    return std::nullopt;
  });
  life.stage.api.Edit(kRestateDeployments, kKey, [](json::Value& cr) { cr["spec"]["replicas"] = 0; });
  runtime::Next next;
  for (int i = 0; i < 10 && !edited; ++i) {
    next = life.Pass(kKey);
    if (life.Waiting() == "WaitingForUsage") life.stage.AwaitLook();
    if (!edited) life.stage.clock.Advance(seconds(5));
  }
  REQUIRE(edited);
  CHECK(next.after == seconds(0));
}

TEST_CASE("a change of every kind in an annotation reaches the children and leaves them again") {
  Life life;
  life.Settle(kKey);
  const auto annotate = [&](json::Value annotations) {
    life.stage.api.Edit(kRestateDeployments, kKey,
                        [&](json::Value& cr) { cr["metadata"]["annotations"] = annotations; });
    life.Settle(kKey);
    const auto set = life.stage.api.List(kube::kReplicaSets).front(),
               service = life.stage.api.List(kube::kServices).front();
    CHECK(set.StringAt({"metadata", "annotations", "team"}) == service.StringAt({"metadata", "annotations", "team"}));
    CHECK(set.FindPath({"metadata", "annotations", "restate.dev/pod-template"}));
    return std::string(set.StringAt({"metadata", "annotations", "team"}, "none"));
  };
  CHECK(annotate(Obj({{"team", "a"}})) == "a");
  CHECK(annotate(Obj({{"team", "b"}, {"other", "x"}})) == "b");
  CHECK(annotate(Obj({{"other", "y"}})) == "none");
  CHECK(annotate(Obj({})) == "none");
}

TEST_CASE("a ReplicaSet that somebody deletes is made again, with its Service") {
  Life life;
  life.Settle(kKey);
  const auto set = life.stage.api.List(kube::kReplicaSets).front();
  life.stage.api.Remove(kube::kReplicaSets, kube::KeyOf(set));
  CHECK(life.Settle(kKey).error.ok());
  CHECK(life.Versions() == Versions{"i:v1 x2"});
  CHECK(life.stage.api.List(kube::kServices).size() == 1);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.stage.admin.With([](auto& model) { return model.deployments().size(); }) == 1);
}

}  // namespace
}  // namespace restate::deployment
