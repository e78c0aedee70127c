// What is done for the wanted version: made, waited for, registered, confirmed, kept as the object says.
#include <doctest/doctest.h>

#include "absl/strings/str_cat.h"
#include "deployment/scene.h"
#include "restate/deployment/registration.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

// Version v1 is up, registered as dp_1, and the latest.
Scene Deployed() {
  Scene scene;
  scene.Add("v1", {.id = "dp_1"});
  scene.Use("v1", "dp_1").latest = true;
  return scene;
}

plan::Wait WaitOf(const Scene& scene) {
  const auto plan = scene.Plan();
  REQUIRE_MESSAGE(plan.wait, std::string(MessageOf(plan.failure)));
  return *plan.wait;
}

TEST_CASE("a first deploy: finalizer and ReplicaSet, then the Service, then the pods, then the registration") {
  Scene scene;
  scene.cr()["metadata"].Erase("finalizers");
  const auto first = scene.Plan();
  REQUIRE(first.steps.size() == 2);
  CHECK(plan::ToString(first.steps[0]).starts_with("patch restatedeployments shop/greeter [{\"op\":\"test\""));
  CHECK(plan::ToString(first.steps[1]) == "create replicasets shop/" + scene.See().name);
  CHECK(first.again);

  scene = Scene();
  scene.Add("v1", {.ready = 0, .service = false});
  CHECK(scene.Steps() == Steps{"apply services shop/v1 as restate-operator"});
  CHECK(scene.Plan().again);

  scene.Add("v1", {.ready = 0});
  CHECK(scene.Steps() == Steps{});
  CHECK(WaitOf(scene).reason == Reason::kReplicaSetPodNotReady);
  CHECK(!scene.Plan().again);

  scene.Add("v1", {.ready = 1});
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070"});
  CHECK(scene.Plan().again);
  CHECK(scene.Announcements() == Steps{"VersionRegistered"});

  scene = Deployed();
  CHECK(scene.Steps() == Steps{});
  CHECK(!scene.Plan().wait);
  CHECK(scene.Plan().failure.ok());
}

TEST_CASE("the id is recorded on ReplicaSet and Service") {
  Scene scene;
  scene.Add("v1");
  const auto plan = scene.Plan();
  const plan::Register* step = nullptr;
  for (const auto& s : plan.steps) step = step ? step : std::get_if<plan::Register>(&s);
  REQUIRE(step);
  CHECK(step->request.force == false);
  CHECK(!step->request.use_http_11.has_value());
  CHECK(step->manager == "restate-operator/deployment-id");
  CHECK(step->annotation == "restate.dev/deployment-id");
  REQUIRE(step->record_on.size() == 2);
  CHECK(step->record_on[0]->uid() == "uid-of-v1");
  CHECK(step->record_on[1]->uid() == "service-of-v1");
}

TEST_CASE("each thing that pods are waited for has its reason") {
  struct Row {
    Reason reason;
    std::function<void(json::Value&)> change;
  };
  const Row rows[] = {
      {Reason::kReplicaSetNoStatus, [](json::Value& set) { set.Erase("status"); }},
      {Reason::kReplicaSetNoStatus, [](json::Value& set) { set["metadata"]["generation"] = 2; }},
      {Reason::kReplicaSetScaling, [](json::Value& set) { set["status"]["replicas"] = 0; }},
      {Reason::kReplicaSetScaling, [](json::Value& set) { set["status"]["replicas"] = 2; }},
      {Reason::kReplicaSetScaling,
       [](json::Value& set) { set["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; }},
      {Reason::kReplicaSetPodNotReady, [](json::Value& set) { set["status"].Erase("readyReplicas"); }},
      {Reason::kReplicaSetPodNotAvailable, [](json::Value& set) { set["status"]["availableReplicas"] = 0; }},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(RowOf(row.reason).name));
    Scene unregistered;
    unregistered.Add("v1");
    row.change(unregistered.ReplicaSet("v1"));
    CHECK(WaitOf(unregistered).reason == row.reason);
    CHECK(unregistered.Steps() == Steps{});
    Scene registered = Deployed();
    row.change(registered.ReplicaSet("v1"));
    CHECK(WaitOf(registered).reason == row.reason);
    CHECK(registered.Steps() == Steps{});
  }
}

TEST_CASE("zero replicas: nothing is registered, and what is registered may rest") {
  Scene scene;
  scene.spec()["replicas"] = 0;
  scene.Add("v1", {.replicas = 0});
  CHECK(WaitOf(scene).reason == Reason::kScaledToZero);
  CHECK(scene.Steps() == Steps{});

  scene = Deployed();
  scene.spec()["replicas"] = 0;
  scene.Add("v1", {.id = "dp_1", .replicas = 0});
  CHECK(!scene.Plan().wait);

  scene.look.deployments.clear();  // deregistered elsewhere: there is nobody to ask for services
  CHECK(WaitOf(scene).reason == Reason::kScaledToZero);
  CHECK(scene.Steps() == Steps{});
}

TEST_CASE("replicas go through the scale subresource, with the reference's manager") {
  Scene scene = Deployed();
  scene.spec()["replicas"] = 3;
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1/scale as restate-operator/propagate-replicas"});
  const auto body = BodyOf(
      scene.Plan(), "apply replicasets shop/" + scene.NameOf("v1") + "/scale as restate-operator/propagate-replicas");
  CHECK(body.IntAt({"spec", "replicas"}) == 3);
  CHECK(body.StringAt({"metadata", "uid"}) == "uid-of-v1");
}

TEST_CASE("a new or changed annotation is copied; a removed one is removed, whoever of us wrote it") {
  Scene scene = Deployed();
  scene.cr()["metadata"]["annotations"] = Obj({{"team", "a"}});
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1 as restate-operator/propagate-annotations"});

  scene = Deployed();
  auto& metadata = scene.ReplicaSet("v1")["metadata"];
  metadata["annotations"]["example.com/a~b"] = "1";
  metadata["annotations"]["foreign"] = "stays";
  const auto fields =
      Obj({{"f:metadata",
            Obj({{"f:annotations", Obj({{"f:example.com/a~b", Obj({})}, {"f:restate.dev/pod-template", Obj({})}})}})}});
  for (const std::string_view manager : {"restate-operator", "restate-operator/propagate-annotations"}) {
    metadata["managedFields"] = Arr({Obj({{"manager", manager}, {"operation", "Update"}, {"fieldsV1", fields}})});
    CHECK(
        scene.Steps() ==
        Steps{
            R"(patch replicasets shop/v1 [{"op":"test","path":"/metadata/annotations/example.com~1a~0b","value":"1"},)"
            R"({"op":"remove","path":"/metadata/annotations/example.com~1a~0b"}])"});
  }
  metadata["managedFields"] = Arr({Obj({{"manager", "restate-operator/other"}, {"fieldsV1", fields}})});
  CHECK(scene.Steps() == Steps{});
}

TEST_CASE("annotations that mean something on the object itself are not copied") {
  Scene scene = Deployed();
  for (const std::string_view key :
       {"kubectl.kubernetes.io/last-applied-configuration", "restate.dev/tunnel-name", "restate.dev/remove-version-at",
        "restate.dev/deployment-id", "restate.dev/reconcile"}) {
    scene.cr()["metadata"]["annotations"][key] = "x";
  }
  CHECK(scene.Steps() == Steps{});
}

TEST_CASE("labels that prune tools track by do not reach the Service") {
  Scene scene;
  scene.cr()["metadata"]["labels"] = Obj({{"applyset.kubernetes.io/part-of", "x"}, {"team", "a"}});
  scene.Add("v1");
  const auto labels = json::ToMap(scene.Service("v1").FindPath({"metadata", "labels"}));
  CHECK(labels == std::map<std::string, std::string>{{"app.kubernetes.io/managed-by", "restate-operator"},
                                                     {"restate.dev/owned-by", "greeter"},
                                                     {"team", "a"}});
}

TEST_CASE("an id that Restate does not know is registered anew") {
  Scene scene = Deployed();
  scene.look.deployments.clear();
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070"});
  // Invocations may still name it; the registry does not.
  scene.look.deployments["dp_1"].pinned["suspended"] = 1;
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070"});
}

TEST_CASE("an id that somebody wrote down and that is another object's is put right") {
  Scene scene = Deployed();
  scene.look.deployments["dp_1"].uri = "http://other-4b5.shop.svc.cluster.local:9080/";
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070"});
}

TEST_CASE("without a look nothing is registered and nobody is retired") {
  Scene scene = Deployed();
  scene.Want("v2");
  scene.Add("v2", {.minutes_old = 1});
  scene.looked = false;
  CHECK(scene.Steps() == Steps{});
  CHECK(WaitOf(scene).reason == Reason::kWaitingForUsage);
  scene.look_error = MakeError(Reason::kAdminCallFailed, "POST http://restate:9070/query: no answer");
  CHECK(scene.Steps() == Steps{});
  CHECK(scene.Plan().failure == scene.look_error);
}

TEST_CASE("a registration that failed because Restate was away waits for Restate's return") {
  Scene scene;
  scene.Add("v1");
  scene.cr()["status"] =
      Obj({{"replicas", 1},
           {"conditions", Arr({Obj({{"type", "Ready"}, {"status", "False"}, {"reason", "AdminCallFailed"}})})}});
  scene.look_error = MakeError(Reason::kAdminCallFailed, "down");
  CHECK(scene.See().needs_look);
  CHECK(scene.Steps() == Steps{});
  scene.look_error = absl::OkStatus();
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070"});
}

TEST_CASE("routed elsewhere: to a newer version of ours, or to a stranger that is left alone") {
  Scene scene = Deployed();
  scene.look.deployments["dp_1"].latest = false;
  CHECK(WaitOf(scene).reason == Reason::kForeignDeployment);
  scene.Add("v2", {.id = "dp_2", .minutes_old = 1});
  scene.Use("v2", "dp_2").latest = true;
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070 by force"});
}

TEST_CASE("a rollback: the version that is wanted again is made the latest by force, once its pods are ready") {
  Scene scene = Deployed();
  scene.Add("v2", {.id = "dp_2", .minutes_old = 1});
  scene.look.deployments["dp_1"].latest = false;
  scene.Use("v2", "dp_2").latest = true;
  scene.look.deployments["dp_1"].pinned["suspended"] = 1;  // work of its own is no reason against it
  const Steps promote{"register http://v1.shop.svc.cluster.local:9080/ at http://restate:9070 by force"};
  CHECK(scene.Steps() == promote);
  CHECK(scene.Announcements() == Steps{"Promoted"});
  CHECK(scene.Plan().again);

  SUBCASE("pods first") {
    scene.ReplicaSet("v1")["status"]["readyReplicas"] = 0;
    CHECK(scene.Steps() == Steps{});
    CHECK(WaitOf(scene).reason == Reason::kReplicaSetPodNotReady);
  }
  SUBCASE("one that had no effect is not repeated at once") {
    scene.registered = scene.answered - std::chrono::seconds(1);
    scene.registered_id = "dp_1";
    CHECK(scene.Steps() == Steps{});
    CHECK(WaitOf(scene).reason == Reason::kNotLatest);
    CHECK(scene.Plan().look_again == absl::Seconds(30));
    scene.registered = scene.answered - std::chrono::seconds(30);
    CHECK(scene.Steps() == promote);
    scene.registered = scene.answered - std::chrono::seconds(1);
    scene.registered_id = "dp_2";  // that was another one
    CHECK(scene.Steps() == promote);
  }
  SUBCASE("what an earlier object of this name left behind is ours as well") {
    scene = Deployed();
    scene.look.deployments["dp_1"].latest = false;
    auto& left = scene.look.deployments["dp_left"];
    left.latest = true;
    left.uri = "http://greeter-4b5.shop.svc.other.domain:9080/";
    CHECK(scene.Steps() == promote);
    for (const auto* foreign :
         {"http://greeter-4b5.shop2.svc.cluster.local:9080/", "https://greeter-4b5.shop.svc.x/",
          "http://greeter-x4b5.shop.svc.cluster.local:9080/", "http://greeter-.shop.svc.x/",
          "http://greeter-4b5-4b5.shop.svc.cluster.local:9080/", "http://other-4b5.shop.svc.x/"}) {
      CAPTURE(foreign);
      left.uri = foreign;
      CHECK(scene.Steps() == Steps{});
      CHECK(WaitOf(scene).reason == Reason::kForeignDeployment);
    }
  }
}

TEST_CASE("the wanted version carries no autoscaler of ours: one from when it drained goes, and its pods come back") {
  Scene scene = Deployed();
  scene.Autoscaler("v1");
  scene.ReplicaSet("v1")["spec"]["replicas"] = 7;
  CHECK(scene.Steps() == Steps{"delete horizontalpodautoscalers shop/v1 uid autoscaler-of-v1",
                               "apply replicasets shop/v1/scale as restate-operator/propagate-replicas"});
}

TEST_CASE("a RestateCluster is waited for before anything is registered, and its policies let the pods in") {
  Scene scene;
  scene.restate()["register"] = Obj({{"cluster", "prod"}});
  scene.Cluster("prod", true);
  scene.Add("v1", {.id = ""});
  CHECK(scene.ReplicaSet("v1").StringAt({"spec", "template", "metadata", "labels", "allow.restate.dev/prod"}) ==
        "true");
  CHECK(scene.ReplicaSet("v1").StringAt({"metadata", "labels", "allow.restate.dev/prod"}) == "true");
  CHECK(scene.Steps() == Steps{"register http://v1.shop.svc.cluster.local:9080/ at "
                               "http://restate.prod.svc.cluster.local:9070"});
  scene.Cluster("prod", false);
  CHECK(scene.Steps() == Steps{});
  CHECK(WaitOf(scene).reason == Reason::kClusterNotReady);
  CHECK(ReadyOf(scene.Report()) == "False ClusterNotReady");

  scene.cluster.reset();
  CHECK(scene.Steps() == Steps{});
  CHECK(ReadyOf(scene.Report()) == "False InvalidRestateConfig");
  CHECK(ConditionOf(scene.Report(), "Stalled") == "none");  // it may come yet
  CHECK(scene.Report().event);
  CHECK(std::string(MessageOf(scene.Plan().failure)).find("RestateCluster prod") != std::string::npos);

  scene.clusters_listed = false;  // no CRD, or no list yet: that is nobody's mistake
  CHECK(scene.Steps() == Steps{});
  CHECK(!scene.Report().status);
}

TEST_CASE("without its cluster a registered version says so; a look that failed is then no surprise") {
  Scene scene;
  scene.restate()["register"] = Obj({{"cluster", "prod"}});
  scene.Add("v1", {.id = "dp_1"});
  scene.Use("v1", "dp_1").latest = true;
  scene.Cluster("prod", false);
  CHECK(ReadyOf(scene.Report()) == "True Deployed");  // Restate answers, whatever its pods lack
  scene.look_error = MakeError(Reason::kAdminCallFailed, "down");
  CHECK(ReadyOf(scene.Report()) == "False ClusterNotReady");
  scene.Cluster("prod", true);
  CHECK(ReadyOf(scene.Report()) == "False AdminCallFailed");
  scene.cluster.reset();
  CHECK(ReadyOf(scene.Report()) == "False InvalidRestateConfig");
}

TEST_CASE("while a stranger serves, old versions are left alone") {
  Scene scene;
  scene.Want("v2");
  scene.Add("v1", {.id = "dp_1"});
  scene.Add("v2", {.id = "dp_2", .minutes_old = 1});
  scene.Use("v1", "dp_1");
  scene.Use("v2", "dp_2");
  CHECK(WaitOf(scene).reason == Reason::kForeignDeployment);
  CHECK(scene.Steps() == Steps{});
}

TEST_CASE("a version that is wanted again: its removal is off and its pods come back") {
  Scene scene;
  scene.Add("v1", {.id = "dp_1", .replicas = 0, .remove_at = "2027-01-01T00:00:00+00:00"});
  scene.Add("v2", {.id = "dp_2", .minutes_old = 1});
  scene.Use("v1", "dp_1");
  scene.Use("v2", "dp_2").latest = true;
  CHECK(scene.Steps() == Steps{"apply replicasets shop/v1/scale as restate-operator/propagate-replicas",
                               "apply replicasets shop/v1 as restate-operator/remove-version-at"});
}

TEST_CASE("a taken name") {
  SUBCASE("a ReplicaSet of another owner: the next name is tried") {
    Scene scene;
    scene.Add("v1");
    scene.ReplicaSet("v1")["metadata"]["ownerReferences"] =
        Arr({Obj({{"uid", "other"}, {"controller", true}, {"kind", "ReplicaSet"}, {"name", "x"}})});
    CHECK(scene.Plan().collided);
    CHECK(scene.Plan().steps.empty());
    CHECK(ReasonOf(scene.Plan().failure) == Reason::kHashCollision);
    const std::string before = scene.See().name;
    const auto report = scene.Report();
    REQUIRE(report.status);
    CHECK(report.status->wanted.IntAt({"collisionCount"}) == 1);
    CHECK(report.status->urgent);
    scene.cr()["status"] = report.status->wanted;
    CHECK(scene.See().name != before);
  }
  SUBCASE("a ReplicaSet of ours with another template") {
    Scene scene;
    scene.Add("v1");
    scene.ReplicaSet("v1")["metadata"]["annotations"][kPodTemplateAnnotation] = "{}";
    CHECK(scene.Plan().collided);
  }
  SUBCASE("a Service of somebody else") {
    Scene scene;
    scene.Add("v1");
    scene.Service("v1")["metadata"].Erase("ownerReferences");
    CHECK(ReasonOf(scene.Plan().failure) == Reason::kNameTaken);
    CHECK(scene.Steps() == Steps{});
    CHECK(scene.Plan().steps.empty());
  }
  SUBCASE("the Service of an earlier ReplicaSet of that name is taken over") {
    Scene scene;
    scene.Add("v1");
    scene.Service("v1")["metadata"]["ownerReferences"].array()->front()["uid"] = "uid-of-an-earlier-v1";
    CHECK(scene.Plan().failure.ok());
    const auto body = BodyOf(scene.Plan(), "apply services shop/" + scene.NameOf("v1") + " as restate-operator");
    CHECK(body.StringAt({"metadata", "uid"}) == "service-of-v1");
    REQUIRE(body.FindPath({"metadata", "ownerReferences"}));
    CHECK(body.FindPath({"metadata", "ownerReferences"})->array()->front().StringAt({"uid"}) == "uid-of-v1");
  }
}

TEST_CASE("a status that does not decode does not change the version's name") {
  Scene scene;
  scene.cr()["status"] = Obj({{"replicas", 1}, {"collisionCount", 2}});
  const std::string name = scene.See().name;
  scene.cr()["status"]["deletion"] = "of another kind";
  CHECK(scene.See().name == name);
}

TEST_CASE("the uri of a version") {
  const auto uri = [](std::string_view path) {
    Scene scene;
    scene.restate()["servicePath"] = path;
    scene.Add("v1");
    const Observed seen = scene.See();
    REQUIRE(seen.Current());
    const auto text = ServiceUri(seen, *seen.Current());
    if (!text.ok()) return std::string(RowOf(ReasonOf(text.status())).name);
    return scene.Labelled(*text);
  };
  CHECK(uri("") == "http://v1.shop.svc.cluster.local:9080/");
  CHECK(uri("a/b") == "http://v1.shop.svc.cluster.local:9080/a/b");
  CHECK(uri("/a/b/") == "http://v1.shop.svc.cluster.local:9080/a/b/");
  CHECK(uri("/a b?c#d\xc3\xa4") == "http://v1.shop.svc.cluster.local:9080/a%20b%3Fc%23d%C3%A4");
  CHECK(uri("/..a/b..c/...") == "http://v1.shop.svc.cluster.local:9080/..a/b..c/...");
  for (const std::string_view climbing : {"..", "/a/../../b", "/a/%2e%2E/b", "/.%2e", "\\..\\x", "/a/.", "/%2E/"}) {
    CAPTURE(std::string(climbing));
    CHECK(uri(climbing) == "InvalidSpec");
  }
}

TEST_CASE("a pass over an object that waits for nothing comes again in five minutes") {
  CHECK(Deployed().Plan().look_again == absl::Minutes(5));
}

}  // namespace
}  // namespace restate::deployment
