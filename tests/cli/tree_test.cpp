#include "restate/cli/tree.h"

#include <doctest/doctest.h>

#include "restate/cli/tree_json.h"
#include "restate/cli/tree_text.h"
#include "restate/json/text.h"

namespace restate::cli {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z
constexpr Style kAscii{}, kUnicode{.unicode = true};

Value Condition(std::string_view type, std::string_view status, std::string_view reason, std::string_view message,
                std::string_view since) {
  return Obj(
      {{"type", type}, {"status", status}, {"reason", reason}, {"message", message}, {"lastTransitionTime", since}});
}

Value Cluster(std::string_view name) {
  return Obj({{"kind", "RestateCluster"},
              {"metadata", Obj({{"name", name}, {"generation", 1}})},
              {"spec", Obj({{"compute", Obj({{"replicas", 3}})}})},
              {"status", Obj({{"observedGeneration", 1},
                              {"replicas", 3},
                              {"readyReplicas", 3},
                              {"conditions",
                               Arr({Condition("Ready", "True", "Reconciled", "fine", "2027-01-12T08:00:00Z")})}})}});
}

Value Deployment(std::string_view name, Value target, Value status) {
  status["observedGeneration"] = 2;
  return Obj(
      {{"kind", "RestateDeployment"},
       {"metadata",
        Obj({{"name", name}, {"namespace", "shop"}, {"generation", 2}, {"creationTimestamp", "2027-01-15T07:00:00Z"}})},
       {"spec", Obj({{"replicas", 2}, {"restate", Obj({{"register", std::move(target)}})}})},
       {"status", std::move(status)}});
}

Value ReadyStatus() {
  return Obj({{"replicas", 2},
              {"desiredReplicas", 2},
              {"readyReplicas", 2},
              {"deploymentId", "dp_2"},
              {"conditions", Arr({Condition("Ready", "True", "Deployed", "fine", "2027-01-15T07:56:00Z")})},
              {"versions", Arr({Obj({{"name", "greeter-b"},
                                     {"phase", "Current"},
                                     {"deploymentId", "dp_2"},
                                     {"replicas", 2},
                                     {"images", Arr({"greeter:2"})}}),
                                Obj({{"name", "greeter-a"},
                                     {"phase", "Draining"},
                                     {"deploymentId", "dp_1"},
                                     {"replicas", 1},
                                     {"invocations", Obj({{"running", 1}, {"suspended", 2}})},
                                     {"oldestInvocation", "2027-01-11T08:00:00Z"}}),
                                Obj({{"name", "greeter-0"},
                                     {"phase", "Drained"},
                                     {"replicas", 1},
                                     {"removedAt", "2027-01-15T08:03:20Z"}}),
                                Obj({{"name", "greeter-x"},
                                     {"phase", "Drained"},
                                     {"replicas", 0},
                                     {"removedAt", "2027-01-15T07:00:00Z"}})})}});
}

Value WaitingStatus() {
  return Obj(
      {{"replicas", 2},
       {"desiredReplicas", 2},
       {"readyReplicas", 1},
       {"conditions",
        Arr({Condition("Ready", "False", "ReplicaSetPodNotReady", "pod cart-x: ErrImagePull", "2027-01-15T07:55:50Z"),
             Condition("Reconciling", "True", "ReplicaSetPodNotReady", "the same", "2027-01-15T07:55:50Z")})}});
}

Objects Shop() {
  return {.clusters = {Cluster("prod")},
          .environments = {},
          .deployments = {Deployment("greeter", Obj({{"cluster", "prod"}}), ReadyStatus()),
                          Deployment("cart", Obj({{"cluster", "prod"}}), WaitingStatus())},
          .ready_pods = {{{"shop", "greeter-a"}, 1}},
          .notes = {}};
}

TEST_CASE("status shows services under their cluster, versions with pods and work, and what is waited for since when") {
  CHECK(ToText(MakeTree(Shop()), kNow, kUnicode, "all namespaces") ==
        "NAME                 STATE     PODS  SINCE\n"
        "RestateCluster prod  Ready     3/3   3d\n"
        "├─ shop/cart         Waiting   1/2   4m10s\n"
        "│     not ready for 4m10s: ReplicaSetPodNotReady: pod cart-x: ErrImagePull\n"
        "└─ shop/greeter      Ready     2/2   4m\n"
        "   ├─ greeter-b      Current   2/2          dp_2  greeter:2\n"
        "   ├─ greeter-a      Draining  1/1          3 invocations (1 running, 2 suspended), oldest 4d  dp_1\n"
        "   ├─ greeter-0      Drained   ?/1          removed in 3m20s\n"
        "   └─ greeter-x      Drained   0/0          kept for a rollback\n");
}

TEST_CASE("status without UTF-8 draws with ASCII, and colours only where it may") {
  const std::string ascii = ToText(MakeTree(Shop()), kNow, kAscii, "");
  CHECK(ascii.find("|- shop/cart") != std::string::npos);
  CHECK(ascii.find("`- shop/greeter") != std::string::npos);
  for (const char c : ascii) CHECK(static_cast<unsigned char>(c) < 0x80);
  CHECK(ascii.find('\033') == std::string::npos);
  const std::string coloured = ToText(MakeTree(Shop()), kNow, {.colours = true}, "");
  CHECK(coloured.find("\033[33mWaiting\033[0m") != std::string::npos);
  CHECK(coloured.find("\033[32mReady\033[0m") != std::string::npos);

  const auto style = [](bool terminal, std::map<std::string, const char*> variables) {
    return StyleFor(terminal, [variables](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second;
    });
  };
  CHECK(style(true, {{"LANG", "en_US.UTF-8"}}).unicode);
  CHECK(style(true, {{"LANG", "C.utf8"}}).unicode);
  CHECK_FALSE(style(true, {{"LANG", "en_US.UTF-8"}, {"LC_ALL", "C"}}).unicode);
  CHECK_FALSE(style(true, {{"LANG", "de_DE.ISO-8859-1"}}).unicode);
  CHECK_FALSE(style(true, {}).unicode);
  CHECK(style(true, {}).colours);
  CHECK_FALSE(style(false, {}).colours);
  CHECK_FALSE(style(true, {{"NO_COLOR", "1"}}).colours);
  CHECK_FALSE(style(true, {{"TERM", "dumb"}}).colours);
}

TEST_CASE("the tree as JSON has stable names and leaves out what is not known") {
  const Value tree = ToJson(MakeTree(Shop()));
  const Value& cluster = tree.Find("roots")->array()->at(0);
  CHECK(cluster.StringAt({"kind"}) == "RestateCluster");
  CHECK(cluster.Find("namespace") == nullptr);
  const Value& cart = cluster.Find("children")->array()->at(0);
  CHECK(
      json::Dump(*cart.Find("waits")) ==
      R"([{"about":"Ready","message":"pod cart-x: ErrImagePull","reason":"ReplicaSetPodNotReady","since":"2027-01-15T07:55:50Z"}])");
  CHECK(json::Dump(*cart.Find("pods")) == R"({"ready":1,"wanted":2})");
  const Value& old = cluster.Find("children")->array()->at(1).Find("children")->array()->at(1);
  CHECK(json::Dump(old) ==
        R"({"children":[],"deploymentId":"dp_1","invocations":{"running":1,"suspended":2},"kind":"Version",)"
        R"("name":"greeter-a","namespace":"shop","oldestInvocation":"2027-01-11T08:00:00Z",)"
        R"("pods":{"ready":1,"wanted":1},"state":"Draining","waits":[]})");
}

TEST_CASE("each way to register has its root; one that is not there, or not to be seen, says so") {
  Objects objects;
  objects.deployments = {
      Deployment("a", Obj({{"cluster", "gone"}}), ReadyStatus()),
      Deployment("b", Obj({{"cloud", "env"}}), ReadyStatus()),
      Deployment("c", Obj({{"service", Obj({{"name", "restate"}, {"namespace", "ns"}, {"port", 80}})}}), ReadyStatus()),
      Deployment("d", Obj({{"url", "http://Restate.example:9070/"}}), ReadyStatus()),
      Deployment("e", Obj({{"url", "http://user:password@restate.example/"}}), ReadyStatus()),
  };
  objects.sees_environments = false;
  std::vector<std::string> roots;
  for (const Node& root : MakeTree(objects).roots) {
    roots.push_back(root.kind + " " + kube::Key{root.ns, root.name}.ToString() + " " + std::string(NameOf(root.state)));
  }
  CHECK(roots == std::vector<std::string>{"RestateCluster gone Missing", "RestateCloudEnvironment env Unseen",
                                          "Service ns/restate:80 ", "URL (not usable) ",
                                          "URL http://restate.example:9070 "});
}

TEST_CASE("a name selects the service with its Restate, or the Restate with its services") {
  Objects objects = Shop();
  objects.clusters.push_back(Cluster("other"));
  const auto names = [&](const Selection& selection) {
    std::vector<std::string> found;
    for (const Node& root : MakeTree(objects, selection).roots) {
      found.push_back(root.name);
      for (const Node& child : root.children) found.push_back(child.name);
    }
    return found;
  };
  using Names = std::vector<std::string>;
  CHECK(names({}) == Names{"other", "prod", "cart", "greeter"});
  CHECK(names({.kind = "", .name = "cart"}) == Names{"prod", "cart"});
  CHECK(names({.kind = "", .name = "prod"}) == Names{"prod", "cart", "greeter"});
  CHECK(names({.kind = "RestateDeployment", .name = "prod"}) == Names{});
  CHECK(names({.kind = "RestateCluster", .name = ""}) == Names{"other", "prod", "cart", "greeter"});
  CHECK(names({.kind = "RestateDeployment", .name = ""}) == Names{"prod", "cart", "greeter"});
}

TEST_CASE("the state of an object follows its latest spec") {
  const Value target = Obj({{"cluster", "prod"}});
  const auto state = [](const Value& object) { return std::string(NameOf(StateOf(object))); };
  Value object = Deployment("x", target, ReadyStatus());
  CHECK(state(object) == "Ready");
  CHECK(WaitsOf(object).empty());
  object["metadata"]["generation"] = 3;
  CHECK(state(object) == "Waiting");
  CHECK(WaitsOf(object).at(0).message.find("generation 3, its status speaks of 2") != std::string::npos);
  object["metadata"]["annotations"]["restate.dev/reconcile"] = "disabled";
  CHECK(state(object) == "Suspended");
  CHECK(WaitsOf(object).at(0).reason == "Disabled");
  object["metadata"]["deletionTimestamp"] = "2027-01-15T07:59:00Z";
  CHECK(state(object) == "Deleting");

  Value fresh = Deployment("x", target, Value(json::Object()));
  fresh.Erase("status");
  CHECK(state(fresh) == "Waiting");
  REQUIRE(WaitsOf(fresh).size() == 1);
  CHECK(WaitsOf(fresh)[0].message.find("is one running") != std::string::npos);
  CHECK(absl::FormatTime(*WaitsOf(fresh)[0].since, absl::UTCTimeZone()) == "2027-01-15T07:00:00+00:00");

  Value stalled = WaitingStatus();
  stalled["conditions"].array()->at(1)["type"] = "Stalled";
  CHECK(state(Deployment("x", target, stalled)) == "Stalled");

  Value tunnel = ReadyStatus();
  tunnel["conditions"].array()->push_back(
      Condition("Reconciling", "True", "TunnelPodsNotReady", "0 of 1", "2027-01-15T07:59:00Z"));
  CHECK(state(Deployment("x", target, tunnel)) == "Ready");
  CHECK(WaitsOf(Deployment("x", target, tunnel)).at(0).reason == "TunnelPodsNotReady");
}

TEST_CASE("statuses of any shape and hostile texts do no harm") {
  Objects objects = Shop();
  objects.deployments = {
      Deployment("odd", Value("no object"), Obj({{"versions", "x"}, {"conditions", Obj({{"type", 1}})}})),
      Deployment("evil", Obj({{"cluster", "prod"}}), [] {
        Value status = WaitingStatus();
        status["conditions"].array()->at(0)["message"] =
            "\033]0;gotcha\007 \xc2\x9b"
            "31m\nnext \xe2\x80\xaeline \xff";
        return status;
      }())};
  const std::string text = ToText(MakeTree(objects), kNow, kUnicode, "");
  CHECK(text.find("?]0;gotcha? ?31m next ?line ?\n") != std::string::npos);
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.find("shop/odd") != std::string::npos);
}

TEST_CASE("where there is nothing, status says where it looked and how to begin") {
  const std::string text =
      ToText({.roots = {}, .notes = {"RestateClusters cannot be seen"}}, kNow, kAscii, "namespace shop");
  CHECK(text.find("(namespace shop)") != std::string::npos);
  CHECK(text.find("status -A") != std::string::npos);
  CHECK(text.find("note: RestateClusters cannot be seen\n") != std::string::npos);
}

TEST_CASE("ages are as short as they can be") {
  CHECK(Age(absl::Seconds(-5)) == "0s");
  CHECK(Age(absl::Seconds(59)) == "59s");
  CHECK(Age(absl::Seconds(250)) == "4m10s");
  CHECK(Age(absl::Minutes(12) + absl::Seconds(5)) == "12m");
  CHECK(Age(absl::Hours(3)) == "3h");
  CHECK(Age(absl::Hours(52)) == "2d4h");
  CHECK(Age(absl::Hours(24 * 40)) == "40d");
}

}  // namespace
}  // namespace restate::cli
