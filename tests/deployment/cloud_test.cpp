// Services registered with Restate Cloud: through the environment's tunnel, and through tunnels of their own.
#include "restate/deployment/cloud.h"

#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "deployment/scene.h"
#include "restate/deployment/registration.h"
#include "restate/deployment/triggers.h"
#include "restate/json/text.h"
#include "restate/plan/step.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

constexpr char kAdmin[] = "https://201kabc.env.us.restate.cloud:9070";

struct CloudScene : Scene {
  CloudScene() {
    restate()["register"] = Obj({{"cloud", "prod"}});
    Cloud("prod");
  }
};

struct InProcess : CloudScene {
  InProcess() { restate()["tunnelMode"] = "in-process"; }
};

// The same version, as Restate Cloud has it.
void Registered(Scene& scene, std::string_view uri) { scene.look.deployments["dp_1"] = {.uri = std::string(uri)}; }

std::string Uri(const Scene& scene) { return ServiceUri(scene.See(), *scene.See().Current()).value(); }

TEST_CASE_FIXTURE(CloudScene, "a version is registered through the environment's tunnel") {
  Add("v1");
  CHECK(Steps() ==
        deployment::Steps{absl::StrCat("register https://tunnel.us.restate.cloud:9080/201kabc/cloud-uid/http/",
                                       "v1.shop.svc.cluster.local/9080/ at ", kAdmin)});
  CHECK(See().endpoint->bearer_token == "canary-token");
  CHECK(absl::EndsWith(Uri(*this), ".shop.svc.cluster.local/9080/"));
}

TEST_CASE_FIXTURE(InProcess, "a version with tunnels of its own is registered by their name") {
  restate()["servicePath"] = "/api";
  Add("v1");
  CHECK(Steps() ==
        deployment::Steps{absl::StrCat(
            "register https://tunnel.us.restate.cloud:9080/201kabc/v1/http/in-process/9080/api at ", kAdmin)});
}

TEST_CASE_FIXTURE(InProcess, "pods learn in every container how to open their tunnel") {
  spec()["template"]["spec"]["initContainers"] = Arr({Obj({{"name", "i"}})});
  spec()["template"]["spec"]["containers"].array()->front()["env"] = Arr({Obj({{"name", "A"}, {"value", "1"}})});
  const std::string name = See().name;
  const json::Value set = BodyOf(Plan(), absl::StrCat("create replicasets shop/", name));
  const json::Value* pods = set.FindPath({"spec", "template", "spec"});
  REQUIRE(pods);
  const std::string tunnel =
      absl::StrCat(R"({"name":"RESTATE_INPROC_TUNNEL_NAME","value":")", name,
                   R"("},{"name":"RESTATE_INPROC_ENVIRONMENT_ID","value":"env_201kabc"},)",
                   R"({"name":"RESTATE_INPROC_CLOUD_REGION","value":"us"},)",
                   R"({"name":"RESTATE_INPROC_SIGNING_PUBLIC_KEY","value":"publickeyv1_2bQk"}])");
  CHECK(json::Dump(*pods->Find("containers")->array()->front().Find("env")) ==
        absl::StrCat(R"([{"name":"A","value":"1"},)", tunnel));
  CHECK(json::Dump(*pods->Find("initContainers")->array()->front().Find("env")) == absl::StrCat("[", tunnel));
  CHECK(set.StringAt({"metadata", "annotations", kTunnelNameAnnotation}) == name);
}

TEST_CASE_FIXTURE(InProcess, "the name that the pods were given wins over one that somebody wrote down") {
  Add("v1", {.id = "dp_1"});
  const std::string uri = Uri(*this);
  ReplicaSet("v1")["metadata"]["annotations"][kTunnelNameAnnotation] = "other";
  CHECK(Uri(*this) == uri);
  Registered(*this, uri);
  look.deployments["dp_1"].latest = true;
  CHECK(Steps() == deployment::Steps{"apply replicasets shop/v1 as restate-operator/propagate-annotations"});
}

TEST_CASE_FIXTURE(InProcess, "an environment with other values makes another version") {
  const std::string before = See().name;
  (*cloud)["spec"]["region"] = "eu";
  CHECK(See().name != before);
  restate().Erase("tunnelMode");
  const std::string external = See().name;
  (*cloud)["spec"]["region"] = "us";
  CHECK(See().name == external);
}

TEST_CASE_FIXTURE(CloudScene, "tunnels of other installations to the same environment are not ours") {
  Add("v1", {.id = "dp_1"});
  const std::string ours = Uri(*this);
  const std::string theirs = absl::StrCat("https://tunnel.us.restate.cloud:9080/201kabc/other-uid/http/", NameOf("v1"),
                                          ".shop.svc.cluster.local/9080/");
  const Observed seen = See();
  CHECK(seen.IsOurs("dp_x", ours));
  CHECK(seen.IsUriOf(*seen.Current(), ours));
  CHECK(!seen.IsOurs("dp_x", theirs));
  CHECK(!seen.IsUriOf(*seen.Current(), theirs));
  const std::string host = absl::StrCat(NameOf("v1"), ".shop.svc.cluster.local:9080/");
  CHECK(seen.IsUriOf(*seen.Current(), absl::StrCat("http://", host)));
  CHECK(!seen.IsUriOf(*seen.Current(), absl::StrCat("https://", host)));
}

TEST_CASE_FIXTURE(CloudScene, "an old version drains and leaves Restate Cloud as it leaves any Restate") {
  restate()["drainDelaySeconds"] = 0;
  Add("v1", {.id = "dp_1"});
  Registered(*this, Uri(*this));
  Want("v2");
  Add("v2", {.id = "dp_2", .minutes_old = 1});
  look.deployments["dp_2"] = {.uri = Uri(*this), .latest = true};
  look.deployments["dp_1"].pinned["suspended"] = 1;
  CHECK(Steps() == deployment::Steps{});
  look.deployments["dp_1"].pinned.clear();
  ReplicaSet("v1")["metadata"]["annotations"][kRemoveVersionAtAnnotation] = "2026-06-01T00:00:00+00:00";
  spec()["revisionHistoryLimit"] = 0;
  CHECK(Steps() == deployment::Steps{"apply replicasets shop/v1/scale as restate-operator/scale-down",
                                     absl::StrCat("forget dp_1 at ", kAdmin),
                                     "delete replicasets shop/v1 uid uid-of-v1"});
}

TEST_CASE_FIXTURE(CloudScene, "a version that stayed in Restate Cloud is asked about with the token") {
  Add("v1", {.id = "dp_1"});
  restate()["register"] = Obj({{"url", "http://restate:9070"}});
  cr()["status"] =
      Obj({{"replicas", 1},
           {"versions", Arr({Obj({{"name", NameOf("v1")}, {"phase", "Current"}, {"registeredAt", Arr({kAdmin})}})})}});
  Want("v2");
  Add("v2", {.id = "dp_2", .minutes_old = 1});
  const auto looks = LooksElsewhere(See());
  REQUIRE(looks.size() == 1);
  CHECK(looks.begin()->first.origin == kAdmin);
  CHECK(looks.begin()->first.bearer_token == "canary-token");
  // Without one it is asked all the same, and its refusal keeps the version.
  secret.reset();
  CHECK(LooksElsewhere(See()).begin()->first.bearer_token.empty());
  CHECK(Steps() == deployment::Steps{"register http://v2.shop.svc.cluster.local:9080/ at http://restate:9070"});
}

struct Row {
  std::string what;  // found in the message
  Reason reason;
  std::function<void(CloudScene&)> change;
};

TEST_CASE("what cannot be registered with is told, and nothing is made or taken away") {
  const auto environment = [](std::string field, json::Value value) {
    return [=](CloudScene& s) { (*s.cloud)["spec"][field] = value; };
  };
  const auto env = [](json::Value value) {
    return [=](CloudScene& s) {
      s.restate()["tunnelMode"] = "in-process";
      s.spec()["template"]["spec"]["containers"].array()->front()["env"] = value;
    };
  };
  const Row rows[] = {
      {"there is no RestateCloudEnvironment prod", Reason::kCloudEnvironmentNotFound,
       [](CloudScene& s) { s.cloud.reset(); }},
      {"RestateCloudEnvironment prod: spec.authentication.secret: there is no Secret operators/tok",
       Reason::kSecretNotFound, [](CloudScene& s) { s.secret.reset(); }},
      {"Secret operators/tok has no key t", Reason::kSecretKeyNotFound,
       [](CloudScene& s) {
         (*s.secret)["data"] = Obj({{"u", "eA=="}});
       }},
      {"key t of Secret operators/tok is empty", Reason::kInvalidBearerToken,
       [](CloudScene& s) {
         (*s.secret)["data"] = Obj({{"t", "Cg=="}});
       }},
      {"RestateCloudEnvironment prod: spec.region", Reason::kInvalidRestateConfig, environment("region", "x/#")},
      {"spec.environmentId", Reason::kInvalidRestateConfig, environment("environmentId", "env_x@attacker.example/")},
      {"spec.signingPublicKey", Reason::kInvalidRestateConfig, environment("signingPublicKey", "no key")},
      {"spec.template.spec.containers[0].env[0].name: RESTATE_INPROC_TUNNEL_NAME", Reason::kInvalidSpec,
       env(Arr({Obj({{"name", "RESTATE_INPROC_TUNNEL_NAME"}})}))},
      {"spec.template.spec.containers[0].env: must be a list", Reason::kInvalidSpec, env("x")},
      {"spec.restate.tunnelMode", Reason::kInvalidSpec,
       [](CloudScene& s) {
         s.restate()["tunnelMode"] = "in-process";
         s.restate()["register"] = Obj({{"url", "http://restate:9070"}});
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CloudScene scene;
    scene.Add("v1", {.id = "dp_1"});
    row.change(scene);
    const auto plan = scene.Plan();
    CHECK(plan.steps.empty());
    CHECK(ReasonOf(plan.failure) == row.reason);
    CHECK_MESSAGE(absl::StrContains(std::string(MessageOf(plan.failure)), row.what),
                  std::string(MessageOf(plan.failure)));
    CHECK(ReadyOf(scene.Report()) == absl::StrCat("False ", std::string(RowOf(row.reason).name)));
  }
}

TEST_CASE_FIXTURE(CloudScene, "what is not listed yet is waited for") {
  clouds_listed = false;
  Add("v1");
  const auto plan = Plan();
  CHECK(plan.steps.empty());
  CHECK(plan.failure.ok());
  REQUIRE(plan.wait);
  CHECK(plan.wait->reason == Reason::kNotSynced);
  Delete(now);
  CHECK(Plan().wait->reason == Reason::kNotSynced);
  CHECK(Steps() == deployment::Steps{});
}

TEST_CASE_FIXTURE(CloudScene, "a deletion waits for its environment unless force is asked for") {
  Add("v1", {.id = "dp_1"});
  cloud.reset();
  Delete(now - absl::Minutes(2));
  CHECK(Steps() == deployment::Steps{});
  CHECK(ReasonOf(Plan().failure) == Reason::kCloudEnvironmentNotFound);
  restate()["deletePolicy"] = "force";
  cr()["status"] =
      Obj({{"replicas", 1},
           {"deletion", Obj({{"phase", "Forcing"}, {"policy", "force"}, {"totalPendingInvocations", 0}})}});
  const auto steps = Steps();
  REQUIRE(steps.size() == 3);
  CHECK(steps[1] == "delete replicasets shop/v1 uid uid-of-v1");
}

TEST_CASE_FIXTURE(CloudScene, "S: the token is in nothing that a pass says or sends to Kubernetes") {
  for (const bool known : {false, true}) {
    Add("v1", {.id = known ? "dp_1" : ""});
    if (known) Registered(*this, Uri(*this));
    const auto plan = Plan();
    const plan::Report report = Report();
    std::string told = report.status ? json::Dump(report.status->wanted) : "";
    if (report.waiting) told += report.waiting->message;
    for (const plan::Step& step : plan.steps) {
      told += plan::ToString(step);
      if (const auto* apply = std::get_if<plan::Apply>(&step)) told += json::Dump(apply->body);
    }
    CHECK(!absl::StrContains(told, "canary"));
    CHECK(absl::StrContains(told, "201kabc"));
  }
}

TEST_CASE("LV8: an environment or a Secret that comes, changes or goes wakes those that register with it") {
  CloudScene scene;
  runtime::Cache cache;
  const auto make = [](json::Value body) { return kube::Object::From(body).value(); };
  cache.Put(kRestateDeployments, make(scene.cr()));
  const auto environment = make(*scene.cloud);
  const auto secret = make(*scene.secret);
  const std::vector<kube::Key> greeter = {{"shop", "greeter"}};
  CHECK(KeysOfSecretChange({nullptr, secret}, cache).empty());
  cache.Put(kRestateCloudEnvironments, environment);
  CHECK(KeysOfCloudChange({nullptr, environment}, cache) == greeter);
  CHECK(KeysOfCloudChange({environment, nullptr}, cache) == greeter);
  CHECK(KeysOfCloudChange({environment, environment}, cache).empty());
  CHECK(KeysOfSecretChange({nullptr, secret}, cache) == greeter);
  CHECK(KeysOfSecretChange({secret, nullptr}, cache) == greeter);
  json::Value other = *scene.secret;
  other["metadata"]["name"] = "other";
  CHECK(KeysOfSecretChange({nullptr, make(other)}, cache).empty());
}

}  // namespace
}  // namespace restate::deployment
