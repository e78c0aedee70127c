// The values of Secrets: asked for once per version, held for as long as somebody names them.
#include "restate/plan/secrets.h"

#include <doctest/doctest.h>

#include "plan/stage.h"

namespace restate::plan {
namespace {

const kube::Key kToken{"operator", "token"}, kOther{"operator", "other"};
const kube::Key kEast{"", "east"}, kWest{"", "west"};

struct Fixture {
  Fixture() {
    stage.api.CreateNamespace("operator");
    for (const kube::Key& key : {kToken, kOther}) Add(key, "b25l");
  }
  void Add(const kube::Key& key, std::string_view value) {
    stage.api.Add(kube::kSecrets, json::Obj({{"apiVersion", "v1"},
                                             {"kind", "Secret"},
                                             {"metadata", json::Obj({{"namespace", key.ns}, {"name", key.name}})},
                                             {"data", json::Obj({{"t", value}})}}));
  }
  void Change(const kube::Key& key, std::string_view value) {
    REQUIRE(stage.api.Edit(kube::kSecrets, key, [&](json::Value& secret) { secret["data"]["t"] = value; }));
  }
  std::string VersionOf(const kube::Key& key) {
    return std::string(stage.api.Get(kube::kSecrets, key)->StringAt({"metadata", "resourceVersion"}));
  }
  std::string Read(const kube::Key& holder, const kube::Key& key, std::string_view version) {
    const auto secret = secrets.Read(holder, key, version, {});
    return secret.ok() ? std::string((*secret)->Body().StringAt({"data", "t"})) : "none";
  }
  std::string Read(const kube::Key& holder, const kube::Key& key) { return Read(holder, key, VersionOf(key)); }
  std::size_t Asked() {
    const auto count = stage.api.requests().size();
    stage.api.ClearRequests();
    return count;
  }
  Stage stage{{}};
  Secrets& secrets = stage.secrets;
};

TEST_CASE("a Secret is asked for once, and again when a watch shows another version") {
  Fixture f;
  CHECK(f.Read(kEast, kToken) == "b25l");
  CHECK(f.Read(kEast, kToken) == "b25l");
  CHECK(f.Read(kWest, kToken) == "b25l");
  CHECK(f.Asked() == 1);
  f.Change(kToken, "dHdv");
  CHECK(f.Read(kEast, kToken) == "dHdv");
  CHECK(f.Asked() == 1);
}

TEST_CASE("an answer that is ahead of the watch counts for what the watch shows now and for what it shows next") {
  Fixture f;
  const std::string seen = f.VersionOf(kToken);
  f.Change(kToken, "dHdv");
  CHECK(f.Read(kEast, kToken, seen) == "dHdv");
  CHECK(f.Read(kEast, kToken, seen) == "dHdv");
  CHECK(f.Read(kEast, kToken) == "dHdv");
  CHECK(f.Asked() == 1);
  // A server that was set back to an earlier state: lower, and yet another one.
  CHECK(f.Read(kEast, kToken, "1") == "dHdv");
  CHECK(f.Asked() == 1);
}

TEST_CASE("a value goes with the last one who names its Secret") {
  Fixture f;
  f.Read(kEast, kToken);
  f.Read(kWest, kToken);
  f.Read(kEast, kOther);  // it names another one now
  f.Asked();
  f.Read(kWest, kToken);
  CHECK(f.Asked() == 0);
  f.secrets.Release(kWest);
  f.Read(kWest, kToken);
  CHECK(f.Asked() == 1);
  f.secrets.Release(kWest);
  f.secrets.Release(kWest);
  f.Read(kEast, kOther);
  CHECK(f.Asked() == 0);
}

TEST_CASE("a Secret that is gone is an error, and its old value is not given any more") {
  Fixture f;
  const std::string version = f.VersionOf(kToken);
  f.Read(kEast, kToken, version);
  f.stage.api.Remove(kube::kSecrets, kToken);
  CHECK(kube::IsNotFound(f.secrets.Read(kEast, kToken, "other", {}).status()));
  CHECK(f.Read(kEast, kToken, version) == "none");
}

TEST_CASE("a request that fails leaves nothing behind") {
  Fixture f;
  f.Read(kEast, kToken);
  f.stage.api.OnRequest([](const fake::ApiRequest&) -> std::optional<fake::Fault> {
    return fake::Fault::Refuse(503, "ServiceUnavailable", "later");
  });
  f.Change(kToken, "dHdv");
  CHECK(f.Read(kEast, kToken) == "none");
  f.stage.api.OnRequest({});
  CHECK(f.Read(kEast, kToken) == "dHdv");
}

}  // namespace
}  // namespace restate::plan
