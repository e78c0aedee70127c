// Mistakes and features that come later: refused with a condition that names the field, and nothing is touched.
#include "restate/deployment/spec_check.h"

#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "deployment/scene.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;

struct Row {
  std::string what;  // found in the message
  Reason reason;
  std::function<void(Scene&)> change;
};

void CheckRefused(const Row& row) {
  CAPTURE(row.what);
  for (const bool running : {false, true}) {
    Scene scene;
    scene.cr()["metadata"].Erase("finalizers");
    if (running) {
      scene.Add("v1", {.id = "dp_1"});
      scene.Use("v1", "dp_1").latest = true;
    }
    row.change(scene);
    const auto plan = scene.Plan();
    CHECK(plan.steps.empty());
    CHECK(ReasonOf(plan.failure) == row.reason);
    CHECK_MESSAGE(absl::StrContains(std::string(MessageOf(plan.failure)), row.what),
                  std::string(MessageOf(plan.failure)));
    const auto report = scene.Report();
    CHECK(ReadyOf(report) == "False " + std::string(RowOf(row.reason).name));
    REQUIRE(report.event);
    CHECK(report.event->warning);
    CHECK(report.event->reason == RowOf(row.reason).name);
    CHECK(report.status->urgent);
  }
}

TEST_CASE("values that ask for nothing special are fine") {
  Scene scene;
  scene.restate()["tunnelMode"] = "external";
  scene.restate()["deletePolicy"] = "drain";
  scene.restate()["drain"] = Obj({{"onTimeout", "hold"}, {"timeoutSeconds", 1}});
  scene.spec()["deploymentMode"] = "replicaset";
  scene.cr()["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "Disabled"}});
  CHECK(CheckSpec(scene.See()).ok());
}

TEST_CASE("mistakes name their field") {
  const auto pod = [](json::Value spec) { return [=](Scene& scene) { scene.spec()["template"]["spec"] = spec; }; };
  const Row rows[] = {
      {"register.url", Reason::kInvalidRestateConfig,
       [](Scene& s) {
         s.restate()["register"] = Obj({{"url", "nonsense"}});
       }},
      {"spec.template.spec", Reason::kInvalidSpec, pod("a string")},
      {"spec.template.spec", Reason::kInvalidSpec, pod(Arr({1}))},
      {"spec.template.spec.containers", Reason::kInvalidSpec, pod(Obj({{"containers", "none"}}))},
      {"spec.template.spec.containers", Reason::kInvalidSpec, pod(Obj({{"containers", json::Array()}}))},
      {"spec.template.spec.containers", Reason::kInvalidSpec, pod(Obj({{"containers", Arr({"c"})}}))},
      {"spec.template: is", Reason::kInvalidSpec,
       pod(Obj({{"containers", Arr({Obj({{"name", "c"}, {"args", Arr({std::string(260'000, 'x')})}})})}}))},
      {"spec.selector", Reason::kInvalidSpec, [](Scene& s) { s.spec().Erase("selector"); }},
      {"matchLabels", Reason::kInvalidSpec, [](Scene& s) { s.spec()["selector"]["matchLabels"]["app"] = "other"; }},
      {"pod-template-hash", Reason::kInvalidSpec,
       [](Scene& s) { s.spec()["selector"]["matchLabels"]["pod-template-hash"] = "x"; }},
      {"spec.replicas", Reason::kInvalidSpec, [](Scene& s) { s.spec()["replicas"] = "three"; }},
  };
  for (const Row& row : rows) CheckRefused(row);
}

// Renames the object; the name of its version is then `<name>-<hash>`.
absl::Status CheckName(std::string_view name) {
  Scene scene;
  Observed seen = scene.See();
  seen.name = std::string(name) + "-" + seen.hash;
  return CheckSpec(seen);
}

TEST_CASE("a name that makes no Service name is refused, with the longest that would do") {
  const std::size_t hash = Scene().See().hash.size();
  CHECK(CheckName(std::string(63 - 1 - hash, 'a')).ok());
  const auto too_long = CheckName(std::string(63 - hash, 'a'));
  CHECK(ReasonOf(too_long) == Reason::kInvalidSpec);
  CHECK(absl::StrContains(std::string(MessageOf(too_long)), "at most " + std::to_string(62 - hash) + " such"));
  CHECK(!CheckName(std::string(253, 'a')).ok());
  for (const std::string_view name : {"a.b", "1a", "-a", "A", "a_b"}) CHECK(!CheckName(name).ok());
  for (const std::string_view name : {"a", "a1", "a--b"}) CHECK(CheckName(name).ok());
}

TEST_CASE("Knative mode: mistakes name their field") {
  const auto knative = [](const std::function<void(Scene&)>& change) {
    return [change](Scene& s) {
      s.spec()["deploymentMode"] = "knative";
      const json::Value port = Obj({{"name", "h2c"}, {"containerPort", 9080}});
      s.spec()["template"]["spec"]["containers"] = Arr({Obj({{"image", "i"}, {"ports", Arr({port})}})});
      change(s);
    };
  };
  const auto container = [](Scene& s) -> json::Value& {
    return s.spec()["template"]["spec"]["containers"].array()->front();
  };
  const Row rows[] = {
      {"spec.restate.tunnelMode", Reason::kInvalidSpec, knative([](Scene& s) {
         s.Cloud("prod");
         s.restate()["register"] = Obj({{"cloud", "prod"}});
         s.restate()["tunnelMode"] = "in-process";
       })},
      {"spec.knative.minScale: is 5, more than maxScale, which is 2", Reason::kInvalidSpec, knative([](Scene& s) {
         s.spec()["knative"] = Obj({{"minScale", 5}, {"maxScale", 2}});
       })},
      {"spec.knative.target", Reason::kInvalidSpec, knative([](Scene& s) {
         s.spec()["knative"] = Obj({{"target", 0}});
       })},
      {"spec.knative.tag", Reason::kInvalidSpec, knative([](Scene& s) {
         s.spec()["knative"] = Obj({{"tag", std::string(60, 'a')}});
       })},
      {"exactly one container declares ports", Reason::kInvalidSpec,
       knative([&](Scene& s) { container(s).Erase("ports"); })},
      {"exactly one container declares ports", Reason::kInvalidSpec,
       knative([&](Scene& s) { s.spec()["template"]["spec"]["containers"].array()->push_back(container(s)); })},
      {"the port is named h2c", Reason::kInvalidSpec,
       knative([&](Scene& s) { container(s)["ports"].array()->front()["name"] = "web"; })},
  };
  for (const Row& row : rows) CheckRefused(row);
}

TEST_CASE("counters of Knative objects that cannot be seen stay") {
  Scene scene;
  scene.spec()["deploymentMode"] = "knative";
  const json::Value port = Obj({{"name", "h2c"}, {"containerPort", 9080}});
  scene.spec()["template"]["spec"]["containers"] = Arr({Obj({{"image", "i"}, {"ports", Arr({port})}})});
  scene.cr()["status"] = Obj({{"replicas", 4},
                              {"readyReplicas", 4},
                              {"deploymentId", "dp_k"},
                              {"knative", Obj({{"routeName", "r"}})},
                              {"conditions", Arr({Obj({{"type", "Ready"}, {"status", "True"}})})}});
  const auto report = scene.Report();
  CHECK(ReadyOf(report) == "False KnativeNotInstalled");
  const auto& wanted = report.status->wanted;
  CHECK(wanted.IntAt({"replicas"}) == 4);
  CHECK(wanted.IntAt({"readyReplicas"}) == 4);
  CHECK(wanted.StringAt({"deploymentId"}) == "dp_k");
  CHECK(wanted.StringAt({"knative", "routeName"}) == "r");
}

}  // namespace
}  // namespace restate::deployment
