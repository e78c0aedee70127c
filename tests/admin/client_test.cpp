#include "restate/admin/client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "fake/fake_admin.h"
#include "fake/fake_clock.h"
#include "fake/scripted_http.h"
#include "restate/base/error.h"
#include "restate/json/text.h"

namespace restate::admin {
namespace {

using fake::AdminCall;
using fake::AdminFault;
using fake::FakeAdmin;

absl::StatusOr<std::unique_ptr<kube::HttpClient>> MakeHttp(const std::string& origin) {
  return kube::NewHttpClient({.base_url = origin, .tls = {}, .bearer_token = {}, .proxy_url = {}});
}

constexpr auto kUri = "http://greeter-1.shop.svc:9080/";

struct Fixture {
  FakeAdmin restate;
  AdminClient client{MakeHttp};
  Endpoint endpoint{.origin = restate.url(), .prefix = ""};

  absl::StatusOr<Registration> Register(bool force = false) {
    return client.Register(endpoint, {.uri = kUri, .force = force, .use_http_11 = {}}, {});
  }
  absl::StatusOr<Look> Query(bool count_unpinned = false) { return client.Query(endpoint, count_unpinned, {}); }
};

TEST_CASE_FIXTURE(Fixture, "a registration gives id and services, and always says whether it is forced") {
  const auto registration = Register();
  REQUIRE(registration.ok());
  CHECK(registration->id == restate.IdOf(kUri));
  CHECK(registration->services == std::vector<std::string>{"greeter.shop"});

  REQUIRE(client.Register(endpoint, {.uri = kUri, .force = true, .use_http_11 = true}, {}).ok());
  const auto calls = restate.Calls();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].target == "/deployments");
  CHECK(calls[0].body == R"({"force":false,"uri":"http://greeter-1.shop.svc:9080/"})");
  CHECK(calls[1].body == R"({"force":true,"uri":"http://greeter-1.shop.svc:9080/","use_http_11":true})");
}

TEST_CASE_FIXTURE(Fixture, "a look shows what was registered and what uses it") {
  const auto id = Register().value().id;
  restate.Start("a", {.service = "greeter.shop", .status = "suspended", .pin = id});
  restate.Start("b", {.service = "greeter.shop", .pin = "", .attempt = id});
  const auto look = Query(true);
  REQUIRE(look.ok());
  const auto& use = look->deployments.at(id);
  CHECK(use.uri == kUri);
  CHECK(use.latest);
  CHECK(use.PinnedTotal() == 1);
  CHECK(use.attempts == 1);
  CHECK(use.unpinned == 1);
  CHECK(look->counts_unpinned);
  CHECK(Query(false).value().deployments.at(id).unpinned == 0);
}

TEST_CASE_FIXTURE(Fixture, "forgetting works, also when the deployment is gone already") {
  const auto id = Register().value().id;
  CHECK(client.Forget(endpoint, id, {}).ok());
  CHECK(restate.IdOf(kUri).empty());
  CHECK(client.Forget(endpoint, id, {}).ok());
  CHECK(restate.Calls().back().target == "/deployments/" + id + "?force=true");
}

TEST_CASE_FIXTURE(Fixture, "a 404 of something that is no Restate does not count as forgotten") {
  restate.Break(AdminCall::kForget, {.code = 404, .body = "no such page", .content_type = "text/html"});
  const auto forgotten = client.Forget(endpoint, "dp_1", {});
  CHECK(ReasonOf(forgotten) == Reason::kAdminCallRejected);
}

TEST_CASE_FIXTURE(Fixture, "an id that could lead elsewhere is never sent") {
  for (const std::string id : {"", "../query", "a/b", "a?b", "a b", "a%2e", "d\n"}) {
    CAPTURE(id);
    CHECK_FALSE(client.Forget(endpoint, id, {}).ok());
  }
  CHECK_FALSE(client.Forget(endpoint, std::string(129, 'a'), {}).ok());
  CHECK(restate.Calls().empty());
}

TEST_CASE_FIXTURE(Fixture, "the prefix of an endpoint goes before every path") {
  endpoint.prefix = "/a/b";
  CHECK_FALSE(Register().ok());
  CHECK_FALSE(Query().ok());
  CHECK_FALSE(client.Forget(endpoint, "dp_1", {}).ok());
  std::vector<std::string> targets;
  for (const auto& call : restate.Calls()) targets.push_back(call.target);
  CHECK(targets == std::vector<std::string>{"/a/b/deployments", "/a/b/query", "/a/b/deployments/dp_1?force=true"});
}

TEST_CASE_FIXTURE(Fixture, "a refusal of Restate is quoted with its code") {
  restate.With([](auto& model) { model.Unreachable(kUri); });
  const auto registration = Register();
  REQUIRE_FALSE(registration.ok());
  CHECK(ReasonOf(registration.status()) == Reason::kAdminCallRejected);
  const std::string message(MessageOf(registration.status()));
  CHECK(message.find("answered 500 META0003: ") != std::string::npos);
  CHECK(message.find("Connection refused") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a quoted refusal is one short line") {
  const std::string body = R"({"message":"a\nb\u001b[2J\u009b)" + std::string(600, 'x') + R"(","restate_code":null})";
  restate.Break(AdminCall::kRegister, {.code = 400, .body = body});
  const auto registration = Register();
  REQUIRE_FALSE(registration.ok());
  const std::string message(MessageOf(registration.status()));
  CHECK(message.find("a b [2J xxx") != std::string::npos);
  CHECK(message.find("\xc2\x9b") == std::string::npos);
  CHECK(message.size() < 512 + 100);
}

TEST_CASE_FIXTURE(Fixture, "a server that is no Restate is never quoted") {
  const std::vector<AdminFault> strangers{
      {.code = 403, .body = "canary", .content_type = "text/plain"},
      {.code = 403, .body = R"({"message":"canary","kind":"Status"})"},
      {.code = 500, .body = R"({"error":"canary"})"},
      {.code = 500, .body = R"({"message":{"x":"canary"}})"},
      {.code = 500, .body = R"({"message":"canary","restate_code":7})"},
      {.code = 404, .body = R"({"message":"canary"})", .content_type = "text/html; charset=canary"},
      {.code = 200, .body = "canary", .content_type = "text/plain"},
      {.code = 200, .body = "canary"},
      {.code = 200, .body = R"({"id":"canary/../x"})"},
      {.code = 307, .body = "canary", .content_type = "text/plain", .headers = {{"Location", "http://canary/"}}},
  };
  for (const auto& stranger : strangers) {
    restate.Heal();
    for (const auto call : {AdminCall::kRegister, AdminCall::kForget, AdminCall::kQuery}) restate.Break(call, stranger);
    std::vector<absl::Status> outcomes{Register().status(), Query().status()};
    if (stranger.code != 200) outcomes.push_back(client.Forget(endpoint, "dp_1", {}));  // 200 is a plain "done" there
    for (const auto& outcome : outcomes) {
      REQUIRE_FALSE(outcome.ok());
      CHECK(MessageOf(outcome).find("canary") == std::string_view::npos);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "code, type and length of a foreign answer are told") {
  restate.Break(AdminCall::kQuery, {.code = 502, .body = "<html>", .content_type = "text/html"});
  const auto look = Query();
  CHECK(ReasonOf(look.status()) == Reason::kAdminCallRejected);
  CHECK(MessageOf(look.status()).ends_with("answered 502 (text/html, 6 bytes)"));
}

TEST_CASE_FIXTURE(Fixture, "redirects are not followed") {
  FakeAdmin other;
  for (const int code : {301, 302, 307, 308}) {
    restate.Heal();
    restate.Break(AdminCall::kQuery, {.code = code, .body = "", .headers = {{"Location", other.url() + "/query"}}});
    CHECK(ReasonOf(Query().status()) == Reason::kAdminCallRejected);
  }
  CHECK(other.Calls().empty());
}

TEST_CASE_FIXTURE(Fixture, "any doubt about a look is an error") {
  using Kind = AdminFault::Kind;
  REQUIRE(Register().ok());
  const std::vector<AdminFault> faults{{.kind = Kind::kCut},
                                       {.kind = Kind::kArrow},
                                       {.kind = Kind::kEndless},
                                       {.kind = Kind::kReset},
                                       {.code = 200, .body = R"({"rows":[]})", .content_type = "text/plain"},
                                       {.code = 200, .body = ""},
                                       {.code = 204, .body = ""},
                                       {.code = 500, .body = R"({"rows":[]})"},
                                       {.code = 429, .body = "", .content_type = ""}};
  for (const auto& fault : faults) {
    CAPTURE(static_cast<int>(fault.kind));
    CAPTURE(fault.code);
    restate.Heal();
    restate.Break(AdminCall::kQuery, fault);
    CHECK_FALSE(Query().ok());
  }
  restate.Heal();
  CHECK(Query().ok());
}

TEST_CASE_FIXTURE(Fixture, "the wait that Restate asks for is passed on") {
  restate.Break(AdminCall::kQuery,
                {.code = 429, .body = R"({"message":"Rate limited"})", .headers = {{"Retry-After", "7"}}});
  CHECK(RetryAfterOf(Query().status()) == absl::Seconds(7));
}

TEST_CASE("nobody there is a failed call that names what was called") {
  Endpoint endpoint;
  {
    const FakeAdmin gone;
    endpoint.origin = gone.url();
  }
  AdminClient client(MakeHttp);
  const auto look = client.Query(endpoint, false, {});
  CHECK(ReasonOf(look.status()) == Reason::kAdminCallFailed);
  CHECK(MessageOf(look.status()).starts_with("POST " + endpoint.origin + "/query: "));
}

TEST_CASE("an origin that no client can be made for is a failed call") {
  AdminClient client([](const std::string&) -> absl::StatusOr<std::unique_ptr<kube::HttpClient>> {
    return absl::InvalidArgumentError("no such scheme");
  });
  const auto look = client.Query({.origin = "x://y:1", .prefix = ""}, false, {});
  CHECK(ReasonOf(look.status()) == Reason::kAdminCallFailed);
  CHECK(MessageOf(look.status()) == "x://y:1: no such scheme");
}

TEST_CASE_FIXTURE(Fixture, "a stop ends a call that is not answered") {
  restate.Break(AdminCall::kQuery, {.kind = AdminFault::Kind::kSilence});
  std::stop_source stop;
  absl::Status outcome;
  std::jthread caller([&] { outcome = client.Query(endpoint, false, stop.get_token()).status(); });
  REQUIRE(restate.WaitForCalls(AdminCall::kQuery, 1));
  stop.request_stop();
  caller.join();
  CHECK(ReasonOf(outcome) == Reason::kStopped);
}

TEST_CASE_FIXTURE(Fixture, "a dead Restate holds three registrations and a query, the next call is refused at once") {
  restate.Break(AdminCall::kRegister, {.kind = AdminFault::Kind::kSilence});
  restate.Break(AdminCall::kQuery, {.kind = AdminFault::Kind::kSilence});
  std::stop_source stop;
  std::vector<std::jthread> held;
  for (int i = 0; i < 3; ++i) {
    held.emplace_back(
        [&] { (void)client.Register(endpoint, {.uri = kUri, .force = false, .use_http_11 = {}}, stop.get_token()); });
  }
  REQUIRE(restate.WaitForCalls(AdminCall::kRegister, 3));
  CHECK(ReasonOf(Register().status()) == Reason::kAdminBusy);
  CHECK(ReasonOf(client.Forget(endpoint, "dp_1", {})) == Reason::kAdminBusy);

  held.emplace_back([&] { (void)client.Query(endpoint, false, stop.get_token()); });
  REQUIRE(restate.WaitForCalls(AdminCall::kQuery, 1));
  CHECK(ReasonOf(Query().status()) == Reason::kAdminBusy);

  FakeAdmin other;
  CHECK(client.Query({.origin = other.url(), .prefix = ""}, false, {}).ok());
  stop.request_stop();
  held.clear();
  restate.Heal();
  CHECK(Query().ok());
}

TEST_CASE("the client of an origin is kept, and dropped after ten minutes") {
  FakeAdmin restate;
  FakeAdmin other;
  fake::FakeClock clock;
  int made = 0;
  AdminClient client(
      [&](const std::string& origin) {
        ++made;
        return MakeHttp(origin);
      },
      nullptr, clock);
  const Endpoint endpoint{.origin = restate.url(), .prefix = ""};
  REQUIRE(client.Query(endpoint, false, {}).ok());
  clock.Advance(std::chrono::minutes(9));
  REQUIRE(client.Query(endpoint, false, {}).ok());
  CHECK(made == 1);
  clock.Advance(std::chrono::minutes(10));
  REQUIRE(client.Query({.origin = other.url(), .prefix = ""}, false, {}).ok());
  REQUIRE(client.Query(endpoint, false, {}).ok());
  CHECK(made == 3);
}

struct Recorder : AdminObserver {
  void Called(const Endpoint&, std::string_view call, int code, absl::Duration) override {
    calls.emplace_back(std::string(call) + " " + std::to_string(code));
  }
  std::vector<std::string> calls;
};

TEST_CASE("every call is observed with its code") {
  FakeAdmin restate;
  Recorder recorder;
  AdminClient client(MakeHttp, &recorder);
  const Endpoint endpoint{.origin = restate.url(), .prefix = ""};
  (void)client.Register(endpoint, {.uri = kUri, .force = false, .use_http_11 = {}}, {});
  (void)client.Query(endpoint, false, {});
  (void)client.Forget(endpoint, "dp_unknown", {});
  restate.Break(AdminCall::kQuery, {.kind = AdminFault::Kind::kReset});
  (void)client.Query(endpoint, false, {});
  CHECK(recorder.calls == std::vector<std::string>{"register 201", "query 200", "forget 404", "query 0"});
}

// One server in memory, asked with a token.
struct CloudFixture {
  fake::ScriptedHttp* http = nullptr;
  int made = 0;
  AdminClient client{[this](const std::string&) -> absl::StatusOr<std::unique_ptr<kube::HttpClient>> {
    ++made;
    auto scripted = std::make_unique<fake::ScriptedHttp>();
    http = scripted.get();
    http->Answer(response);
    return scripted;
  }};
  kube::HttpResponse response{.status = 200, .content_type = "application/json", .body = R"({"id":"dp_1"})"};

  absl::StatusOr<Registration> Register(std::string origin, std::string token) {
    const Endpoint endpoint{.origin = std::move(origin), .prefix = "", .bearer_token = std::move(token)};
    return client.Register(endpoint, {.uri = kUri, .force = false, .use_http_11 = {}}, {});
  }
};

TEST_CASE_FIXTURE(CloudFixture, "the token of an endpoint goes with each call as RFC 6750 wants it") {
  REQUIRE(Register("https://a.env.us.restate.cloud:9070", "canary").ok());
  const auto request = http->WaitForRequest(1);
  CHECK(std::count(request.headers.begin(), request.headers.end(),
                   std::pair<std::string, std::string>("Authorization", "Bearer canary")) == 1);
}

TEST_CASE_FIXTURE(CloudFixture, "a token is never sent without TLS") {
  CHECK(ReasonOf(Register("http://a.env.us.restate.cloud:9070", "canary").status()) == Reason::kInternalError);
  CHECK(made == 0);
}

TEST_CASE_FIXTURE(CloudFixture, "an answer that quotes the token is told without it") {
  response = {.status = 401,
              .content_type = "application/json",
              .retry_after = absl::Seconds(7),
              .body = R"({"message":"canary-token is no token, canary-token"})"};
  const auto status = Register("https://a.env.us.restate.cloud:9070", "canary-token").status();
  CHECK(ReasonOf(status) == Reason::kAdminCallRejected);
  CHECK(MessageOf(status).find("canary") == std::string_view::npos);
  CHECK(MessageOf(status).find("[token] is no token, [token]") != std::string_view::npos);
  CHECK(RetryAfterOf(status) == absl::Seconds(7));
}

}  // namespace
}  // namespace restate::admin
