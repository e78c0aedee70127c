// The fake API server's own switches; what it shares with a real server is in conformance_test.cpp.
#include "fake/fake_api.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>

#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/client.h"

namespace restate::fake {
namespace {

using json::Arr;
using json::Obj;
using json::Value;
using kube::Key;
using kube::kReplicaSets;
using kube::kServices;

struct Rig {
  FakeApi api;
  std::unique_ptr<kube::HttpClient> http;
  std::unique_ptr<kube::Client> client;

  Rig() {
    auto made = kube::NewHttpClient({.base_url = api.url(), .user_agent = "rig/1.0"});
    REQUIRE(made.ok());
    http = *std::move(made);
    client = std::make_unique<kube::Client>(*http);
  }

  static Value Service(std::string_view name, std::string_view owner_uid = "") {
    Value service = Obj({{"apiVersion", "v1"}, {"kind", "Service"},
                         {"metadata", Obj({{"name", name}, {"namespace", "ns"}})},
                         {"spec", Obj({{"ports", Arr({Obj({{"port", 80}})})}})}});
    if (!owner_uid.empty()) {
      service["metadata"]["ownerReferences"] =
          Arr({Obj({{"apiVersion", "v1"}, {"kind", "Service"}, {"name", "owner"}, {"uid", owner_uid}})});
    }
    return service;
  }
  std::unique_ptr<kube::HttpStream> Watch(const std::string& version) {
    auto stream = client->Watch(kServices, {.resource_version = version, .timeout_seconds = 60}, {});
    REQUIRE(stream.ok());
    return *std::move(stream);
  }
  static std::string Line(kube::HttpStream& stream) {
    std::string text;
    while (text.find('\n') == std::string::npos) {
      const auto more = stream.Read(&text);
      if (!more.ok() || !*more) return more.ok() ? "end" : "broken";
    }
    return text;
  }
};

TEST_CASE("fake: requests are recorded with their answer") {
  Rig rig;
  (void)rig.client->Get(kServices, {"ns", "a"}, {});
  const auto requests = rig.api.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].method == "GET");
  CHECK(requests[0].IsFor(kServices, "a"));
  CHECK(requests[0].UserAgent() == "rig/1.0");
  CHECK(requests[0].answer_code == 404);
  CHECK(rig.api.writes().empty());
}

TEST_CASE("fake: opaque versions are neither numbers nor ordered, and work") {
  Rig rig;
  rig.api.UseOpaqueVersions();
  rig.api.CreateNamespace("ns");
  const std::string before = rig.api.resource_version();
  CHECK((before[0] >= 'a' && before[0] <= 'z'));
  const auto stream = rig.Watch(before);
  rig.api.Add(kServices, Rig::Service("a"));
  CHECK(Rig::Line(*stream).find("ADDED") != std::string::npos);
  CHECK(rig.api.resource_version() != before);
}

TEST_CASE("fake: watch events can be held back, bookmarked, replaced by junk, and cut") {
  Rig rig;
  rig.api.CreateNamespace("ns");
  auto stream = rig.Watch(rig.api.resource_version());
  rig.api.HoldWatchEvents(kServices);
  const Value added = rig.api.Add(kServices, Rig::Service("a"));
  rig.api.SendToWatches(kServices, "junk\n");
  CHECK(Rig::Line(*stream) == "junk\n");
  rig.api.ReleaseWatchEvents(kServices);
  CHECK(Rig::Line(*stream).find(added.StringAt({"metadata", "uid"})) != std::string::npos);
  rig.api.SendBookmarks(kServices);
  const auto bookmark = json::Parse(Rig::Line(*stream));
  REQUIRE(bookmark.ok());
  CHECK(bookmark->StringAt({"type"}) == "BOOKMARK");
  CHECK(bookmark->StringAt({"object", "metadata", "resourceVersion"}) == rig.api.resource_version());
  rig.api.CutWatches(kServices, true);
  CHECK(Rig::Line(*stream) == "end");
  stream = rig.Watch(rig.api.resource_version());
  REQUIRE(rig.api.AwaitWatches(kServices, 1));
  rig.api.CutWatches(kServices, false);
  CHECK(Rig::Line(*stream) == "broken");
}

TEST_CASE("fake: a skewed list shows an older state, a get the true one") {
  Rig rig;
  rig.api.CreateNamespace("ns");
  rig.api.Add(kServices, Rig::Service("a"));
  const auto old = rig.api.resource_version();
  rig.api.Add(kServices, Rig::Service("b"));
  rig.api.Remove(kServices, {"ns", "a"});
  rig.api.SkewList(kServices, old);
  const auto page = rig.client->List(kServices, {}, {});
  REQUIRE(page.ok());
  REQUIRE(page->items.size() == 1);
  CHECK(page->items[0].StringAt({"metadata", "name"}) == "a");
  CHECK(page->resource_version == old);
  CHECK(rig.client->Get(kServices, {"ns", "b"}, {}).ok());
}

TEST_CASE("fake: the k-th write is announced, once") {
  Rig rig;
  rig.api.CreateNamespace("ns");
  std::atomic<int> calls{0};
  rig.api.AfterWrite(2, [&] { ++calls; }, FakeApi::When::kCommitted);
  REQUIRE(rig.client->Create(kServices, Rig::Service("a"), "m", {}).ok());
  CHECK(calls == 0);
  CHECK_FALSE(rig.client->Create(kServices, Rig::Service("a"), "m", {}).ok());  // changes nothing: not counted
  REQUIRE(rig.client->Create(kServices, Rig::Service("b"), "m", {}).ok());
  CHECK(calls == 1);
  REQUIRE(rig.client->Create(kServices, Rig::Service("c"), "m", {}).ok());
  CHECK(calls == 1);
}

TEST_CASE("fake: garbage goes with its owner; foreground waits for it, orphans stay") {
  Rig rig;
  const auto owner = rig.api.Add(kServices, Rig::Service("owner"));
  const std::string uid(owner.StringAt({"metadata", "uid"}));
  rig.api.Add(kServices, Rig::Service("child", uid));
  CHECK(rig.api.CollectGarbage() == 0);
  REQUIRE(rig.client->Delete(kServices, {"ns", "owner"}, {.uid = uid, .propagation = "Foreground"}, {}).ok());
  CHECK(rig.api.Get(kServices, {"ns", "owner"}).has_value());
  CHECK(rig.api.CollectGarbage() == 2);
  CHECK(rig.api.List(kServices).empty());

  const auto next = rig.api.Add(kServices, Rig::Service("owner"));
  const std::string next_uid(next.StringAt({"metadata", "uid"}));
  rig.api.Add(kServices, Rig::Service("child", next_uid));
  REQUIRE(rig.client->Delete(kServices, {"ns", "owner"}, {.uid = next_uid, .propagation = "Orphan"}, {}).ok());
  CHECK(rig.api.CollectGarbage() == 0);
  CHECK(rig.api.List(kServices).size() == 1);

  rig.api.CollectGarbageAutomatically();
  rig.api.Add(kServices, Rig::Service("lost", "no-such-uid"));
  CHECK_FALSE(rig.api.Get(kServices, {"ns", "lost"}).has_value());
}

TEST_CASE("fake: ReplicaSets become ready when told, or by themselves") {
  Rig rig;
  const Value pod = Obj({{"metadata", Obj({{"labels", Obj({{"app", "a"}})}})},
                         {"spec", Obj({{"containers", Arr({Obj({{"name", "c"}, {"image", "i"}})})}})}});
  const auto set = [&](std::string_view name) {
    return Obj({{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}, {"metadata", Obj({{"name", name}, {"namespace", "ns"}})},
                {"spec", Obj({{"replicas", 3}, {"selector", Obj({{"matchLabels", Obj({{"app", "a"}})}})},
                              {"template", pod}})}});
  };
  rig.api.Add(kReplicaSets, set("a"));
  rig.api.SetReplicaCounts({"ns", "a"}, {.replicas = 3, .ready = 1});
  CHECK(rig.api.Get(kReplicaSets, {"ns", "a"})->IntAt({"status", "readyReplicas"}) == 1);
  rig.api.MakeReady({"ns", "a"});
  CHECK(rig.api.Get(kReplicaSets, {"ns", "a"})->IntAt({"status", "availableReplicas"}) == 3);
  rig.api.RunReplicaSets();
  rig.api.CreateNamespace("other");
  REQUIRE(rig.client->Apply(kReplicaSets, set("b"), {.manager = "m"}, {}).ok());
  const auto ready = rig.api.Get(kReplicaSets, {"ns", "b"});
  CHECK(ready->IntAt({"status", "readyReplicas"}) == 3);
  CHECK(ready->IntAt({"status", "observedGeneration"}) == 1);
  CHECK(ready->IntAt({"metadata", "generation"}) == 1);
}

TEST_CASE("fake: a kind that is no longer served is 404, and comes back with its objects") {
  Rig rig;
  const kube::Resource things{"rules.test", "v1", "Thing", "things"};
  rig.api.Serve(things);
  rig.api.Add(things, Obj({{"metadata", Obj({{"name", "t"}, {"namespace", "ns"}})}, {"spec", Obj({{"a", 1}})}}));
  rig.api.StopServing(things);
  CHECK(kube::IsNotFound(rig.client->List(things, {}, {}).status()));
  rig.api.Serve(things);
  const auto page = rig.client->List(things, {}, {});
  REQUIRE(page.ok());
  CHECK(page->items.size() == 1);
}

}  // namespace
}  // namespace restate::fake
