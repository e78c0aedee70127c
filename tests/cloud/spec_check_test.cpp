// Mistakes name their field and the cure, and nothing is made for an object that has one.
#include <doctest/doctest.h>

#include <functional>

#include "cloud/scene.h"

namespace restate::cloud {
namespace {

using json::Arr;
using json::Obj;

void Refused(std::string_view text, const std::function<void(Scene&)>& mistake) {
  CAPTURE(text);
  Scene scene;
  scene.Run();
  mistake(scene);
  CHECK(scene.Plan().steps.empty());
  CHECK(ReasonOf(scene.Plan().failure) == Reason::kInvalidRestateConfig);
  const std::string message(restate::MessageOf(scene.Plan().failure));
  CHECK_MESSAGE(message.starts_with(text), message);
  CHECK(ConditionOf(scene.Report(), "Stalled") == "True InvalidRestateConfig");
}

TEST_CASE("mistakes in the spec") {
  Refused("spec.environmentId: ", [](Scene& s) { s.spec()["environmentId"] = "env_x@attacker.example/"; });
  Refused("spec.region: ", [](Scene& s) { s.spec()["region"] = "x/#"; });
  Refused("spec.signingPublicKey: ", [](Scene& s) { s.spec()["signingPublicKey"] = "publickeyv1_a\n"; });
  for (const std::string name : {"", "a/b", "../x", "Upper", "a b"}) {
    Refused("spec.authentication.secret.name: ",
            [&](Scene& s) { s.spec()["authentication"]["secret"]["name"] = name; });
  }
  for (const std::string key : {"", "a/b", "..", "..x", ".", "a b"}) {
    Refused("spec.authentication.secret.key: ", [&](Scene& s) { s.spec()["authentication"]["secret"]["key"] = key; });
  }
  Refused("spec.tunnel.replicas: must be 0 or more", [](Scene& s) { s.tunnel()["replicas"] = -1; });
  Refused("spec.tunnel.image: must not be empty", [](Scene& s) { s.tunnel()["image"] = ""; });
  Refused("spec.tunnel.env[1]: A is set", [](Scene& s) {
    s.tunnel()["env"] = Arr({Obj({{"name", "A"}}), Obj({{"name", "A"}, {"value", "1"}})});
  });
  Refused("spec.tunnel.env[0]: must have a name", [](Scene& s) { s.tunnel()["env"] = Arr({Obj({{"value", "1"}})}); });
  Refused("spec.tunnel.resources.claims[1]: a is set", [](Scene& s) {
    s.tunnel()["resources"] = Obj({{"claims", Arr({Obj({{"name", "a"}}), Obj({{"name", "a"}})})}});
  });
}

TEST_CASE("amounts that the API server would not read") {
  for (const std::string amount : {"1e3m", "", "a lot", "1 Gi", "-"}) {
    Refused("spec.tunnel.resources.limits.memory: is no amount", [&](Scene& s) {
      s.tunnel()["resources"] = Obj({{"limits", Obj({{"memory", amount}})}});
    });
  }
  Scene scene;
  scene.tunnel()["resources"] = Obj(
      {{"requests", Obj({{"cpu", 1}, {"memory", "1.5Gi"}})}, {"limits", Obj({{"cpu", "1e3"}, {"memory", "2048Mi"}})}});
  CHECK(scene.Plan().failure.ok());
}

TEST_CASE("names that are none for a Service") {
  Scene scene;
  scene.cr()["metadata"]["name"] = "east";
  CHECK(scene.Plan().failure.ok());
  Observed seen = scene.See();
  for (const std::string name : {"a.b", "a23456789-123456789-123456789-123456789-123456789-1234567"}) {
    json::Value cr = scene.cr();
    cr["metadata"]["name"] = name;
    seen.object = Make(cr);
    const absl::Status failure = Kind::MakePlan(seen).failure;
    CHECK(std::string(restate::MessageOf(failure)).starts_with("metadata.name: "));
  }
}

TEST_CASE("annotations that fit the object and no longer the Deployment with its digest") {
  Scene scene;
  const std::size_t ours = kTokenDigestAnnotation.size() + 16;
  scene.cr()["metadata"]["annotations"] = Obj({{"a", std::string(256 * 1024 - ours - 1, 'x')}});
  CHECK(scene.Plan().failure.ok());
  Refused("metadata.annotations: ", [&](Scene& s) {
    s.cr()["metadata"]["annotations"] = Obj({{"a", std::string(256 * 1024 - ours, 'x')}});
  });
}

TEST_CASE("variables of the user replace ours, wherever they point") {
  Scene scene;
  scene.tunnel()["env"] = Arr({Obj({{"name", "RESTATE_TUNNEL_NAME"}, {"value", "mine"}}),
                               Obj({{"name", "RESTATE_BEARER_TOKEN_FILE"}, {"value", "/mine"}})});
  REQUIRE(scene.Plan().failure.ok());
  const json::Value deployment = Applied(scene.Plan(), kube::kDeployments);
  const json::Value& container = deployment.FindPath({"spec", "template", "spec", "containers"})->array()->front();
  int found = 0;
  for (const json::Value& variable : *container.Find("env")->array()) {
    if (variable.StringAt({"name"}) == "RESTATE_TUNNEL_NAME") CHECK(variable.StringAt({"value"}) == "mine");
    if (variable.StringAt({"name"}).starts_with("RESTATE_TUNNEL") ||
        variable.StringAt({"name"}).starts_with("RESTATE_BEARER"))
      ++found;
  }
  CHECK(found == 2);
}

}  // namespace
}  // namespace restate::cloud
