// Whole lives of RestateDeployments in Knative mode, on a fake API server with a stand-in for Knative's controllers.
#include "restate/deployment/knative.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "deployment/passes.h"
#include "recorded/recorded.h"
#include "restate/json/text.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;
using std::chrono::seconds;

const kube::Key kKey{"default", "greeter"};

json::Value Greeter(json::Value knative) {
  const auto labels = Obj({{"app", "greeter"}});
  const json::Value port = Obj({{"containerPort", 9080}, {"name", "h2c"}});
  const json::Value container = Obj({{"name", "c"}, {"image", "i:v1"}, {"ports", Arr({port})}});
  return Obj({{"apiVersion", "restate.dev/v1beta1"},
              {"kind", "RestateDeployment"},
              {"metadata", Obj({{"namespace", kKey.ns}, {"name", kKey.name}})},
              {"spec", Obj({{"deploymentMode", "knative"},
                            {"knative", std::move(knative)},
                            {"revisionHistoryLimit", 0},
                            {"selector", Obj({{"matchLabels", labels}})},
                            {"template", Obj({{"metadata", Obj({{"labels", labels}})},
                                              {"spec", Obj({{"containers", Arr({container})}})}})},
                            {"restate", Obj({{"register", Obj({{"url", "http://127.0.0.1:9070"}})},
                                             {"servicePath", "/api"},
                                             {"drainDelaySeconds", 60}})}})}});
}

using Names = std::vector<std::string>;

struct Life : Passes {
  explicit Life(json::Value spec = Obj({{"tag", "blue"}}), bool installed = true) {
    if (installed) InstallKnative();
    stage.api.Add(kRestateDeployments, Greeter(std::move(spec)));
  }
  void Edit(const std::function<void(json::Value&)>& edit) {
    stage.api.Edit(kRestateDeployments, kKey, [&](json::Value& cr) { edit(cr["spec"]); });
  }
  void Roll(std::string_view image) {
    Edit([&](json::Value& spec) { spec["template"]["spec"]["containers"].array()->front()["image"] = image; });
  }
  void Tag(std::string_view tag) {
    Edit([&](json::Value& spec) { spec["knative"]["tag"] = tag; });
  }
  json::Value Cr() const { return *stage.api.Get(kRestateDeployments, kKey); }
  std::string CurrentId() const { return std::string(Cr().StringAt({"status", "deploymentId"})); }
  std::string Message() const {
    return std::string(Cr().FindPath({"status", "conditions"})->array()->front().StringAt({"message"}));
  }
  Names NamesOf(const kube::Resource& resource) const {
    Names names;
    for (const json::Value& object : stage.api.List(resource)) {
      names.emplace_back(object.StringAt({"metadata", "name"}));
    }
    return names;
  }
  json::Value Configuration(std::string_view name) const {
    return stage.api.Get(kConfigurations, {kKey.ns, std::string(name)}).value_or(json::Value());
  }
  std::string UriOf(const std::string& id) const {
    return stage.admin.With([&](auto& model) { return model.deployments().at(id).uri; });
  }
  std::size_t Registered() const {
    return stage.admin.With([](auto& model) { return model.deployments().size(); });
  }
  std::size_t Writes() const { return stage.api.writes().size(); }
};

TEST_CASE("recorded RestateDeployments in Knative mode make the recorded objects") {
  int compared = 0;
  for (const Recording& recording : RecordingsOf("RestateDeployment")) {
    if (recording.spec.StringAt({"deploymentMode"}) != "knative") continue;
    CAPTURE(recording.file);
    Passes passes;
    passes.InstallKnative();
    passes.stage.api.Add(kRestateDeployments, recording.cr);
    passes.Settle(kube::KeyOf(recording.cr));
    CHECK(passes.Ready(kube::KeyOf(recording.cr)) == "True Deployed");
    const auto live = passes.stage.api.Get(kRestateDeployments, kube::KeyOf(recording.cr));
    for (const char* name : {"configurationName", "routeName"}) {
      CHECK(live->StringAt({"status", "knative", name}) == recording.status.StringAt({"knative", name}));
    }
    for (const kube::Resource& resource : {kConfigurations, kRoutes}) {
      const json::Value* recorded = recording.Find(resource.kind);
      if (!recorded) continue;  // the reference stopped at the lack of spec.knative
      json::Value made = *passes.stage.api.Get(resource, kube::KeyOf(*recorded));
      for (const auto key : {kDeploymentIdAnnotation, kRegisteredAtAnnotation}) {
        made["metadata"]["annotations"].Erase(key);
      }
      for (const char* key : {"timeoutSeconds", "containerConcurrency"}) {
        if (resource == kConfigurations && !recorded->FindPath({"spec", "template", "spec", key}))
          made["spec"]["template"]["spec"].Erase(key);
      }
      if (resource == kConfigurations) {
        json::Value& container = made["spec"]["template"]["spec"]["containers"].array()->front();
        for (const char* key : {"readinessProbe", "resources"}) container.Erase(key);
      }
      const std::string ours = json::DumpPretty(Bare(made)), theirs = json::DumpPretty(Bare(*recorded));
      CHECK(ours == theirs);
      ++compared;
    }
  }
  CHECK(compared == 2);
}

TEST_CASE("the first status is the recorded one") {
  for (const Recording& recording : RecordingsOf("RestateDeployment")) {
    if (recording.file != "kn-tag") continue;
    Passes passes;
    passes.InstallKnative();
    passes.knative.reset();  // its controllers do not run
    passes.stage.api.Add(kRestateDeployments, recording.cr);
    const kube::Key key = kube::KeyOf(recording.cr);
    passes.Settle(key);
    passes.stage.clock.Advance(seconds(10));
    passes.Settle(key);
    json::Value status = *passes.stage.api.Get(kRestateDeployments, key)->Find("status");
    for (const char* member : {"versions", "reconciliation"}) status.Erase(member);
    auto& conditions = *status["conditions"].array();
    conditions.resize(1);  // Reconciling is ours
    for (const char* member : {"lastTransitionTime", "observedGeneration"}) conditions.front().Erase(member);
    CHECK(json::DumpPretty(status) == json::DumpPretty(recording.status));
  }
}

TEST_CASE("each wait has a message of its own") {
  Life life;
  life.knative->revisions_become_ready = false;
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(10));
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "False ConfigurationNotReady");
  CHECK(absl::StrContains(life.Message(), "Revision greeter-blue-00001"));
  CHECK(absl::StrContains(life.Message(), "ContainerMissing"));
  CHECK(life.Registered() == 0);

  life.stage.api.Remove(kRevisions, {kKey.ns, "greeter-blue-00001"});
  life.knative = KnativeSettings{.routes_become_ready = false};
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(10));
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "False RouteNotReady");
  CHECK(absl::StrContains(life.Message(), "Route greeter-blue is not ready (IngressNotConfigured)"));
  CHECK(life.Registered() == 0);

  life.knative = KnativeSettings{};
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
}

TEST_CASE("registered at the URL of its Route, and written down on the Configuration alone") {
  Life life;
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  const std::string id = life.CurrentId();
  CHECK(life.UriOf(id) == "http://greeter-blue.default.svc.cluster.local/api");
  const json::Value configuration = life.Configuration("greeter-blue");
  const auto annotation = [&](std::string_view key) {
    return std::string(configuration.StringAt({"metadata", "annotations", key}));
  };
  CHECK(annotation("restate.dev/deployment-id") == id);
  CHECK(absl::StrContains(annotation("restate.dev/registered-at"), "+00:00"));
  CHECK(annotation("restate.dev/tag") == "blue");
  CHECK(!configuration.FindPath({"metadata", "annotations", "restate.dev/pod-template"}));
  bool managed = false;
  for (const json::Value& entry : *configuration.FindPath({"metadata", "managedFields"})->array()) {
    managed = managed || entry.StringAt({"manager"}) == "restate-operator/deployment-registration";
  }
  CHECK(managed);
  const json::Value status = *life.Cr().Find("status");
  CHECK(json::Dump(*status.Find("knative")) ==
        R"({"configurationName":"greeter-blue","latestRevision":"greeter-blue-00001","routeName":"greeter-blue",)"
        R"("url":"http://greeter-blue.default.svc.cluster.local"})");
  CHECK(status.IntAt({"replicas"}) == 1);
  CHECK(status.IntAt({"desiredReplicas"}) == 1);
  CHECK(!status.Find("labelSelector"));
}

TEST_CASE("with register.cloud it is registered at its Route's URL as that is reached through the tunnel") {
  Passes passes;
  passes.InstallKnative();
  passes.stage.config.operator_namespace = "restate-operator";
  const json::Value secret = Obj({{"name", "tok"}, {"key", "t"}});
  passes.stage.api.Add(kRestateCloudEnvironments,
                       Obj({{"apiVersion", kRestateCloudEnvironments.ApiVersion()},
                            {"kind", kRestateCloudEnvironments.kind},
                            {"metadata", Obj({{"name", "prod"}})},
                            {"spec", Obj({{"environmentId", "env_201kabc"},
                                          {"region", "us"},
                                          {"signingPublicKey", "publickeyv1_2bQk"},
                                          {"authentication", Obj({{"secret", secret}})}})}}));
  passes.stage.api.Add(kube::kSecrets, Obj({{"apiVersion", "v1"},
                                            {"kind", "Secret"},
                                            {"metadata", Obj({{"name", "tok"}, {"namespace", "restate-operator"}})},
                                            {"data", Obj({{"t", "Y2FuYXJ5"}})}}));
  json::Value cr = Greeter(Obj({{"tag", "blue"}}));
  cr["spec"]["restate"]["register"] = Obj({{"cloud", "prod"}});
  passes.stage.api.Add(kRestateDeployments, cr);
  passes.Settle(kKey);
  CHECK(passes.Ready(kKey) == "True Deployed");
  const std::string uid(passes.stage.api.Get(kRestateCloudEnvironments, {"", "prod"})->StringAt({"metadata", "uid"}));
  const auto deployments = passes.stage.admin.With([](auto& model) { return model.deployments(); });
  REQUIRE(deployments.size() == 1);
  CHECK(deployments.begin()->second.uri == absl::StrCat("https://tunnel.us.restate.cloud:9080/201kabc/", uid,
                                                        "/http/greeter-blue.default.svc.cluster.local/80/api"));
}

TEST_CASE("nothing is written while nothing changes, not by a new process either") {
  Life life(json::Value{});
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(20));
  life.Settle(kKey);
  life.stage.api.ClearRequests();
  for (int i = 0; i < 5; ++i) {
    life.stage.clock.Advance(std::chrono::minutes(5));
    life.Settle(kKey);
  }
  Passes next(life.stage.outside);
  next.WatchKnative();
  next.Settle(kKey);
  CHECK(next.Waiting() == "");
  CHECK(life.stage.api.requests().empty());
}

TEST_CASE("another template under the same tag is a Revision of the same deployment") {
  Life life;
  life.Settle(kKey);
  const std::string id = life.CurrentId();
  life.Roll("i:v2");
  life.knative->revisions_become_ready = false;
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(10));
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "False ConfigurationNotReady");
  CHECK(absl::StrContains(life.Message(), "greeter-blue-00002"));
  life.stage.api.Remove(kRevisions, {kKey.ns, "greeter-blue-00002"});
  life.knative->revisions_become_ready = true;
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.CurrentId() == id);
  CHECK(life.Registered() == 1);
  CHECK(life.NamesOf(kConfigurations) == Names{"greeter-blue"});
  CHECK(life.stage.admin.Count(fake::AdminCall::kRegister) == 1);
}

TEST_CASE("a version with an old tag keeps its work, drains, and goes with its Route") {
  Life life;
  life.Settle(kKey);
  const std::string first = life.CurrentId();
  life.stage.admin.Start("long", {.service = "greeter.default", .status = "suspended", .pin = first});
  life.Tag("green");
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.CurrentId() != first);
  CHECK(life.NamesOf(kConfigurations) == Names{"greeter-blue", "greeter-green"});
  life.stage.clock.Advance(seconds(300));
  life.Settle(kKey);
  CHECK(life.NamesOf(kConfigurations).size() == 2);

  life.stage.admin.Complete("long");
  life.stage.clock.Advance(seconds(11));
  life.Settle(kKey);
  CHECK(!life.Configuration("greeter-blue").StringAt({"metadata", "annotations", kRemoveVersionAtAnnotation}).empty());
  life.stage.api.ClearRequests();
  life.stage.clock.Advance(seconds(62));
  life.Settle(kKey);
  CHECK(life.NamesOf(kConfigurations) == Names{"greeter-green"});
  CHECK(life.NamesOf(kRoutes) == Names{"greeter-green"});
  CHECK(life.Registered() == 1);
  const auto writes = life.stage.api.writes();
  const auto removal = std::find_if(writes.begin(), writes.end(), [](const auto& w) { return w.method == "DELETE"; });
  REQUIRE(removal != writes.end());
  CHECK(absl::StrContains(removal->body, "Foreground"));
  CHECK(std::none_of(writes.begin(), writes.end(), [](const auto& w) { return w.subresource == "scale"; }));
}

TEST_CASE("back to a tag that is kept as history: the deployment it had becomes the latest again") {
  Life life;
  life.Edit([](json::Value& spec) { spec["revisionHistoryLimit"] = 5; });
  life.Settle(kKey);
  const std::string first = life.CurrentId();
  life.Tag("green");
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(120));
  life.Settle(kKey);
  CHECK(life.NamesOf(kConfigurations).size() == 2);
  life.Tag("blue");
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.CurrentId() == first);
  CHECK(life.stage.admin.LatestOf("greeter.default") == first);
  CHECK(!life.Configuration("greeter-blue").FindPath({"metadata", "annotations", kRemoveVersionAtAnnotation}));
}

TEST_CASE("what is kept as history is not looked after all the time") {
  Life life;
  life.Edit([](json::Value& spec) { spec["revisionHistoryLimit"] = 5; });
  life.Settle(kKey);
  life.Tag("green");
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(120));
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(20));
  CHECK(life.Settle(kKey).after == std::chrono::minutes(5));
}

TEST_CASE("without a tag each template is a version of its own") {
  Life life(json::Value{});
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  const Names first = life.NamesOf(kConfigurations);
  REQUIRE(first.size() == 1);
  CHECK(life.Configuration(first.front()).FindPath({"metadata", "annotations", kPodTemplateAnnotation}));
  life.Roll("i:v2");
  life.Settle(kKey);
  CHECK(life.NamesOf(kConfigurations).size() == 2);
  CHECK(life.Registered() == 2);
}

TEST_CASE("a Configuration of somebody else") {
  const auto foreign = [](std::string_view name) {
    return Obj({{"apiVersion", kConfigurations.ApiVersion()},
                {"kind", kConfigurations.kind},
                {"metadata", Obj({{"name", name}, {"namespace", kKey.ns}})},
                {"spec", Obj({{"template", Obj({{"spec", Obj({{"containers", Arr({Obj({{"image", "x"}})})}})}})}})}});
  };
  SUBCASE("under a tag that was chosen is left alone") {
    Life life;
    life.stage.api.Add(kConfigurations, foreign("greeter-blue"));
    const std::string before = json::Dump(*life.Configuration("greeter-blue").Find("spec"));
    life.Settle(kKey);
    CHECK(life.Ready(kKey) == "False NameTaken");
    CHECK(absl::StrContains(life.Message(), "spec.knative.tag"));
    CHECK(json::Dump(*life.Configuration("greeter-blue").Find("spec")) == before);
  }
  SUBCASE("under a name with a hash makes another hash") {
    Life other(json::Value{});
    other.Settle(kKey);
    const std::string name = other.NamesOf(kConfigurations).front();
    Life life(json::Value{});
    life.stage.api.Add(kConfigurations, foreign(name));
    life.Settle(kKey);
    CHECK(life.Ready(kKey) == "True Deployed");
    CHECK(life.NamesOf(kConfigurations).size() == 2);
    CHECK(life.Cr().IntAt({"status", "collisionCount"}) == 1);
  }
}

TEST_CASE("a deletion waits for pinned work") {
  Life life;
  life.Settle(kKey);
  life.stage.admin.Start("long", {.service = "greeter.default", .status = "suspended", .pin = life.CurrentId()});
  life.stage.api.MarkDeleted(kRestateDeployments, kKey);
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "False DeploymentInUse");
  CHECK(life.NamesOf(kConfigurations) == Names{"greeter-blue"});
  life.stage.admin.Complete("long");
  for (int i = 0; i < 3; ++i) {
    life.stage.clock.Advance(seconds(62));
    life.Settle(kKey);
  }
  CHECK(!life.stage.api.Get(kRestateDeployments, kKey));
  CHECK(life.NamesOf(kConfigurations).empty());
  CHECK(life.Registered() == 0);
  CHECK(life.stage.admin.UnsafeForgets().empty());
}

TEST_CASE("without Knative it says so, and a deletion is free") {
  Life life(Obj({{"tag", "blue"}}), false);
  life.Settle(kKey);
  life.stage.clock.Advance(seconds(10));
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "False KnativeNotInstalled");
  CHECK(absl::StrContains(life.Message(), "not installed"));
  life.stage.api.MarkDeleted(kRestateDeployments, kKey);
  life.Settle(kKey);
  CHECK(!life.stage.api.Get(kRestateDeployments, kKey));
}

TEST_CASE("a mode that was changed all the same is a rollout like any other") {
  Life life;
  life.Edit([](json::Value& spec) { spec["deploymentMode"] = "replicaset"; });
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  const std::string first = life.CurrentId();
  life.stage.admin.Start("long", {.service = "greeter.default", .status = "suspended", .pin = first});
  life.Edit([](json::Value& spec) { spec["deploymentMode"] = "knative"; });
  life.Settle(kKey);
  CHECK(life.Ready(kKey) == "True Deployed");
  CHECK(life.NamesOf(kube::kReplicaSets).size() == 1);
  life.stage.admin.Complete("long");
  for (int i = 0; i < 2; ++i) {
    life.stage.clock.Advance(seconds(62));
    life.Settle(kKey);
  }
  CHECK(life.NamesOf(kube::kReplicaSets).empty());
  CHECK(life.Registered() == 1);
}

}  // namespace
}  // namespace restate::deployment
