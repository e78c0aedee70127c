// What deleting the object does, and what holds it up.
#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "deployment/scene.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

constexpr char kPast[] = "2026-06-01T00:00:00+00:00";
const std::string kRelease =
    R"(patch restatedeployments shop/greeter [{"op":"test","path":"/metadata/finalizers/0","value":"deployments.restate.dev"},)"
    R"({"op":"remove","path":"/metadata/finalizers/0"}])";

// v1 is up, registered as dp_1, the latest and idle; the object was deleted a minute ago.
Scene Deleted(VersionState v1 = {.id = "dp_1"}) {
  Scene scene;
  scene.Add("v1", v1);
  if (!v1.id.empty()) scene.Use("v1", v1.id).latest = true;
  scene.Delete(scene.now - absl::Minutes(1));
  return scene;
}

const crd::DeletionStatus& DeletionOf(const DeploymentPlan& plan) {
  REQUIRE(plan.deletion);
  return *plan.deletion;
}

TEST_CASE("unfinished work holds a deletion, pinned or not started") {
  Scene scene = Deleted();
  scene.look.deployments["dp_1"].pinned["suspended"] = 2;
  scene.look.deployments["dp_1"].unpinned = 3;
  CHECK(scene.Steps() == Steps{});
  const auto plan = scene.Plan();
  CHECK(plan.wait->reason == Reason::kDeploymentInUse);
  CHECK(plan.look_again == absl::Seconds(10));
  const auto& deletion = DeletionOf(plan);
  CHECK(deletion.phase == crd::DeletionPhase::kDraining);
  CHECK(deletion.total_pending_invocations == 5);
  REQUIRE(deletion.pending_invocations);
  REQUIRE(deletion.pending_invocations->size() == 1);
  CHECK(deletion.pending_invocations->front() == crd::PendingInvocations{scene.NameOf("v1"), "dp_1", 2, 3});
  CHECK(scene.Labelled(*deletion.message) ==
        "Waiting for in-flight invocations against v1 (2 pinned, 3 unpinned invocations)");

  scene.look.deployments["dp_1"].pinned.clear();
  CHECK(scene.Plan().wait->reason == Reason::kDeploymentInUse);
  scene.look.deployments["dp_1"].unpinned = 0;
  scene.look.deployments["dp_1"].attempts = 1;
  CHECK(scene.Plan().wait->reason == Reason::kDeploymentInUse);
  CHECK(DeletionOf(scene.Plan()).total_pending_invocations == 1);
}

TEST_CASE("past its deadline a deletion is overdue and goes on waiting") {
  Scene scene = Deleted();
  scene.look.deployments["dp_1"].pinned["paused"] = 1;
  scene.restate()["drain"] = Obj({{"timeoutSeconds", 60}});
  const auto plan = scene.Plan();
  CHECK(DeletionOf(plan).phase == crd::DeletionPhase::kOverdue);
  CHECK(plan.wait->reason == Reason::kDeletionOverdue);
  CHECK(scene.Report().event->reason == "DeletionDrainOverdue");
  CHECK(absl::StrContains(*DeletionOf(plan).message, "after the 60s drain timeout"));
  CHECK(scene.Steps() == Steps{});
  scene.restate()["drain"]["timeoutSeconds"] = 61;
  CHECK(DeletionOf(scene.Plan()).phase == crd::DeletionPhase::kDraining);
  CHECK(*DeletionOf(scene.Plan()).deadline == scene.now + absl::Seconds(1));
}

TEST_CASE("every drain timeout gives a deadline that can be written") {
  for (const std::int64_t timeout :
       {std::int64_t{0}, std::int64_t{260'000'000'000}, std::numeric_limits<std::int64_t>::max()}) {
    Scene scene = Deleted();
    scene.look.deployments["dp_1"].pinned["paused"] = 1;
    scene.restate()["drain"] = Obj({{"timeoutSeconds", timeout}});
    const auto report = scene.Report();
    REQUIRE(report.status);
    const auto deadline = report.status->wanted.StringAt({"deletion", "deadline"});
    CHECK(deadline.size() == std::string_view("2027-01-15T08:00:00Z").size());
  }
}

TEST_CASE("an idle version waits out the drain delay, although it is the latest") {
  Scene scene = Deleted();
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1 as restate-operator/remove-version-at"});
  CHECK(scene.Plan().wait->reason == Reason::kDeploymentDraining);
  CHECK(scene.Plan().look_again == absl::Minutes(5));
  CHECK(DeletionOf(scene.Plan()).total_pending_invocations == 0);
  CHECK(!DeletionOf(scene.Plan()).pending_invocations);
  scene = Deleted({.id = "dp_1", .remove_at = "2027-01-15T08:00:30+00:00"});
  CHECK(scene.Steps() == Steps{});
  CHECK(scene.Plan().look_again == absl::Seconds(30));
}

TEST_CASE("then everything goes: pods, registration, ReplicaSet, and last the finalizer; no history is kept") {
  Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
  scene.Add("v0", {.id = "dp_0", .replicas = 0, .minutes_old = 600, .remove_at = kPast});
  scene.Use("v0", "dp_0");
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1/scale as restate-operator/scale-down",
                               "forget dp_1 at http://restate:9070", "delete replicasets shop/v1 uid uid-of-v1",
                               "forget dp_0 at http://restate:9070", "delete replicasets shop/v0 uid uid-of-v0",
                               kRelease});
  CHECK(scene.Plan().released);
  CHECK(scene.Plan().expires.has_value());
  CHECK(!scene.Report().status);  // nobody is left to tell
}

TEST_CASE("a step of the removal that fails is told") {
  Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
  const plan::Outcome outcome{
      .done = 1, .error = MakeError(Reason::kAdminCallRejected, "DELETE: 500"), .registration = {}, .changed = true};
  const auto report = scene.Report(outcome);
  CHECK(ReadyOf(report) == "False AdminCallRejected");
  CHECK(report.status->wanted.StringAt({"deletion", "phase"}) == "Draining");
  REQUIRE(report.event);
  CHECK(report.event->reason == "AdminCallRejected");
}

TEST_CASE("an object that never got anywhere is let go at once") {
  Scene scene;
  scene.Delete(scene.now);
  scene.look_error = MakeError(Reason::kAdminCallFailed, "down");
  CHECK(scene.Steps() == Steps{kRelease});

  // Pods, but no Service: it cannot have been registered, and Restate need not be asked.
  Scene early = Deleted({.ready = 0, .service = false});
  early.look_error = MakeError(Reason::kAdminCallFailed, "down");
  CHECK(early.Steps() == Steps{"apply replicasets shop/v1/scale as restate-operator/scale-down",
                               "delete replicasets shop/v1 uid uid-of-v1", kRelease});
}

TEST_CASE("versions are not removed blindly") {
  SUBCASE("Restate does not answer") {
    Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
    scene.look_error = MakeError(Reason::kAdminCallFailed, "POST http://restate:9070/query: no answer");
    CHECK(scene.Steps() == Steps{});
    CHECK(scene.Plan().failure == scene.look_error);
    CHECK(ReadyOf(scene.Report()) == "False AdminCallFailed");
    CHECK(scene.Report().status->wanted.StringAt({"deletion", "phase"}) == "Draining");
  }
  SUBCASE("the look is under way") {
    Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
    scene.looked = false;
    CHECK(scene.Steps() == Steps{});
    CHECK(!scene.Report().status);
  }
  SUBCASE("the address of Restate was broken meanwhile") {
    Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
    scene.restate()["register"] = Obj({{"url", "ftp://x"}});
    CHECK(scene.Steps() == Steps{});
    CHECK(ReasonOf(scene.Plan().failure) == Reason::kInvalidRestateConfig);
  }
  SUBCASE("the spec does not decode any more") {
    Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
    scene.spec()["replicas"] = "many";
    CHECK(scene.Steps() == Steps{});
    CHECK(ReasonOf(scene.Plan().failure) == Reason::kInvalidSpec);
  }
}

TEST_CASE("a version that may be registered without our knowing is looked for, whatever its pods do now") {
  Scene scene = Deleted({.id = "", .ready = 0});
  scene.Use("v1", "dp_lost").pinned["invoked"] = 1;
  CHECK(scene.Plan().wait->reason == Reason::kDeploymentInUse);
  scene.look_error = MakeError(Reason::kAdminCallFailed, "down");
  CHECK(scene.Steps() == Steps{});
  CHECK(ReasonOf(scene.Plan().failure) == Reason::kAdminCallFailed);
}

TEST_CASE("Configurations that cannot be seen hold a deletion") {
  Scene knative;
  knative.spec()["deploymentMode"] = "knative";
  knative.Delete(knative.now);
  knative.cr()["status"] = Obj({{"replicas", 1}, {"deploymentId", "dp_1"}});
  const auto holds = [&] {
    const auto plan = knative.Plan();
    CHECK(knative.Steps() == Steps{});
    return plan.wait && plan.wait->reason == Reason::kKnativeNotInstalled;
  };
  CHECK(holds());
  knative.spec()["replicas"] = "does not decode";
  CHECK(holds());
}

// The status already says that force is used.
Scene Forced(VersionState v1 = {.id = "dp_1"}) {
  Scene scene = Deleted(v1);
  scene.restate()["deletePolicy"] = "force";
  scene.cr()["status"] =
      Obj({{"replicas", 1},
           {"deletion", Obj({{"policy", "force"}, {"phase", "Forcing"}, {"totalPendingInvocations", 0}})}});
  return scene;
}

TEST_CASE("F6: force: told first, then everything goes at once with its work, and the losses are named") {
  Scene scene = Forced({.id = "dp_1", .replicas = 2});
  scene.Autoscaler("v1");
  scene.look.deployments["dp_1"].pinned["suspended"] = 2;
  scene.look.deployments["dp_1"].unpinned = 3;
  scene.cr().Erase("status");
  CHECK(scene.Steps() == Steps{});
  auto report = scene.Report();
  REQUIRE(report.status);
  CHECK(report.status->urgent);
  CHECK(report.status->wanted.StringAt({"deletion", "phase"}) == "Forcing");
  CHECK(report.status->wanted.StringAt({"deletion", "policy"}) == "force");
  CHECK(!report.status->wanted.FindPath({"deletion", "deadline"}));
  CHECK(report.status->wanted.Find("replicas"));  // the CRD demands it
  CHECK(scene.Plan().look_again == absl::ZeroDuration());

  scene.cr()["status"] = report.status->wanted;
  CHECK(scene.Steps() == Steps{"delete horizontalpodautoscalers shop/v1 uid autoscaler-of-v1",
                               "apply replicasets shop/v1/scale as restate-operator/scale-down",
                               "forget dp_1 at http://restate:9070", "delete replicasets shop/v1 uid uid-of-v1",
                               kRelease});
  CHECK(scene.Announcements() == Steps{"VersionScaledDown", "VersionRemoved", "ForcedDeletion"});
  for (const plan::Step& step : scene.Plan().steps) {
    const auto* announce = std::get_if<plan::Announce>(&step);
    if (!announce || announce->event.reason != "ForcedDeletion") continue;
    CHECK(announce->event.warning);
    CHECK(absl::StrContains(scene.Labelled(announce->event.note), "v1 (2 pinned, 3 unpinned invocations)"));
  }
}

TEST_CASE("what a forced deletion says is lost was there when it was asked for") {
  Scene scene = Deleted();
  const auto age = [&](double seconds_since) {
    scene.Delete(scene.now - absl::Seconds(seconds_since));
    return LookNeeded(scene.See())->max_age;
  };
  CHECK(age(3) == kFreshLook);
  scene.restate()["deletePolicy"] = "force";
  CHECK(age(0) == std::chrono::milliseconds(200));  // whoever waits for a look gets it
  CHECK(age(4) == std::chrono::seconds(3));
  CHECK(age(60) == kFreshLook);

  // The same of a Restate that a version was registered with before.
  const auto told =
      Obj({{"name", scene.NameOf("v1")}, {"phase", "Draining"}, {"registeredAt", Arr({"http://old:9070"})}});
  scene.cr()["status"] = Obj({{"replicas", 1}, {"versions", Arr({told})}});
  age(4);
  const auto elsewhere = LooksElsewhere(scene.See());
  REQUIRE(elsewhere.size() == 1);
  CHECK(elsewhere.begin()->second.max_age == std::chrono::seconds(3));
}

TEST_CASE("drained until the deadline, forced after it") {
  Scene scene = Deleted({.id = "dp_1"});
  scene.look.deployments["dp_1"].pinned["paused"] = 1;
  scene.restate()["drain"] = Obj({{"timeoutSeconds", 64}, {"onTimeout", "force"}});
  CHECK(scene.Plan().wait->reason == Reason::kDeploymentInUse);
  CHECK(scene.Plan().look_again == absl::Seconds(4));  // the deadline
  CHECK(DeletionOf(scene.Plan()).on_timeout == crd::OnTimeout::kForce);
  scene.cr()["status"] = scene.Report().status->wanted;
  scene.now += absl::Seconds(4);
  CHECK(scene.Steps() == Steps{});
  CHECK(DeletionOf(scene.Plan()).phase == crd::DeletionPhase::kForcing);
  CHECK(scene.Report().status->urgent);
  scene.cr()["status"] = scene.Report().status->wanted;
  CHECK(scene.Steps().back() == kRelease);
  CHECK(scene.Announcements().back() == "ForcedDeletion");

  // A removal that is scheduled later than the deadline does not outlast it.
  Scene idle = Deleted({.id = "dp_1", .remove_at = "2027-01-15T09:00:00+00:00"});
  idle.restate()["drain"] = Obj({{"timeoutSeconds", 64}, {"onTimeout", "force"}});
  CHECK(idle.Plan().look_again == absl::Seconds(4));
}

TEST_CASE("F6: force does not wait for a Restate that is gone, and says what stays behind") {
  Scene scene = Forced();
  scene.look_error = MakeError(Reason::kAdminCallFailed, "no answer");
  scene.now -= absl::Seconds(1);  // 59 s after the request
  CHECK(scene.Steps() == Steps{});
  CHECK(ReadyOf(scene.Report()) == "False AdminCallFailed");
  scene.now += absl::Seconds(1);
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1/scale as restate-operator/scale-down",
                               "delete replicasets shop/v1 uid uid-of-v1", kRelease});
  CHECK(scene.Announcements().back() == "RegistrationLeft");

  Scene drain = Deleted({.id = "dp_1", .remove_at = kPast});
  drain.look_error = scene.look_error;
  drain.now += absl::Hours(100);
  CHECK(drain.Steps() == Steps{});  // nobody asked for force
}

TEST_CASE("a deletion whose RestateCluster is gone is let go at once") {
  Scene scene = Deleted();
  scene.restate()["register"] = Obj({{"cluster", "prod"}});
  CHECK(scene.Steps() == Steps{kRelease});
  scene.clusters_listed = false;
  CHECK(scene.Steps() == Steps{});
}

// A namespace was deleted: the versions went before the object.
Scene Bereft() {
  Scene scene;
  scene.Delete(scene.now - absl::Minutes(1));
  scene.cr()["status"] = Obj({{"replicas", 1}, {"deploymentId", "dp_1"}});
  scene.look.deployments["dp_1"].uri = "http://greeter-4b5.shop.svc.cluster.local:9080/";
  scene.look.deployments["dp_1"].latest = true;
  scene.look.deployments["dp_other"].uri = "http://greeter-4b5.other.svc.cluster.local:9080/";
  return scene;
}

TEST_CASE(
    "a version that bears the id of another object leaves nothing of its own behind, and nothing of the other goes") {
  Scene scene = Deleted({.id = "dp_other", .remove_at = kPast});
  scene.look.deployments["dp_other"].uri = "http://other-4b5.shop.svc.cluster.local:9080/";
  scene.Use("v1", "dp_1").latest = true;
  const auto steps = scene.Steps();
  CHECK(std::count(steps.begin(), steps.end(), "forget dp_1 at http://restate:9070") == 1);
  CHECK(std::count(steps.begin(), steps.end(), "forget dp_other at http://restate:9070") == 0);
  scene.look.deployments["dp_other"].pinned["invoked"] = 1;  // any doubt counts as in use
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1 as restate-operator/remove-version-at"});
}

TEST_CASE("what versions that are gone left in Restate goes as well, unless work is pinned to it") {
  Scene scene = Bereft();
  CHECK(scene.Steps() == Steps{"forget dp_1 at http://restate:9070", kRelease});
  scene.cr()["status"] = Obj({{"replicas", 1}});  // a pass between the two deletions, in which nothing was known of it
  CHECK(scene.Steps() == Steps{"forget dp_1 at http://restate:9070", kRelease});
  scene.look.deployments["dp_1"].pinned["suspended"] = 1;
  CHECK(scene.Steps() == Steps{kRelease});
  CHECK(scene.Announcements().back() == "RegistrationLeft");
  scene.restate()["deletePolicy"] = "force";
  CHECK(scene.Steps() == Steps{"forget dp_1 at http://restate:9070", kRelease});
  CHECK(scene.Announcements().back() == "ForcedDeletion");

  Scene away = Bereft();
  away.look_error = MakeError(Reason::kAdminCallFailed, "no answer");
  CHECK(away.Steps() == Steps{kRelease});  // a minute after the request: no namespace hangs on Restate
  away.now -= absl::Seconds(1);
  CHECK(away.Steps() == Steps{});
}

TEST_CASE("suspension ends with the delete request") {
  Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  CHECK(scene.Plan().released);
}

TEST_CASE("without our finalizer nothing is done; foreign finalizers stay") {
  Scene scene = Deleted({.id = "dp_1", .remove_at = kPast});
  scene.cr()["metadata"]["finalizers"] = Arr({"foregroundDeletion"});
  CHECK(scene.Plan().steps.empty());
  CHECK(!scene.Report().status);
  scene.cr()["metadata"]["finalizers"] = Arr({"a/b", "deployments.restate.dev", "c/d"});
  CHECK(
      absl::StrContains(scene.Steps().back(), R"("path":"/metadata/finalizers/1","value":"deployments.restate.dev")"));
}

TEST_CASE("a deletion is announced once, and an object being deleted gets nothing made") {
  Scene scene;
  scene.cr()["metadata"]["finalizers"] = Arr({"deployments.restate.dev"});
  scene.Add("v0", {.id = "dp_0"});
  scene.Use("v0", "dp_0").pinned["invoked"] = 1;
  scene.Want("v1");  // its ReplicaSet does not exist
  scene.Delete(scene.now);
  CHECK(scene.Steps() == Steps{});
  CHECK(scene.Announcements() == Steps{"DeleteRequested"});
  scene.cr()["status"] = scene.Report().status->wanted;
  CHECK(scene.Announcements() == Steps{});
}

}  // namespace
}  // namespace restate::deployment
