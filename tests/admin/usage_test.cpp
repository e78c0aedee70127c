#include "restate/admin/usage.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "admin/woken.h"
#include "fake/fake_clock.h"
#include "fake/scripted_http.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

using fake::FakeClock;
using fake::ScriptedHttp;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kEmpty = R"({"rows":[]})";
constexpr auto kOne = R"({"rows":[{"kind":"deployment","id":"dp_1","detail":"http://h:9080/","n":0}]})";
constexpr Wanted kPlain{.max_age = seconds(10), .count_unpinned = false};
constexpr Wanted kCounted{.max_age = seconds(10), .count_unpinned = true};

kube::HttpResponse Json(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .retry_after = {}, .body = std::move(body)};
}

// One scripted server, as AdminClient wants to own it.
class Borrowed : public kube::HttpClient {
 public:
  explicit Borrowed(ScriptedHttp& server) : server_(server) {}
  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request, std::stop_token stop) override {
    return server_.Do(request, stop);
  }
  absl::StatusOr<std::unique_ptr<kube::HttpStream>> Open(const kube::HttpRequest& request,
                                                         std::stop_token stop) override {
    return server_.Open(request, stop);
  }

 private:
  ScriptedHttp& server_;
};

struct Fixture {
  // By host. Built before any thread asks for it.
  std::map<std::string, ScriptedHttp> servers;
  FakeClock clock;
  Woken woken;
  AdminClient client{[this](const std::string& origin) -> absl::StatusOr<std::unique_ptr<kube::HttpClient>> {
                       return std::make_unique<Borrowed>(servers.at(origin));
                     },
                     nullptr, clock};
  const Endpoint endpoint{.origin = "http://a:9070", .prefix = ""};
  const kube::Key a{"shop", "a"}, b{"shop", "b"};
  std::unique_ptr<Usage> usage;

  Fixture() {
    for (const auto* host : {"http://a:9070", "http://b:9070", "http://c:9070", "http://d:9070"}) servers[host];
    usage = std::make_unique<Usage>(client, clock, [this](const kube::Key& key) { woken.Add(key); });
  }

  ScriptedHttp& server() { return servers.at(endpoint.origin); }
  Answer Ask(const kube::Key& key, const Wanted& wanted = kPlain) { return usage->Ask(endpoint, key, wanted); }
  bool Waits(const kube::Key& key, const Wanted& wanted = kPlain) {
    const auto answer = Ask(key, wanted);
    return !answer.look && answer.error.ok();
  }
  // All queries are booked and both threads wait for work.
  void Settle() { REQUIRE(clock.WaitForSleepers(2)); }
  // Asks and has the query answered.
  void Look(const kube::Key& key, const Wanted& wanted = kPlain) {
    REQUIRE(Waits(key, wanted));
    server().Answer(Json(200, kEmpty));
    Settle();
  }
};

TEST_CASE_FIXTURE(Fixture, "fifty askers cost one query, and each is woken once") {
  std::vector<kube::Key> askers;
  for (int i = 0; i < 50; ++i) askers.push_back({"shop", "asker-" + std::to_string(i)});
  for (const auto& asker : askers) REQUIRE(Waits(asker));
  for (const auto& asker : askers) REQUIRE(Waits(asker));  // asking again while it waits changes nothing
  server().WaitForRequest(1);
  server().Answer(Json(200, kOne));
  Settle();
  CHECK(woken.WaitFor(50).size() == 50);
  for (const auto& asker : askers) {
    CHECK(woken.Times(asker) == 1);
    const auto answer = Ask(asker);
    REQUIRE(answer.look);
    CHECK(answer.look->deployments.contains("dp_1"));
  }
  Settle();
  CHECK(server().request_count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a look serves until it is too old for the asker") {
  Look(a);
  clock.Advance(seconds(10));
  CHECK(Ask(b).look);
  clock.Advance(seconds(1));
  CHECK(Ask(b, {.max_age = minutes(5)}).look);
  CHECK(Waits(b));
  server().WaitForRequest(2);
}

TEST_CASE_FIXTURE(Fixture, "a change makes older looks useless for that asker only") {
  Look(a);
  usage->Changed(a);
  CHECK(Ask(b).look);
  CHECK(Waits(a));
  CHECK(Ask(b).look);
  clock.Advance(milliseconds(200));
  server().WaitForRequest(2);
  server().Answer(Json(200, kOne));
  woken.WaitFor(2);
  CHECK(Ask(a).look->deployments.size() == 1);
  CHECK(woken.Times(b) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a look that began before a change does not serve the one who changed") {
  REQUIRE(Waits(a));
  REQUIRE(Waits(b));
  server().WaitForRequest(1);
  usage->Changed(a);
  server().Answer(Json(200, kEmpty));
  Settle();
  CHECK(woken.Times(b) == 1);
  CHECK(woken.Times(a) == 0);
  CHECK(Waits(a));
  clock.Advance(milliseconds(200));
  server().WaitForRequest(2);
  server().Answer(Json(200, kOne));
  Settle();
  CHECK(woken.Times(a) == 1);
  CHECK(Ask(a).look->deployments.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a mass of changes shares looks: queries begin 200 ms apart") {
  Look(a);
  for (int i = 0; i < 20; ++i) {
    const kube::Key asker{"shop", std::to_string(i)};
    usage->Changed(asker);
    REQUIRE(Waits(asker));
  }
  Settle();
  CHECK(server().request_count() == 1);
  CHECK(clock.UntilNextWake() == milliseconds(200));
  clock.Advance(milliseconds(200));
  server().WaitForRequest(2);
  server().Answer(Json(200, kEmpty));
  Settle();
  CHECK(woken.WaitFor(21).size() == 21);
  CHECK(server().request_count() == 2);
}

TEST_CASE_FIXTURE(Fixture, "others that change all the time do not starve an asker") {
  for (std::size_t round = 1; round <= 5; ++round) {
    usage->Changed(b);
    REQUIRE(Waits(b));
    REQUIRE(Waits(a, {.max_age = {}, .count_unpinned = false}) == true);
    server().WaitForRequest(round);
    usage->Changed(b);  // the running query does not serve b
    server().Answer(Json(200, kEmpty));
    Settle();
    CHECK(woken.Times(a) == round);
    clock.Advance(seconds(1));
  }
  CHECK(woken.Times(b) == 0);
}

TEST_CASE_FIXTURE(Fixture, "one Restate is never queried twice at a time") {
  REQUIRE(Waits(a));
  server().WaitForRequest(1);
  usage->Changed(b);
  REQUIRE(Waits(b));
  clock.Advance(minutes(1));
  REQUIRE(clock.WaitForSleepers(1));  // the other thread finds nothing to do
  CHECK(server().request_count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a failure is told at once to all, until the next try, and its end to all who were told") {
  REQUIRE(Waits(a));
  server().Answer(Json(500, R"({"message":"no leader"})"));
  Settle();
  CHECK(woken.Times(a) == 1);
  for (const auto& asker : {a, b}) {
    const auto answer = Ask(asker);
    CHECK_FALSE(answer.look);
    CHECK(ReasonOf(answer.error) == Reason::kAdminCallRejected);
  }
  clock.Advance(seconds(1));
  CHECK_FALSE(Ask(a).error.ok());
  Settle();
  CHECK(server().request_count() == 1);

  clock.Advance(seconds(1));
  server().WaitForRequest(2);
  server().Answer(Json(200, kOne));
  Settle();
  CHECK(woken.Times(a) == 2);
  CHECK(woken.Times(b) == 1);
  CHECK(Ask(a).look);
  CHECK(Ask(b).look);
}

TEST_CASE_FIXTURE(Fixture, "a look that is young enough outlives a failed query") {
  Look(a);
  clock.Advance(seconds(5));
  usage->Changed(b);
  REQUIRE(Waits(b));
  server().Answer(Json(500, ""));
  Settle();
  CHECK(Ask(a).look);
  CHECK_FALSE(Ask(b).error.ok());
}

// One deployment, with so many invocations pinned to it.
std::string Pinned(std::string_view id, int n) {
  std::string rows = R"({"kind":"deployment","id":")" + std::string(id) + R"(","detail":"http://x/","n":0})";
  if (n > 0) {
    rows += R"(,{"kind":"pinned","id":")" + std::string(id) + R"(","detail":"suspended","n":)" + std::to_string(n) +
            R"(,"oldest":"2026-01-01T00:00:00Z"})";
  }
  return R"({"rows":[)" + rows + "]}";
}

TEST_CASE_FIXTURE(Fixture,
                  "while watched work goes on Restate is asked every second, however many watch; its end wakes them") {
  const Wanted watching{.max_age = seconds(10), .watched = {"dp_1"}};
  for (const auto& asker : {a, b}) REQUIRE(Waits(asker, watching));
  server().Answer(Json(200, Pinned("dp_1", 2)));
  Settle();
  for (const auto& asker : {a, b}) CHECK(Ask(asker, watching).look);
  for (int second = 1; second <= 5; ++second) {
    Settle();
    CHECK(clock.UntilNextWake() == seconds(1));
    clock.Advance(seconds(1));
    server().WaitForRequest(1 + second);
    server().Answer(Json(200, Pinned("dp_1", second < 5 ? 1 : 0)));
    Settle();
    CHECK(woken.Times(a) == (second < 5 ? 1 : 2));
  }
  CHECK(woken.Times(b) == 2);
  CHECK(server().request_count() == 6);
  CHECK(clock.UntilNextWake() == Clock::Duration::max());  // nothing drains: nothing is asked
  CHECK(Ask(a, watching).look->deployments.at("dp_1").pinned.empty());
}

TEST_CASE_FIXTURE(Fixture, "a slow Restate is asked less often, and nobody watches for one who went away") {
  const Wanted watching{.max_age = minutes(5), .watched = {"dp_1"}};
  REQUIRE(Waits(a, watching));
  server().WaitForRequest(1);
  clock.Advance(std::chrono::milliseconds(300));
  server().Answer(Json(200, Pinned("dp_1", 1)));
  Settle();
  CHECK(clock.UntilNextWake() == seconds(6));
  REQUIRE(Ask(b, watching).look);
  SUBCASE("they ask for something else now") {
    CHECK(Ask(a, {.max_age = minutes(5)}).look);
    usage->Forget(b);
    clock.Advance(seconds(6));
    Settle();
    CHECK(clock.UntilNextWake() == Clock::Duration::max());
    CHECK(server().request_count() == 1);
  }
  SUBCASE("very slow: every ten seconds") {
    clock.Advance(seconds(6));
    server().WaitForRequest(2);
    clock.Advance(seconds(9));
    server().Answer(Json(200, Pinned("dp_1", 1)));
    Settle();
    CHECK(clock.UntilNextWake() == seconds(10));
  }
}

TEST_CASE_FIXTURE(Fixture, "who does not ask again within two minutes watches no more") {
  const Wanted watching{.max_age = minutes(5), .watched = {"dp_1"}};
  REQUIRE(Waits(a, watching));
  server().Answer(Json(200, Pinned("dp_1", 1)));
  Settle();
  clock.Advance(minutes(2) + seconds(1));
  server().WaitForRequest(2);
  server().Answer(Json(200, Pinned("dp_1", 1)));
  Settle();
  CHECK(clock.UntilNextWake() == Clock::Duration::max());
}

TEST_CASE_FIXTURE(Fixture, "who registered something is told when, with every answer") {
  Look(a);
  CHECK_FALSE(Ask(a).registered);
  usage->Registered(a, "dp_1");
  const auto at = clock.Now();
  clock.Advance(seconds(3));
  REQUIRE(Waits(a));  // the look is from before
  server().Answer(Json(200, kOne));
  Settle();
  CHECK(Ask(a).registered == at);
  CHECK(Ask(a).registered_id == "dp_1");
  CHECK_FALSE(Ask(b).registered);
  usage->Forget(a);
  CHECK_FALSE(Ask(a).registered);
}

TEST_CASE_FIXTURE(Fixture,
                  "an object made again under the name of one that changed something sees no look from before") {
  Look(a);
  usage->Changed(a);
  usage->Forget(a);
  REQUIRE(Waits(a));
  clock.Advance(milliseconds(200));
  server().WaitForRequest(2);
  server().Answer(Json(200, kOne));
  Settle();
  CHECK(Ask(a).look);
}

TEST_CASE_FIXTURE(Fixture, "tries back off to 30 s, so that a Restate that is back is noticed soon") {
  REQUIRE(Waits(a));
  for (const auto& pause : {seconds(2), seconds(4), seconds(8), seconds(16), seconds(30), seconds(30)}) {
    server().Answer(Json(500, ""));
    Settle();
    CHECK_FALSE(Ask(a).error.ok());
    Settle();
    CHECK(clock.UntilNextWake() == pause);
    clock.Advance(pause);
  }
  server().Answer(Json(200, kEmpty));
  Settle();
  CHECK(Ask(a).look);
  CHECK(clock.UntilNextWake() == Clock::Duration::max());
}

TEST_CASE_FIXTURE(Fixture, "Retry-After is obeyed, up to five minutes") {
  for (const auto& [asked, kept] : {std::pair{absl::Minutes(1), minutes(1)}, {absl::Hours(1), minutes(5)}}) {
    usage->Changed(a);
    REQUIRE(Waits(a));
    auto busy = Json(429, "");
    busy.retry_after = asked;
    server().Answer(busy);
    Settle();
    CHECK_FALSE(Ask(a).error.ok());
    Settle();
    CHECK(clock.UntilNextWake() == kept);
    clock.Advance(kept);
    server().Answer(Json(200, kEmpty));
    Settle();
    clock.Advance(seconds(1));
  }
}

TEST_CASE_FIXTURE(Fixture, "a failed Restate that nobody asks about any more is left alone") {
  REQUIRE(Waits(a));
  server().Answer(Json(500, ""));
  Settle();
  REQUIRE_FALSE(Ask(a).error.ok());
  usage->Forget(a);
  clock.Advance(minutes(5));
  Settle();
  CHECK(server().request_count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a look that counts unpinned work serves everybody, one that does not only some") {
  Look(a);
  CHECK(Waits(b, kCounted));
  clock.Advance(milliseconds(200));
  const auto request = server().WaitForRequest(2);
  CHECK(request.body.find("'unpinned'") != std::string::npos);
  server().Answer(Json(200, kOne));
  Settle();
  const auto counted = Ask(b, kCounted).look;
  REQUIRE(counted);
  CHECK(counted->counts_unpinned);
  CHECK(Ask(a, kPlain).look == counted);
}

TEST_CASE_FIXTURE(Fixture, "a newer plain look does not hide the one that counts") {
  Look(a, kCounted);
  clock.Advance(seconds(1));
  usage->Changed(b);
  Look(b, kPlain);
  CHECK(Ask(a, kCounted).look->counts_unpinned);
  CHECK_FALSE(Ask(a, kPlain).look->counts_unpinned);
}

TEST_CASE_FIXTURE(Fixture, "slow Restates do not delay the others") {
  for (const auto* origin : {"http://b:9070", "http://c:9070", "http://d:9070"}) {
    CHECK_FALSE(usage->Ask({.origin = origin, .prefix = ""}, b, kPlain).look);
    servers.at(origin).WaitForRequest(1);  // held: no answer is scripted
  }
  REQUIRE(Waits(a));
  server().WaitForRequest(1);
  server().Answer(Json(200, kEmpty));
  woken.WaitFor(1);
  CHECK(Ask(a).look);
}

TEST_CASE_FIXTURE(Fixture, "a full house is nobody's error: the query is tried again in a second") {
  for (std::size_t i = 1; i <= 4; ++i) {
    CHECK_FALSE(usage->Ask({.origin = endpoint.origin, .prefix = "/" + std::to_string(i)}, b, kPlain).look);
    server().WaitForRequest(i);
  }
  REQUIRE(Waits(a));
  REQUIRE(clock.WaitForSleepers(1));
  while (clock.UntilNextWake() != seconds(1)) REQUIRE(clock.WaitForSleepers(1));
  CHECK(woken.Times(a) == 0);
  CHECK(Waits(a));
  for (int i = 0; i < 4; ++i) server().Answer(Json(200, kEmpty));
  woken.WaitFor(4);
  clock.Advance(seconds(1));
  server().WaitForRequest(5);
  server().Answer(Json(200, kEmpty));
  CHECK(woken.WaitFor(5).back() == a);
}

TEST_CASE_FIXTURE(Fixture, "who is gone is not woken") {
  REQUIRE(Waits(a));
  REQUIRE(Waits(b));
  server().WaitForRequest(1);
  usage->Forget(a);
  server().Answer(Json(200, kEmpty));
  Settle();
  CHECK(woken.Times(a) == 0);
  CHECK(woken.Times(b) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a Restate that nobody asked about for ten minutes is forgotten") {
  Look(a);
  const Wanted any{.max_age = minutes(60), .count_unpinned = false};
  clock.Advance(minutes(9));
  CHECK(Ask(a, any).look);
  clock.Advance(minutes(10));
  CHECK(Waits(a, any));
  server().WaitForRequest(2);
}

TEST_CASE("the one who is woken may ask at once, from within the call") {
  ScriptedHttp server;
  FakeClock clock;
  AdminClient client(
      [&](const std::string&) -> absl::StatusOr<std::unique_ptr<kube::HttpClient>> {
        return std::make_unique<Borrowed>(server);
      },
      nullptr, clock);
  const Endpoint endpoint{.origin = "http://a:9070", .prefix = ""};
  const kube::Key a{"shop", "a"};
  Woken woken;
  Usage* asked = nullptr;
  Usage usage(client, clock, [&](const kube::Key& key) {
    if (asked->Ask(endpoint, key, kPlain).look) woken.Add(key);
  });
  asked = &usage;
  CHECK_FALSE(usage.Ask(endpoint, a, kPlain).look);
  server.Answer(Json(200, kEmpty));
  CHECK(woken.WaitFor(1).size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "the end does not wait for a Restate that does not answer, and wakes nobody") {
  REQUIRE(Waits(a));
  server().WaitForRequest(1);
  usage.reset();
  CHECK(woken.Times(a) == 0);
}

}  // namespace
}  // namespace restate::admin
