// What the status says of a pass, and when it is written.
#include <doctest/doctest.h>

#include "absl/strings/str_cat.h"
#include "deployment/scene.h"
#include "restate/deployment/version_status.h"
#include "restate/json/text.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;

Scene Deployed(VersionState state = {.id = "dp_1"}) {
  Scene scene;
  scene.spec()["replicas"] = 3;
  scene.cr()["metadata"]["generation"] = 4;
  state.replicas = 3;
  scene.Add("v1", state);
  scene.Use("v1", "dp_1").latest = true;
  return scene;
}

plan::Outcome Failed(Reason reason, std::string_view message = "why") {
  return {.done = 0, .error = MakeError(reason, message), .registration = {}, .changed = true};
}

const plan::Outcome kChanged{.done = 1, .error = {}, .registration = {}, .changed = true};

const json::Value& ReadyIn(const json::Value& status) { return status.Find("conditions")->array()->front(); }

void SetReady(Scene& scene, std::string_view status, std::string_view reason) {
  scene.cr()["status"] = Obj({{"replicas", 3},
                              {"conditions", Arr({Obj({{"type", "Ready"},
                                                       {"status", status},
                                                       {"reason", reason},
                                                       {"lastTransitionTime", "2026-01-01T00:00:00Z"}})})}});
}

TEST_CASE("the status of a deployed object") {
  const Scene scene = Deployed();
  const auto report = scene.Report();
  REQUIRE(report.status);
  CHECK(!report.event);
  CHECK(report.status->wanted == Obj({{"availableReplicas", 3},
                                      {"conditions", Arr({Obj({{"lastTransitionTime", "2027-01-15T08:00:00Z"},
                                                               {"message", "RestateDeployment is deployed"},
                                                               {"observedGeneration", 4},
                                                               {"reason", "Deployed"},
                                                               {"status", "True"},
                                                               {"type", "Ready"}})})},
                                      {"deploymentId", "dp_1"},
                                      {"desiredReplicas", 3},
                                      {"labelSelector", "app=greeter,pod-template-hash=" + scene.See().hash},
                                      {"observedGeneration", 4},
                                      {"readyReplicas", 3},
                                      {"reconciliation", "Reconciling"},
                                      {"replicas", 3},
                                      {"unavailableReplicas", 0},
                                      {"versions", Arr({Obj({{"name", scene.NameOf("v1")},
                                                             {"phase", "Current"},
                                                             {"deploymentId", "dp_1"},
                                                             {"images", Arr({"i:v1"})},
                                                             {"registeredAt", Arr({"http://restate:9070"})},
                                                             {"replicas", 3}})})}}));
}

TEST_CASE("what the status says of each version: its phase, its work, its end") {
  Scene scene;
  scene.Want("v5");
  scene.Add("v1", {.id = "dp_1", .replicas = 0, .minutes_old = 50, .remove_at = "2026-06-01T00:00:00+00:00"});
  scene.Add("v2", {.id = "dp_2", .minutes_old = 40, .remove_at = "2027-01-15T08:10:00+00:00"});
  scene.Add("v3", {.id = "dp_3", .minutes_old = 30});
  scene.Add("v4", {.id = "dp_4", .minutes_old = 20});
  scene.Add("v5", {.id = "dp_5", .minutes_old = 10});
  for (const auto* v : {"1", "2", "3", "4", "5"}) scene.Use(std::string("v") + v, std::string("dp_") + v);
  scene.look.deployments["dp_3"].pinned = {{"suspended", 2}, {"invoked", 1}};
  scene.look.deployments["dp_3"].oldest = absl::FromUnixSeconds(1'700'000'000);
  scene.look.deployments["dp_4"].attempts = 4;
  scene.look.deployments["dp_5"].latest = true;
  scene.look.deployments["dp_5"].pinned = {{"invoked", 9}};  // comes and goes: not worth a write
  const auto versions = *scene.Report().status->wanted.Find("versions");
  CHECK(
      scene.Labelled(json::Dump(versions)) ==
      R"([{"deploymentId":"dp_5","images":["i:v5"],"name":"v5","phase":"Current","registeredAt":["http://restate:9070"],"replicas":1},)"
      R"({"deploymentId":"dp_4","images":["i:v4"],"invocations":{"attempting":4},"name":"v4","phase":"Draining",)"
      R"("registeredAt":["http://restate:9070"],"replicas":1},)"
      R"({"deploymentId":"dp_3","images":["i:v3"],"invocations":{"invoked":1,"suspended":2},"name":"v3",)"
      R"("oldestInvocation":"2023-11-14T22:13:20Z","phase":"Draining","registeredAt":["http://restate:9070"],"replicas":1},)"
      R"({"deploymentId":"dp_2","images":["i:v2"],"name":"v2","phase":"Drained","registeredAt":["http://restate:9070"],)"
      R"("removedAt":"2027-01-15T08:10:00Z","replicas":1},)"
      R"({"deploymentId":"dp_1","images":["i:v1"],"name":"v1","phase":"Drained","registeredAt":["http://restate:9070"],)"
      R"("removedAt":"2026-06-01T00:00:00Z","replicas":0}])");

  const auto counts = CountVersions(Obj({{"status", Obj({{"versions", versions}})}}));
  CHECK(counts.by_phase == std::map<std::string, int>{{"Current", 1}, {"Draining", 2}, {"Drained", 2}});
  CHECK(counts.invocations == 7);

  scene.cr()["status"] = scene.Report().status->wanted;
  scene.look_error = MakeError(Reason::kAdminCallFailed, "down");
  CHECK(*scene.Report().status->wanted.Find("versions") == versions);  // what was seen last
}

TEST_CASE("versions are shown up to a limit, the wanted one always") {
  Scene scene;
  for (int i = 1; i <= 30; ++i) {
    const std::string label = "v" + std::to_string(i);
    scene.Add(label, {.id = "dp_" + std::to_string(i), .replicas = 0, .minutes_old = 100 - i});
    scene.Use(label, "dp_" + std::to_string(i));
  }
  const json::Array versions = *scene.Report().status->wanted.Find("versions")->array();
  CHECK(versions.size() == crd::kVersionsShown);
  CHECK(versions[0].StringAt({"name"}) == scene.NameOf("v1"));
  CHECK(versions[1].StringAt({"name"}) == scene.NameOf("v30"));
}

TEST_CASE("kstatus: Reconciling while on the way, Stalled when a person is needed, neither when done") {
  const Scene scene = Deployed();
  CHECK(ConditionOf(scene.Report(), "Reconciling") == "none");
  CHECK(ConditionOf(scene.Report(), "Stalled") == "none");
  const Scene starting = Deployed({.id = "", .ready = 1});
  CHECK(ConditionOf(starting.Report(), "Reconciling") == "True ReplicaSetPodNotReady");
  CHECK(ConditionOf(starting.Report(), "Stalled") == "none");
  const auto down = scene.Report(Failed(Reason::kAdminCallFailed));
  CHECK(ConditionOf(down, "Reconciling") == "True AdminCallFailed");
  for (const Reason reason : {Reason::kAdminCallRejected, Reason::kApiRejected, Reason::kApiForbidden}) {
    const auto report = scene.Report(Failed(reason));
    CHECK(ConditionOf(report, "Stalled") == "True " + std::string(RowOf(reason).name));
    CHECK(ConditionOf(report, "Reconciling") == "none");
    for (const json::Value& condition : *report.status->wanted.Find("conditions")->array()) {
      CHECK(condition.IntAt({"observedGeneration"}) == 4);
    }
  }
  Scene foreign = Deployed();
  foreign.look.deployments["dp_1"].latest = false;
  CHECK(ConditionOf(foreign.Report(), "Stalled") == "True ForeignDeployment");
}

TEST_CASE("suspended: nothing is done, the status keeps what it said and says why it is old") {
  Scene scene = Deployed({.id = "", .ready = 1});
  SetReady(scene, "True", "Deployed");
  scene.cr()["status"]["deploymentId"] = "dp_7";
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  scene.spec()["restate"]["register"] = Obj({{"url", "not looked at"}});
  CHECK(scene.Steps() == std::vector<std::string>{});
  CHECK(!scene.Plan().look_again);  // only a change brings the next pass
  auto report = scene.Report();
  CHECK(report.status->urgent);
  CHECK(report.status->wanted.StringAt({"reconciliation"}) == "Disabled");
  CHECK(report.status->wanted.StringAt({"deploymentId"}) == "dp_7");
  CHECK(ReadyOf(report) == "True Deployed");
  CHECK(ConditionOf(report, "Reconciling") == "False Disabled");
  CHECK(!report.event);
  const auto told = report.status->wanted;
  scene.cr()["status"] = told;
  scene.now += absl::Hours(1);
  CHECK(scene.Report().status->wanted == told);

  scene.cr()["metadata"]["annotations"]["restate.dev/reconcile"] = "Disabled";  // no other spelling counts
  scene.spec()["restate"]["register"] = Obj({{"url", "http://restate:9070"}});
  report = scene.Report();
  CHECK(report.status->wanted.StringAt({"reconciliation"}) == "ResumingReconciliation");
  CHECK(ConditionOf(report, "Reconciling") == "True ReplicaSetPodNotReady");
  Scene done = Deployed();
  done.cr()["status"] = told;
  CHECK(done.Report().status->wanted.StringAt({"reconciliation"}) == "Reconciling");
}

TEST_CASE("counters of a version on its way") {
  const Scene scene = Deployed({.id = "", .ready = 1});
  const auto report = scene.Report();
  CHECK(ReadyOf(report) == "False ReplicaSetPodNotReady");
  CHECK(report.status->wanted.IntAt({"readyReplicas"}) == 1);
  CHECK(report.status->wanted.IntAt({"unavailableReplicas"}) == 2);
  CHECK(!report.status->wanted.Find("deploymentId"));
}

TEST_CASE("the label selector is written as kubectl reads it") {
  Scene scene = Deployed();
  scene.spec()["selector"]["matchExpressions"] =
      Arr({Obj({{"key", "tier"}, {"operator", "In"}, {"values", Arr({"b", "a"})}}),
           Obj({{"key", "x"}, {"operator", "Exists"}}), Obj({{"key", "y"}, {"operator", "DoesNotExist"}}),
           Obj({{"key", "z"}, {"operator", "NotIn"}, {"values", Arr({"1"})}})});
  CHECK(scene.Report().status->wanted.StringAt({"labelSelector"}) ==
        absl::StrCat("app=greeter,pod-template-hash=", scene.See().hash, ",tier in (a,b),x,!y,z notin (1)"));
}

TEST_CASE("the transition time moves with the status and with nothing else") {
  Scene scene = Deployed();
  SetReady(scene, "True", "SomethingElse");
  CHECK(ReadyIn(scene.Report().status->wanted).StringAt({"lastTransitionTime"}) == "2026-01-01T00:00:00Z");
  scene.ReplicaSet("v1")["status"]["readyReplicas"] = 2;
  CHECK(ReadyIn(scene.Report().status->wanted).StringAt({"lastTransitionTime"}) == "2027-01-15T08:00:00Z");
  SetReady(scene, "False", "ReplicaSetScaling");
  CHECK(ReadyIn(scene.Report().status->wanted).StringAt({"lastTransitionTime"}) == "2026-01-01T00:00:00Z");
}

TEST_CASE("a status that was published is wanted again, word for word") {
  Scene scene = Deployed();
  const auto first = scene.Report().status->wanted;
  scene.cr()["status"] = first;
  scene.now += absl::Hours(5);
  CHECK(scene.Report().status->wanted == first);
}

TEST_CASE("which status goes with which failure") {
  const Scene scene = Deployed();
  CHECK(ReadyOf(scene.Report(Failed(Reason::kAdminCallFailed))) == "False AdminCallFailed");
  CHECK(ReadyOf(scene.Report(Failed(Reason::kAdminCallRejected))) == "False AdminCallRejected");
  CHECK(ReadyOf(scene.Report(Failed(Reason::kApiRejected))) == "Unknown FailedReconcile");
  CHECK(ReadyOf(scene.Report(Failed(Reason::kApiForbidden))) == "Unknown FailedReconcile");
  CHECK(ReadyOf(scene.Report(Failed(Reason::kApiUnavailable))) == "Unknown KubernetesUnavailable");
  CHECK(ReadyOf(scene.Report(Failed(Reason::kInternalError))) == "Unknown InternalError");
}

TEST_CASE("moments are not told") {
  const Scene scene = Deployed();
  for (const Reason reason : {Reason::kAdminBusy, Reason::kStopped, Reason::kNotSynced}) {
    CHECK(!scene.Report(Failed(reason)).status);
    CHECK(!scene.Report(Failed(reason)).event);
  }
  // A race that is lost once is over before its time to be told has come.
  const auto lost = scene.Report(Failed(Reason::kApiConflict));
  CHECK(ReadyOf(lost) == "Unknown Conflict");
  CHECK(!lost.status->urgent);
  CHECK(!lost.event);
  Scene looking = Deployed();
  looking.looked = false;
  CHECK(!looking.Report().status);
  Scene registering = Deployed({.id = ""});
  CHECK(!registering.Report(kChanged).status);  // the confirmation follows at once
  CHECK(ReadyOf(registering.Report(Failed(Reason::kAdminCallFailed))) == "False AdminCallFailed");
  Scene fresh;
  CHECK(!fresh.Report(kChanged).status);
}

TEST_CASE("event and condition of a failure agree") {
  const auto report =
      Deployed().Report(Failed(Reason::kAdminCallFailed, "POST http://restate:9070/deployments: no answer"));
  REQUIRE(report.event);
  CHECK(report.event->warning);
  CHECK(report.event->note == ReadyIn(report.status->wanted).StringAt({"message"}));
  CHECK(report.event->reason == ReadyIn(report.status->wanted).StringAt({"reason"}));
  CHECK(report.event->regarding.StringAt({"metadata", "uid"}) == "cr-uid");
  CHECK(report.event->action == "Reconcile");
}

TEST_CASE("long messages are cut between characters") {
  const auto message = [](std::string text) {
    const auto report = Deployed().Report(Failed(Reason::kApiRejected, text));
    CHECK(report.event->note == ReadyIn(report.status->wanted).StringAt({"message"}));
    return report.event->note;
  };
  CHECK(message(std::string(1024, 'x')) == std::string(1024, 'x'));
  CHECK(message(std::string(1025, 'x')) == std::string(1021, 'x') + "...");
  for (int shift = 0; shift < 4; ++shift) {
    const std::string cut = message(std::string(static_cast<std::size_t>(shift), 'x') + [] {
      std::string faces;
      for (int i = 0; i < 400; ++i) faces += "\xf0\x9f\x98\x80";
      return faces;
    }());
    CHECK(cut.size() <= 1024);
    CHECK((cut.size() - static_cast<std::size_t>(shift) - 3) % 4 == 0);
    CHECK(cut.ends_with("\xf0\x9f\x98\x80..."));
  }
}

TEST_CASE("what somebody waits for is urgent, steps on the way are not") {
  const auto urgent = [](const Scene& scene, const plan::Outcome& outcome = {}) {
    return scene.Report(outcome).status->urgent;
  };
  Scene scene = Deployed();
  CHECK(urgent(scene));
  SetReady(scene, "False", "ReplicaSetPodNotReady");
  CHECK(urgent(scene));
  SetReady(scene, "True", "Deployed");
  CHECK(urgent(scene));  // of another generation
  scene.cr()["status"]["observedGeneration"] = 4;
  CHECK(urgent(scene));  // of another version
  scene.cr()["status"]["deploymentId"] = "dp_1";
  CHECK(!urgent(scene));  // counters at most
  CHECK(urgent(scene, Failed(Reason::kAdminCallFailed)));
  CHECK(!urgent(scene, Failed(Reason::kApiUnavailable)));
  SetReady(scene, "False", "AdminCallFailed");
  CHECK(!urgent(scene, Failed(Reason::kAdminCallFailed, "the same in other words")));
  CHECK(urgent(scene, Failed(Reason::kAdminCallRejected)));

  Scene waiting = Deployed({.id = "", .ready = 1});
  CHECK(!urgent(waiting));
  SetReady(waiting, "False", "ReplicaSetScaling");
  CHECK(!urgent(waiting));
  SetReady(waiting, "True", "Deployed");
  CHECK(urgent(waiting));

  Scene deleted = Deployed();
  SetReady(deleted, "False", "DeploymentDraining");
  deleted.Delete(deleted.now);
  CHECK(urgent(deleted));  // the first word about the deletion
}

TEST_CASE("an object that waits says so to the diagnostics page") {
  CHECK(!Deployed().Report().waiting);
  const auto report = Deployed({.id = "", .ready = 0}).Report();
  REQUIRE(report.waiting);
  CHECK(report.waiting->reason == Reason::kReplicaSetPodNotReady);
}

TEST_CASE("the id that Restate has outlives the version's objects in the status") {
  Scene scene;
  scene.cr()["status"] = Obj({{"replicas", 1}, {"deploymentId", "dp_1"}});
  CHECK(scene.Report().status->wanted.StringAt({"deploymentId"}) == "dp_1");
  scene.Add("v1", {.id = "dp_2"});
  scene.Use("v1", "dp_2").latest = true;
  CHECK(scene.Report().status->wanted.StringAt({"deploymentId"}) == "dp_2");
}

}  // namespace
}  // namespace restate::deployment
