#include "restate/admin/cloud.h"

#include <doctest/doctest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

constexpr std::string_view kKey = "publickeyv1_2bQk1FaBcDeFgHiJkLmNoPqRsTuVwXyZ";

std::string Mistake(std::string_view id, std::string_view region, std::string_view key = kKey) {
  const auto environment = CheckCloudEnvironment(id, region, key);
  if (environment.ok()) return "";
  CHECK(ReasonOf(environment.status()) == Reason::kInvalidRestateConfig);
  const std::string text(MessageOf(environment.status()));
  return text.substr(0, text.find(':'));
}

CloudEnvironment Environment(std::string_view id = "env_201kAbc", std::string_view region = "us") {
  return CheckCloudEnvironment(id, region, kKey).value();
}

json::Value Secret(std::string_view value, std::string_view type = "Opaque") {
  return json::Obj({{"type", type}, {"data", json::Obj({{"t", absl::Base64Escape({value.data(), value.size()})}})}});
}

Reason Refused(const json::Value& secret, std::string_view key = "t") {
  const auto token = BearerTokenOf(secret, "tok", key);
  REQUIRE_FALSE(token.ok());
  CHECK(MessageOf(token.status()).find("tok") != std::string_view::npos);
  CHECK(MessageOf(token.status()).find("canary") == std::string_view::npos);
  return ReasonOf(token.status());
}

TEST_CASE("an environment's admin API is at a host made of its id and region, and only there") {
  CHECK(EndpointOfCloud(Environment(), "").origin == "https://201kabc.env.us.restate.cloud:9070");
  CHECK(EndpointOfCloud(Environment("env_a-b_c", "abc.byoc"), "").origin ==
        "https://a-b_c.env.abc.byoc.restate.cloud:9070");
}

TEST_CASE("the token makes another endpoint and is not in its text") {
  const Endpoint old_token = EndpointOfCloud(Environment(), "canary-1");
  CHECK(old_token != EndpointOfCloud(Environment(), "canary-2"));
  CHECK(old_token.ToString().find("canary") == std::string::npos);
}

TEST_CASE("ids that would lead to another host are refused") {
  for (const std::string_view id : {"env_", "", "env_a b", "env_x@attacker.example/", "201kabc", "env_a.b", "env_a/b",
                                    "env_a:1", "ENV_a", "env_a\n", "env_%2e"}) {
    CAPTURE(id);
    CHECK(Mistake(id, "us") == "spec.environmentId");
  }
  CHECK(Mistake("env_" + std::string(64, 'a'), "us") == "spec.environmentId");
  CHECK(Mistake("env_" + std::string(63, 'a'), "us").empty());
}

TEST_CASE("regions that would lead to another host are refused") {
  for (const std::string_view region :
       {"x/#", "x/?", "us.", ".us", "a..b", "US", "", "u s", "us@x", "us:1", "-us", "a_b"}) {
    CAPTURE(region);
    CHECK(Mistake("env_a", region) == "spec.region");
  }
  std::string region;
  for (int i = 0; i < 125; ++i) region += "a.";
  CHECK(Mistake("env_a", region + "a") == "spec.region");
  CHECK(Mistake("env_a", "abc.byoc").empty());
}

TEST_CASE("signing keys are taken in Restate Cloud's form only") {
  for (const std::string_view key : {"", "publickeyv2_a", "publickeyv1_", "publickeyv1_a\n", "publickeyv1_a b"}) {
    CAPTURE(key);
    CHECK(Mistake("env_a", "us", key) == "spec.signingPublicKey");
  }
  CHECK(Mistake("env_a", "us", std::string(kKey) + std::string(1 << 16, 'a')) == "spec.signingPublicKey");
}

TEST_CASE("a uri goes through the tunnel with its scheme, host, port and path as segments") {
  CHECK(TunnelUri(Environment(), "uid-1", "http://g-1.default.svc.cluster.local:9080/x") ==
        "https://tunnel.us.restate.cloud:9080/201kAbc/uid-1/http/g-1.default.svc.cluster.local/9080/x");
  CHECK(TunnelUri(Environment("env_a", "abc.byoc"), "g-1", "http://in-process:9080/") ==
        "https://tunnel.abc.byoc.restate.cloud:9080/a/g-1/http/in-process/9080/");
  CHECK(TunnelUri(Environment(), "u", "http://g.default.svc.cluster.local") ==
        "https://tunnel.us.restate.cloud:9080/201kAbc/u/http/g.default.svc.cluster.local/80/");
  CHECK(TunnelUri(Environment(), "u", "https://g/a/b") ==
        "https://tunnel.us.restate.cloud:9080/201kAbc/u/https/g/443/a/b");
}

TEST_CASE("what is behind a tunnel is found again, and only behind that one") {
  for (const std::string_view uri : {"http://g-1.default.svc.cluster.local:9080/x/y", "http://in-process:9080/"}) {
    CHECK(UriBehindTunnel(Environment(), "uid-1", TunnelUri(Environment(), "uid-1", uri)) == std::string(uri));
    CHECK(!UriBehindTunnel(Environment(), "uid-2", TunnelUri(Environment(), "uid-1", uri)));
    CHECK(!UriBehindTunnel(Environment("env_b"), "uid-1", TunnelUri(Environment(), "uid-1", uri)));
    CHECK(!UriBehindTunnel(Environment(), "uid-1", uri));
  }
  CHECK(UriBehindTunnel(Environment(), "u", "https://tunnel.us.restate.cloud:9080/201kAbc/u/") == "://:/");
}

TEST_CASE("a token is taken without the white space around it") {
  CHECK(BearerTokenOf(Secret("key_1.a-b~c\n"), "tok", "t").value() == "key_1.a-b~c");
  CHECK(BearerTokenOf(Secret(" \r\n abc\t"), "tok", "t").value() == "abc");
}

TEST_CASE("a token that is none is refused without being quoted") {
  CHECK(Refused(Secret("a"), "other") == Reason::kSecretKeyNotFound);
  CHECK(Refused(json::Obj({{"type", "Opaque"}})) == Reason::kSecretKeyNotFound);
  CHECK(Refused(Secret("")) == Reason::kInvalidBearerToken);
  CHECK(Refused(Secret(" \n")) == Reason::kInvalidBearerToken);
  CHECK(Refused(Secret("canary\r\nX-Other: 1")) == Reason::kInvalidBearerToken);
  CHECK(Refused(Secret("canary 1")) == Reason::kInvalidBearerToken);
  CHECK(Refused(Secret("canary\xff\xfe")) == Reason::kInvalidBearerToken);
  CHECK(Refused(Secret(std::string_view("canary\0x", 8))) == Reason::kInvalidBearerToken);
  CHECK(Refused(Secret(std::string(kMaxBearerToken + 1, 'a'))) == Reason::kInvalidBearerToken);
  CHECK(Refused(json::Obj({{"data", json::Obj({{"t", "***"}})}})) == Reason::kInvalidBearerToken);
}

TEST_CASE("Secrets of another trade are never sent away") {
  for (const std::string_view type : {"helm.sh/release.v1", "kubernetes.io/service-account-token", "kubernetes.io/tls",
                                      "bootstrap.kubernetes.io/token"}) {
    CAPTURE(type);
    CHECK(Refused(Secret("canary", type)) == Reason::kInvalidBearerToken);
  }
}

}  // namespace
}  // namespace restate::admin
