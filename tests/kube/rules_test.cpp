// Rules of the client that need a server which fails on demand: broken writes, stale views, expired lists and watches.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "fake/fake_api.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/client.h"

namespace restate::kube {
namespace {

using fake::FakeApi;
using fake::Fault;
using json::Obj;
using json::Value;

constexpr Resource kThings{"rules.test", "v1", "Thing", "things"};

struct Rig {
  FakeApi api;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<Client> client;

  Rig() {
    api.CreateNamespace("ns");
    api.Serve(kThings);
    auto made = NewHttpClient({.base_url = api.url(), .user_agent = "rules/1"});
    REQUIRE(made.ok());
    http = *std::move(made);
    client = std::make_unique<Client>(*http);
  }

  static Value Thing(std::string_view name, int size = 1) {
    return Obj({{"apiVersion", "rules.test/v1"}, {"kind", "Thing"},
                {"metadata", Obj({{"name", name}, {"namespace", "ns"}})}, {"spec", Obj({{"size", size}})}});
  }
  // The fault for the first request of this method, and none after it.
  void Once(std::string method, Fault fault) {
    auto used = std::make_shared<std::atomic<bool>>(false);
    api.OnRequest([=](const fake::ApiRequest& request) -> std::optional<Fault> {
      if (request.method != method || used->exchange(true)) return std::nullopt;
      return fault;
    });
  }
  std::string UidOf(const Key& key) { return std::string(api.Get(kThings, key)->StringAt({"metadata", "uid"})); }
};

TEST_CASE("P2: a write whose answer is lost is not sent again, and reading shows that it was done") {
  Rig rig;
  rig.Once("POST", Fault::DropAfter());
  const auto made = rig.client->Create(kThings, Rig::Thing("a"), "m", {});
  REQUIRE_FALSE(made.ok());
  CHECK_FALSE(ApiErrorOf(made.status()).has_value());
  CHECK_FALSE(WasNotSent(made.status()));
  CHECK(rig.api.writes().size() == 1);
  CHECK(rig.client->Get(kThings, {"ns", "a"}, {}).ok());

  rig.api.ClearRequests();
  rig.Once("PATCH", Fault::DropAfter());
  CHECK_FALSE(rig.client->Apply(kThings, Rig::Thing("a", 2), {.manager = "m"}, {}).ok());
  CHECK(rig.api.writes().size() == 1);
  // Applying again is the cure, and changes nothing.
  const auto version = rig.api.resource_version();
  CHECK(rig.client->Apply(kThings, Rig::Thing("a", 2), {.manager = "m"}, {}).ok());
  CHECK(rig.api.resource_version() == version);

  rig.api.ClearRequests();
  rig.Once("DELETE", Fault::DropAfter());
  const std::string uid = rig.UidOf({"ns", "a"});
  CHECK_FALSE(rig.client->Delete(kThings, {"ns", "a"}, {.uid = uid}, {}).ok());
  CHECK(rig.api.writes().size() == 1);
  const auto again = rig.client->Delete(kThings, {"ns", "a"}, {.uid = uid}, {});
  CHECK((again.ok() || IsNotFound(again)));
}

TEST_CASE("P2: a write cut before it was done left nothing behind") {
  Rig rig;
  rig.Once("POST", Fault::DropBefore());
  CHECK_FALSE(rig.client->Create(kThings, Rig::Thing("a"), "m", {}).ok());
  CHECK(rig.api.writes().size() == 1);
  CHECK_FALSE(rig.api.Get(kThings, {"ns", "a"}).has_value());
}

TEST_CASE("an answer cut in the middle is an error, whatever arrived of it") {
  Rig rig;
  rig.api.Add(kThings, Rig::Thing("a"));
  rig.Once("GET", Fault::CutAfter(150));
  const auto found = rig.client->Get(kThings, {"ns", "a"}, {});
  // A read may be repeated by the client itself; it must never be half an object.
  if (found.ok()) CHECK(found->IntAt({"spec", "size"}) == 1);
  rig.api.OnRequest([](const fake::ApiRequest&) { return Fault::SplitAt({1, 2, 17, 30, 100, 101}); });
  const auto split = rig.client->Get(kThings, {"ns", "a"}, {});
  REQUIRE(split.ok());
  CHECK(split->IntAt({"spec", "size"}) == 1);
}

TEST_CASE("A8: an apply meant for an object that is gone does not make half an object") {
  Rig rig;
  rig.api.Add(kThings, Rig::Thing("a"));
  Value annotate = Obj({{"apiVersion", "rules.test/v1"}, {"kind", "Thing"},
                        {"metadata", Obj({{"name", "a"}, {"namespace", "ns"}, {"uid", rig.UidOf({"ns", "a"})},
                                          {"annotations", Obj({{"k", "v"}})}})}});
  REQUIRE(rig.client->Apply(kThings, annotate, {.manager = "m"}, {}).ok());
  rig.api.Remove(kThings, {"ns", "a"});
  const auto gone = rig.client->Apply(kThings, annotate, {.manager = "m"}, {});
  CHECK(IsConflict(gone.status()));
  CHECK(ReasonOf(gone.status()) == Reason::kApiConflict);
  CHECK_FALSE(rig.api.Get(kThings, {"ns", "a"}).has_value());
  rig.api.Add(kThings, Rig::Thing("a"));
  const auto other = rig.client->Apply(kThings, annotate, {.manager = "m"}, {});
  CHECK(IsConflict(other.status()));
  CHECK(rig.api.Get(kThings, {"ns", "a"})->FindPath({"metadata", "annotations"}) == nullptr);
}

TEST_CASE("A10: a delete carries uid and propagation, so the next life of a name survives it") {
  Rig rig;
  rig.api.Add(kThings, Rig::Thing("a"));
  const std::string old_uid = rig.UidOf({"ns", "a"});
  rig.api.Remove(kThings, {"ns", "a"});
  rig.api.Add(kThings, Rig::Thing("a"));
  const auto refused = rig.client->Delete(kThings, {"ns", "a"}, {.uid = old_uid, .propagation = "Orphan"}, {});
  CHECK(IsConflict(refused));
  CHECK(rig.api.Get(kThings, {"ns", "a"}).has_value());
  const Value sent = rig.api.writes().back().BodyValue();
  CHECK(sent.StringAt({"preconditions", "uid"}) == old_uid);
  CHECK(sent.StringAt({"propagationPolicy"}) == "Orphan");
}

TEST_CASE("P1: 429 and 503 come back with the wait that the server asked for") {
  Rig rig;
  rig.api.OnRequest([](const fake::ApiRequest&) {
    return Fault::Refuse(429, "TooManyRequests", "slow down", {{"Retry-After", "7"}});
  });
  const auto refused = rig.client->Get(kThings, {"ns", "a"}, {});
  REQUIRE_FALSE(refused.ok());
  CHECK(RetryAfterOf(refused.status()) == absl::Seconds(7));
  CHECK(rig.api.requests().size() == 1);
}

TEST_CASE("W4: an expired continue token is 410, told apart from other refusals") {
  Rig rig;
  for (const char* name : {"a", "b", "c"}) rig.api.Add(kThings, Rig::Thing(name));
  const auto first = rig.client->List(kThings, {.limit = 2}, {});
  REQUIRE(first.ok());
  REQUIRE_FALSE(first->next.empty());
  rig.api.ExpireContinueTokens();
  const auto second = rig.client->List(kThings, {.limit = 2, .next = first->next}, {});
  REQUIRE(ApiErrorOf(second.status()).has_value());
  CHECK(ApiErrorOf(second.status())->code == 410);
  CHECK(ApiErrorOf(second.status())->reason == "Expired");
}

TEST_CASE("W8: both forms of an expired watch") {
  for (const auto form : {FakeApi::ExpiredForm::kHttp, FakeApi::ExpiredForm::kEvent}) {
    Rig rig;
    const auto old = rig.api.resource_version();
    rig.api.Add(kThings, Rig::Thing("a"));
    rig.api.ExpireBefore(rig.api.resource_version(), form);
    auto stream = rig.client->Watch(kThings, {.resource_version = old}, {});
    if (form == FakeApi::ExpiredForm::kHttp) {
      REQUIRE(ApiErrorOf(stream.status()).has_value());
      CHECK(ApiErrorOf(stream.status())->code == 410);
      continue;
    }
    REQUIRE(stream.ok());
    std::string text;
    while (text.find('\n') == std::string::npos) REQUIRE((*stream)->Read(&text).ok());
    const auto event = json::Parse(text);
    REQUIRE(event.ok());
    CHECK(event->StringAt({"type"}) == "ERROR");
    CHECK(event->IntAt({"object", "code"}) == 410);
  }
}

TEST_CASE("P3: no more requests are under way than the limit") {
  Rig rig;
  auto http = NewHttpClient({.base_url = rig.api.url(), .max_in_flight = 2});
  REQUIRE(http.ok());
  const auto gate = std::make_shared<fake::Gate>();
  rig.api.OnRequest([gate](const fake::ApiRequest&) { return Fault::HoldBefore(gate); });
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 6; ++i) {
      callers.emplace_back([&] { (void)Client(**http).Get(kThings, {"ns", "a"}, {}); });
    }
    gate->AwaitArrivals(2);
    gate->Open();
  }
  CHECK(rig.api.requests().size() == 6);
  CHECK(rig.api.max_in_flight() <= 2);
}

}  // namespace
}  // namespace restate::kube
