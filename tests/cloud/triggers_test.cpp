#include "restate/cloud/triggers.h"

#include <doctest/doctest.h>

#include "cloud/scene.h"

namespace restate::cloud {
namespace {

using json::Obj;

kube::ObjectPtr Called(std::string_view name, std::string_view instance = "") {
  json::Value metadata = Obj({{"name", name}, {"namespace", "operator"}, {"uid", name}, {"resourceVersion", "1"}});
  if (!instance.empty()) metadata["labels"] = Obj({{"app.kubernetes.io/instance", instance}});
  return Make(Obj({{"metadata", std::move(metadata)}}));
}

std::string NameOf(const std::optional<kube::Key>& key) { return key ? key->ToString() : "nobody"; }

TEST_CASE("a Deployment or Service concerns the object that it is named after, whatever its labels say") {
  CHECK(NameOf(KeyOfTunnelChange({nullptr, Called("tunnel-east")})) == "east");
  CHECK(NameOf(KeyOfTunnelChange({Called("tunnel-tunnel-1", "mine"), nullptr})) == "tunnel-1");
  CHECK(NameOf(KeyOfTunnelChange({nullptr, Called("tunnel-")})) == "nobody");
  CHECK(NameOf(KeyOfTunnelChange({nullptr, Called("operator")})) == "nobody");
}

TEST_CASE("a pod concerns the object of its label, also when somebody takes that away") {
  CHECK(NameOf(KeyOfPodChange({nullptr, Called("x", "tunnel-east")})) == "east");
  CHECK(NameOf(KeyOfPodChange({Called("x", "tunnel-east"), nullptr})) == "east");
  CHECK(NameOf(KeyOfPodChange({Called("x", "tunnel-east"), Called("x")})) == "east");
  CHECK(NameOf(KeyOfPodChange({nullptr, Called("tunnel-east-1")})) == "nobody");
}

TEST_CASE("a Secret concerns everybody who names it") {
  runtime::Cache cache;
  for (const auto& [name, secret] : {std::pair{"a", "tok"}, {"b", "other"}, {"c", "tok"}}) {
    Scene scene;
    scene.cr()["metadata"]["name"] = name;
    scene.cr()["metadata"]["uid"] = name;
    scene.spec()["authentication"]["secret"]["name"] = secret;
    cache.Put(kRestateCloudEnvironments, Make(scene.cr()));
  }
  const std::vector<kube::Key> expected{{"", "a"}, {"", "c"}};
  CHECK(KeysOfSecretChange({nullptr, Called("tok")}, cache) == expected);
  CHECK(KeysOfSecretChange({Called("tok"), nullptr}, cache) == expected);
  CHECK(KeysOfSecretChange({nullptr, Called("nobodys")}, cache).empty());
}

}  // namespace
}  // namespace restate::cloud
