// How versions that get no new work leave, and what keeps them.
#include <doctest/doctest.h>

#include "absl/strings/str_cat.h"
#include "deployment/scene.h"
#include "restate/json/text.h"

namespace restate::deployment {
namespace {

using Steps = std::vector<std::string>;

constexpr char kPast[] = "2026-06-01T00:00:00+00:00";
constexpr char kFuture[] = "2027-01-15T08:10:00+00:00";  // ten minutes after the scene's now

// v2 is wanted, up and the latest; v1 (dp_1) is registered and has no work.
Scene Rolled(VersionState v1 = {.id = "dp_1"}) {
  Scene scene;
  scene.Want("v2");
  scene.Add("v1", v1);
  scene.Add("v2", {.id = "dp_2", .minutes_old = 1});
  if (!v1.id.empty()) scene.Use("v1", v1.id);
  scene.Use("v2", "dp_2").latest = true;
  return scene;
}

const std::string kStamp = "apply replicasets shop/v1 as restate-operator/remove-version-at";
const std::string kScaleDownV1 = "apply replicasets shop/v1/scale as restate-operator/scale-down";
const std::string kForgetV1 = "forget dp_1 at http://restate:9070";
const std::string kDeleteV1 = "delete replicasets shop/v1 uid uid-of-v1";

std::string StampOf(const Scene& scene) {
  const auto body =
      BodyOf(scene.Plan(), "apply replicasets shop/" + scene.NameOf("v1") + " as restate-operator/remove-version-at");
  return std::string(body.StringAt({"metadata", "annotations", "restate.dev/remove-version-at"}, "none"));
}

TEST_CASE("a version is kept by work and by being the latest") {
  struct Row {
    const char* why;
    std::function<void(admin::DeploymentUse&)> use;
    std::size_t blockers;
  };
  const Row rows[] = {
      {"pinned", [](auto& use) { use.pinned["suspended"] = 3; }, 1},
      {"paused", [](auto& use) { use.pinned["paused"] = 1; }, 1},
      {"attempt in flight, nothing pinned", [](auto& use) { use.attempts = 1; }, 1},
      {"latest of a service", [](auto& use) { use.latest = true; }, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Scene scene = Rolled();
    row.use(scene.look.deployments["dp_1"]);
    CHECK(scene.Steps() == Steps{});
    CHECK(scene.Plan().blockers.size() == row.blockers);
    CHECK(scene.Plan().look_again == (row.blockers > 0 ? absl::Seconds(10) : absl::Minutes(5)));
    CHECK(!scene.Plan().wait);  // the wanted version is fine

    Scene due = Rolled({.id = "dp_1", .remove_at = kPast});
    row.use(due.look.deployments["dp_1"]);
    CHECK(due.Steps() == Steps{kStamp});
    CHECK(StampOf(due) == "none");  // cleared, by giving the annotation up
  }
}

TEST_CASE("an older version with work gets the user's autoscaler, for itself alone, and loses it with its last work") {
  const auto autoscaling = [](Scene& scene) {
    scene.spec()["autoscaling"] = json::Obj({{"minReplicas", 0}, {"maxReplicas", 5}, {"scaleTargetRef", "x"}});
  };
  const std::string apply = "apply horizontalpodautoscalers shop/v1 as restate-operator/autoscaling";
  Scene scene = Rolled({.id = "dp_1", .replicas = 3});
  scene.look.deployments["dp_1"].pinned["invoked"] = 1;
  autoscaling(scene);
  CHECK(scene.Steps() == Steps{apply});
  const auto plan = scene.Plan();
  const auto body =
      BodyOf(plan, "apply horizontalpodautoscalers shop/" + scene.NameOf("v1") + " as restate-operator/autoscaling");
  CHECK(body.IntAt({"spec", "minReplicas"}) == 1);
  CHECK(body.IntAt({"spec", "maxReplicas"}) == 5);
  CHECK(body.StringAt({"spec", "scaleTargetRef", "kind"}) == "ReplicaSet");
  CHECK(body.StringAt({"spec", "scaleTargetRef", "name"}) == scene.NameOf("v1"));
  CHECK(body.StringAt({"metadata", "labels", "restate.dev/owned-by"}) == "greeter");
  const auto refused = std::get<plan::Apply>(plan.steps.back()).if_refused;
  REQUIRE(refused);
  CHECK(refused->reason == "AutoscalingApplyFailed");
  CHECK(refused->warning);

  SUBCASE("no longer wanted: full strength again") {
    scene.Autoscaler("v1");
    scene.spec().Erase("autoscaling");
    scene.spec()["replicas"] = 1;
    CHECK(scene.Steps() == Steps{"delete horizontalpodautoscalers shop/v1 uid autoscaler-of-v1",
                                 "apply replicasets shop/v1/scale as restate-operator/scale-restore"});
  }
  SUBCASE("a foreign one of that name is nobody's to delete") {
    scene.spec().Erase("autoscaling");
    CHECK(scene.Steps() == Steps{});
  }
  SUBCASE("it stays through the drain delay, and goes right before the pods") {
    Scene drained = Rolled({.id = "dp_1", .replicas = 3});
    autoscaling(drained);
    drained.Autoscaler("v1");
    CHECK(drained.Steps() == Steps{kStamp});
    Scene due = Rolled({.id = "dp_1", .replicas = 3, .remove_at = kPast});
    autoscaling(due);
    due.Autoscaler("v1");
    CHECK(due.Steps() == Steps{"delete horizontalpodautoscalers shop/v1 uid autoscaler-of-v1", kScaleDownV1});
  }
}

TEST_CASE("D6: a version stays until the Restate it was registered with before has no work for it") {
  const std::string a = "http://a:9070";
  Scene scene = Rolled();
  scene.look.deployments.erase("dp_1");  // the wanted Restate does not know it
  scene.cr()["status"] = json::Obj(
      {{"replicas", 1},
       {"versions", json::Arr({json::Obj(
                        {{"name", scene.NameOf("v1")}, {"phase", "Draining"}, {"registeredAt", json::Arr({a})}})})}});
  auto& there = scene.elsewhere[a].deployments["dp_1"];
  there.uri = scene.UriOf("v1");
  there.latest = true;  // nothing follows it there
  const auto told = [&] { return json::Dump((*scene.Report().status->wanted.Find("versions")->array())[1]); };
  SUBCASE("work there holds it") {
    there.pinned["suspended"] = 1;
    CHECK(scene.Steps() == Steps{});
    CHECK(scene.Plan().blockers.size() == 1);
    CHECK(told().find(R"("registeredAt":["http://restate:9070","http://a:9070"])") != std::string::npos);
    CHECK(told().find(R"("invocations":{"suspended":1})") != std::string::npos);
    there.pinned.clear();
    there.unpinned = 1;
    CHECK(scene.Steps() == Steps{});
  }
  SUBCASE("silence there holds it, and is told") {
    scene.elsewhere.clear();
    CHECK(scene.Steps() == Steps{});
    CHECK(!scene.Plan().wait);
    CHECK(scene.Plan().look_again == absl::Seconds(10));
    CHECK(told().find("waiting for the answer of http://a:9070") != std::string::npos);
    scene.Delete(scene.now);
    CHECK(scene.Steps() == Steps{"apply replicasets shop/v2 as restate-operator/remove-version-at"});
    CHECK(ReasonOf(scene.Plan().failure) == Reason::kAdminCallFailed);
  }
  SUBCASE("an address that is gone was another name of the same Restate, or somebody says that nothing is there") {
    scene.elsewhere.clear();
    scene.Use("v1", "dp_1");
    CHECK(scene.Steps() == Steps{kStamp});
    scene.look.deployments.erase("dp_1");
    CHECK(scene.Steps() == Steps{});
    scene.ReplicaSet("v1")["metadata"]["annotations"].Erase("restate.dev/deployment-id");
    CHECK(scene.Steps() == Steps{kScaleDownV1});
  }
  SUBCASE("no work there: the delay, then it goes, and is deregistered there") {
    CHECK(scene.Steps() == Steps{kStamp});
    scene.spec()["revisionHistoryLimit"] = 0;
    scene.ReplicaSet("v1")["metadata"]["annotations"]["restate.dev/remove-version-at"] = kPast;
    CHECK(scene.Steps() == Steps{kScaleDownV1, "forget dp_1 at http://a:9070", kDeleteV1});
  }
  SUBCASE(
      "a cluster that another operator registered it with is known by its label, and gone with its RestateCluster") {
    scene.cr().Erase("status");
    scene.ReplicaSet("v1")["metadata"]["labels"]["allow.restate.dev/old"] = "true";
    scene.Cluster("old", false);
    scene.elsewhere["http://restate.old.svc.cluster.local:9070"] = scene.elsewhere[a];
    CHECK(scene.Steps() == Steps{kStamp});
    scene.elsewhere["http://restate.old.svc.cluster.local:9070"].deployments["dp_1"].pinned["invoked"] = 1;
    CHECK(scene.Steps() == Steps{});
    scene.cluster.reset();
    CHECK(scene.Steps() == Steps{kScaleDownV1});
  }
}

TEST_CASE("no look, no removal") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.looked = false;
  CHECK(scene.Steps() == Steps{});
  scene.look_error = MakeError(Reason::kAdminCallFailed, "a partition has no leader");
  CHECK(scene.Steps() == Steps{});
  CHECK(Retire(scene.See()).steps.empty());
}

TEST_CASE("a version without work is scheduled once") {
  Scene scene = Rolled();
  CHECK(scene.Steps() == Steps{kStamp});
  CHECK(StampOf(scene) == "2027-01-15T08:05:01+00:00");
  CHECK(scene.Announcements() == Steps{"VersionDrained"});
  CHECK(scene.Plan().look_again == absl::Minutes(5));

  scene = Rolled({.id = "dp_1", .remove_at = kFuture});
  CHECK(scene.Steps() == Steps{});
  CHECK(scene.Announcements() == Steps{});
  scene = Rolled({.id = "dp_1", .remove_at = "2027-01-15T08:00:20Z"});
  CHECK(scene.Plan().look_again == absl::Seconds(20));
}

TEST_CASE("a date that is none is written anew") {
  for (const char* text : {"soon", "2026-06-01", "0"}) {
    Scene scene = Rolled({.id = "dp_1", .remove_at = text});
    CHECK(scene.Steps() == Steps{kStamp});
  }
}

TEST_CASE("every drain delay gives a date that can be read back, not before the delay is over") {
  for (const std::int64_t delay : {std::int64_t{0}, std::int64_t{1}, std::int64_t{300}, std::int64_t{260'000'000'000},
                                   std::numeric_limits<std::int64_t>::max()}) {
    CAPTURE(delay);
    Scene scene = Rolled();
    scene.now += absl::Milliseconds(900);
    scene.restate()["drainDelaySeconds"] = delay;
    CHECK(scene.Steps() == Steps{kStamp});
    absl::Time at;
    std::string error;
    REQUIRE(absl::ParseTime(absl::RFC3339_full, StampOf(scene), &at, &error));
    CHECK(at > scene.now);
    CHECK(at - scene.now >= absl::Seconds(std::min<std::int64_t>(delay, 300'000'000)));
    CHECK(StampOf(scene).size() == std::string_view(kPast).size());
    Scene next = Rolled({.id = "dp_1", .remove_at = StampOf(scene)});
    next.now = at;
    CHECK(next.Steps() == Steps{kScaleDownV1});
  }
}

TEST_CASE("a removal that is due asks for a look that came after its date") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kFuture});
  CHECK(LookNeeded(scene.See())->max_age == kFreshLook);
  scene.now += absl::Minutes(10) + absl::Seconds(3);
  CHECK(LookNeeded(scene.See())->max_age == std::chrono::seconds(3));
  scene.now += absl::Hours(1);
  CHECK(LookNeeded(scene.See())->max_age == kFreshLook);
}

TEST_CASE("due: scaled to zero, and kept as history") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  CHECK(scene.Steps() == Steps{kScaleDownV1});
  CHECK(scene.Announcements() == Steps{"VersionScaledDown"});
  REQUIRE(scene.Plan().expires);

  scene = Rolled({.id = "dp_1", .replicas = 0, .remove_at = kPast});
  CHECK(scene.Steps() == Steps{});
  CHECK(!scene.Plan().expires);
  CHECK(LookNeeded(scene.See())->max_age == std::chrono::seconds(10));  // nothing says yet that all is well
  scene.cr()["status"] = scene.Report().status->wanted;
  CHECK(LookNeeded(scene.See())->max_age == std::chrono::seconds(290));
  scene.cr()["metadata"]["generation"] = 2;
  CHECK(LookNeeded(scene.See())->max_age == std::chrono::seconds(10));
}

TEST_CASE("beyond the history limit a version is deregistered and deleted, oldest first to go") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.spec()["revisionHistoryLimit"] = 0;
  CHECK(scene.Steps() == Steps{kScaleDownV1, kForgetV1, kDeleteV1});
  CHECK(scene.Announcements() == Steps{"VersionScaledDown", "VersionRemoved"});

  scene.spec()["revisionHistoryLimit"] = 1;
  CHECK(scene.Steps() == Steps{kScaleDownV1});
  scene.Add("v0", {.id = "dp_0", .replicas = 0, .minutes_old = 600, .remove_at = kPast});
  scene.Use("v0", "dp_0");
  CHECK(scene.Steps() ==
        Steps{kScaleDownV1, "forget dp_0 at http://restate:9070", "delete replicasets shop/v0 uid uid-of-v0"});
  scene.look.deployments["dp_0"].pinned["invoked"] = 1;  // work came back to it
  CHECK(scene.Steps() == Steps{kScaleDownV1, "apply replicasets shop/v0 as restate-operator/remove-version-at",
                               "apply replicasets shop/v0/scale as restate-operator/scale-restore"});
}

TEST_CASE("a deployment is deregistered only when its uri is this version's") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.spec()["revisionHistoryLimit"] = 0;
  for (const std::string uri : {"http://elsewhere:9080/", "https://v1.shop.svc.cluster.local:9080/",
                                "http://v1.shop2.svc.cluster.local:9080/"}) {
    scene.look.deployments["dp_1"].uri = uri;
    CHECK(scene.Steps() == Steps{kScaleDownV1, kDeleteV1});
  }
  scene.look.deployments["dp_1"].uri = absl::StrCat("http://", scene.NameOf("v1"), ".shop.svc.old.domain:9080/path");
  CHECK(scene.Steps() == Steps{kScaleDownV1, kForgetV1, kDeleteV1});
}

TEST_CASE("a version that Restate does not know needs no delay") {
  Scene scene = Rolled();
  scene.look.deployments.erase("dp_1");
  CHECK(scene.Steps() == Steps{kScaleDownV1});
  scene = Rolled(VersionState{});
  CHECK(scene.Steps() == Steps{kScaleDownV1});
}

TEST_CASE("a version whose id was never written down is found by its uri") {
  for (const int ready : {1, 0}) {  // pods that are down just now may have served before
    Scene scene = Rolled({.id = "", .ready = ready});
    CHECK(scene.See().needs_look);
    scene.Use("v1", "dp_lost").pinned["suspended"] = 1;
    CHECK(scene.Steps() == Steps{});
    REQUIRE(scene.Plan().blockers.size() == 1);
    CHECK(scene.Plan().blockers[0].deployment_id == "dp_lost");
    scene.look.deployments["dp_lost"].pinned.clear();
    CHECK(scene.Steps() == Steps{kStamp});
  }
  Scene due = Rolled({.id = "", .remove_at = kPast});
  due.Use("v1", "dp_lost");
  due.spec()["revisionHistoryLimit"] = 0;
  CHECK(due.Steps() == Steps{kScaleDownV1, "forget dp_lost at http://restate:9070", kDeleteV1});
}

TEST_CASE("work that is pinned to a deregistered deployment still keeps its version") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.look.deployments["dp_1"].uri.clear();
  scene.look.deployments["dp_1"].pinned["invoked"] = 1;
  CHECK(scene.Steps() == Steps{kStamp});
}

TEST_CASE(
    "old versions leave also while the wanted one is not ready, and not while it is the one to be registered first") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.Add("v2", {.id = "dp_2", .ready = 0, .minutes_old = 1});
  CHECK(scene.Steps() == Steps{kScaleDownV1});
  CHECK(scene.Plan().wait->reason == Reason::kReplicaSetPodNotReady);
}

TEST_CASE("a version that somebody deleted is not deleted again and is no history") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.ReplicaSet("v1")["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z";
  CHECK(scene.Steps() == Steps{kForgetV1});
  scene.look.deployments.erase("dp_1");
  CHECK(scene.Steps() == Steps{});
}

TEST_CASE("ReplicaSets of others are none of our business") {
  Scene scene = Rolled({.id = "dp_1", .remove_at = kPast});
  scene.ReplicaSet("v1")["metadata"]["ownerReferences"].array()->front()["uid"] = "another-cr";
  CHECK(scene.Steps() == Steps{});
}

}  // namespace
}  // namespace restate::deployment
