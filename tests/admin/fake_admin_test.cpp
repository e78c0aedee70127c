// The fake against what was measured on server 1.7.12: a fake that is kinder than the server would hide faults.
#include "fake/fake_admin.h"

#include <doctest/doctest.h>

#include <string>

#include "restate/admin/client.h"
#include "restate/json/text.h"

namespace restate::fake {
namespace {

constexpr auto kV1 = "http://greeter-1.shop.svc:9080";
constexpr auto kV2 = "http://greeter-2.shop.svc:9080";

kube::HttpResponse Get(const FakeAdmin& admin, const std::string& target, std::string method = "GET") {
  const auto http = kube::NewHttpClient({.base_url = admin.url(), .tls = {}, .bearer_token = {}, .proxy_url = {}});
  REQUIRE(http.ok());
  auto response = (*http)->Do({.method = std::move(method), .target = target}, {});
  REQUIRE(response.ok());
  return *std::move(response);
}

TEST_CASE("a second registration of a known URI changes nothing unless it is forced") {
  RestateModel model;
  const auto first = model.Register(kV1, false);
  REQUIRE(first.has_value());
  CHECK(first->code == 201);
  const auto second = model.Register(kV2, false);
  CHECK(model.Latest().at("greeter.shop") == second->id);

  const auto again = model.Register(kV1, false);
  CHECK(again->code == 200);
  CHECK(again->id == first->id);
  CHECK(model.Latest().at("greeter.shop") == second->id);

  const auto forced = model.Register(kV1, true);
  CHECK(forced->code == 200);
  CHECK(forced->id == first->id);
  CHECK(model.Latest().at("greeter.shop") == first->id);
  CHECK(model.deployments().at(first->id).revisions.at("greeter.shop") == 3);
}

TEST_CASE("only the root's slash means nothing") {
  RestateModel model;
  const auto plain = model.Register("http://h:1", false);
  CHECK(model.Register("http://h:1/", false)->id == plain->id);
  CHECK(model.Register("http://h:1/a", false)->id != model.Register("http://h:1/a/", false)->id);
}

TEST_CASE("without the latest deployment the one before it serves again") {
  RestateModel model;
  const auto first = model.Register(kV1, false);
  const auto second = model.Register(kV2, false);
  CHECK(model.Forget(second->id));
  CHECK(model.Latest().at("greeter.shop") == first->id);
  CHECK_FALSE(model.Forget(second->id));
  CHECK(model.Forget(first->id));
  CHECK(model.Latest().empty());
  model.Register(kV2, false);
  CHECK(model.deployments().at(second->id).revisions.at("greeter.shop") == 1);
}

TEST_CASE("a service that the new version no longer has stays with the old one") {
  RestateModel model;
  model.Advertise(kV1, {"A", "B"});
  model.Advertise(kV2, {"A"});
  const auto first = model.Register(kV1, false);
  const auto second = model.Register(kV2, false);
  CHECK(model.Latest() == std::map<std::string, std::string>{{"A", second->id}, {"B", first->id}});
}

TEST_CASE("a known URI is answered while its pods are down, a forced one is not") {
  RestateModel model;
  const auto first = model.Register(kV1, false);
  model.Unreachable(kV1);
  CHECK(model.Register(kV1, false)->id == first->id);
  CHECK_FALSE(model.Register(kV1, true).has_value());
}

TEST_CASE("deregistering without force is not implemented, with it it is never refused") {
  FakeAdmin admin;
  const auto id = admin.With([](auto& model) { return model.Register(kV1, false)->id; });
  admin.Start("a", {.service = "greeter.shop", .pin = id});
  CHECK(Get(admin, "/deployments/" + id, "DELETE").status == 501);
  CHECK(Get(admin, "/deployments/" + id + "?force=true", "DELETE").status == 202);
  CHECK(Get(admin, "/deployments/" + id + "?force=true", "DELETE").status == 404);
  CHECK(admin.UnsafeForgets().size() == 1);
}

TEST_CASE("a query that is not this program's, or wants another format, gets no rows") {
  FakeAdmin admin;
  const auto http = kube::NewHttpClient({.base_url = admin.url(), .tls = {}, .bearer_token = {}, .proxy_url = {}});
  kube::HttpRequest request{.method = "POST",
                            .target = "/query",
                            .content_type = "application/json",
                            .body = R"({"query":"SELECT 1"})",
                            .headers = {{"Accept", "application/json"}}};
  CHECK((*http)->Do(request, {})->status == 400);
  request.headers = {{"Accept", "application/json, */*"}};
  CHECK((*http)->Do(request, {})->content_type == "application/vnd.apache.arrow.stream");
}

TEST_CASE("services and deployments are listed") {
  FakeAdmin admin;
  const auto id = admin.With([](auto& model) { return model.Register(kV1, false)->id; });
  const auto services = json::Parse(Get(admin, "/services").body);
  CHECK((*services->Find("services")->array())[0].StringAt({"deployment_id"}) == id);
  const auto deployments = json::Parse(Get(admin, "/deployments").body);
  CHECK((*deployments->Find("deployments")->array())[0].StringAt({"uri"}) == std::string(kV1) + "/");
  CHECK(Get(admin, "/deployments/dp_x").status == 404);
}

TEST_CASE("what was called is counted, for programs too") {
  FakeAdmin admin;
  Get(admin, "/services");
  Get(admin, "/services");
  const auto counters = json::Parse(Get(admin, "/_counters").body);
  CHECK(counters->IntAt({"services"}) == 2);
  CHECK(counters->IntAt({"other"}) == 0);
  CHECK(admin.Count(AdminCall::kServices) == 2);
}

TEST_CASE("a fault lasts as long as it was set for") {
  FakeAdmin admin;
  admin.Break(AdminCall::kServices, {.code = 503, .body = "", .content_type = ""}, 2);
  CHECK(Get(admin, "/services").status == 503);
  CHECK(Get(admin, "/services").status == 503);
  CHECK(Get(admin, "/services").status == 200);
}

TEST_CASE("an unclear outcome: the connection breaks after everything was done") {
  FakeAdmin admin;
  const auto id = admin.With([](auto& model) { return model.Register(kV1, false)->id; });
  admin.Break(AdminCall::kForget, {.kind = AdminFault::Kind::kDoneAndReset});
  const auto http = kube::NewHttpClient({.base_url = admin.url(), .tls = {}, .bearer_token = {}, .proxy_url = {}});
  const auto response = (*http)->Do({.method = "DELETE", .target = "/deployments/" + id + "?force=true"}, {});
  CHECK_FALSE(response.ok());
  CHECK(admin.IdOf(kV1).empty());
}

}  // namespace
}  // namespace restate::fake
