#include "restate/admin/endpoint.h"

#include <doctest/doctest.h>

#include <string>

#include "restate/base/error.h"

namespace restate::admin {
namespace {

std::string OfUrl(std::string_view url, bool allow_loopback = false) {
  const auto endpoint = EndpointOfUrl(url, allow_loopback);
  return endpoint.ok() ? endpoint->ToString() : "";
}

std::string OfService(std::string_view name, std::string_view ns, std::optional<std::int32_t> port,
                      std::optional<std::string_view> path) {
  const auto endpoint = EndpointOfService(name, ns, port, path, "cluster.local");
  return endpoint.ok() ? endpoint->ToString() : "";
}

TEST_CASE("a URL is told apart into origin and prefix, in one spelling") {
  CHECK(OfUrl("http://restate.shop:9070") == "http://restate.shop:9070");
  CHECK(OfUrl("http://restate.shop:9070/") == "http://restate.shop:9070");
  CHECK(OfUrl("HTTP://Restate.Shop/") == "http://restate.shop:80");
  CHECK(OfUrl("https://restate.example") == "https://restate.example:443");
  CHECK(OfUrl("http://10.0.0.7:09070/a/b/") == "http://10.0.0.7:9070/a/b");
  CHECK(OfUrl("http://h//") == "http://h:80");
  CHECK(OfUrl("http://h/a%20b/c:d@e") == "http://h:80/a%20b/c:d@e");
  CHECK(OfUrl("http://restate.shop.svc.cluster.local.:9070") == "http://restate.shop.svc.cluster.local.:9070");
  const auto endpoint = EndpointOfUrl("http://h:1/a", false);
  REQUIRE(endpoint.ok());
  CHECK(endpoint->origin == "http://h:1");
  CHECK(endpoint->prefix == "/a");
}

TEST_CASE("one address in several spellings is one endpoint") {
  CHECK(OfUrl("http://0xa000007:1") == "http://10.0.0.7:1");
  CHECK(OfUrl("http://10.7:1") == "http://10.0.0.7:1");
  CHECK(OfUrl("http://012.0.0.7:1") == "http://10.0.0.7:1");
}

TEST_CASE("what is no http URL with a host is refused, and the message names the field") {
  for (const std::string url :
       {"", "x", "//h", "http:", "http://", "http:///p", "ftp://h", "file:///etc/passwd", "data:text/plain,x", "http://:80",
        "http://h:0", "http://h:65536", "http://h:99999999999999999999", "http://h:+1", "http://h:1x", "http://h:1:2",
        "http://h?a=b", "http://h/?a", "http://h/#f", "http://h#f", "http://h/a b", "http://h/%zz", "http://h/%2",
        "http://h\\@evil/", "http://h h/", "http://h\r\nX: y/", "http://..", "http://a..b", "http://.a",
        "http://b\xc3\xbc"
        "cher.example/",
        "http://256.0.0.1/", "http://1.2.3.4.5/", "http://[::1]", "http://[::ffff:169.254.169.254]/", "http://[", "http://::1",
        "http://h%00.example/"}) {
    CAPTURE(url);
    const auto endpoint = EndpointOfUrl(url, true);
    REQUIRE_FALSE(endpoint.ok());
    CHECK(ReasonOf(endpoint.status()) == Reason::kInvalidRestateConfig);
    CHECK(MessageOf(endpoint.status()).starts_with("spec.restate.register.url: "));
  }
  CHECK(OfUrl("http://h/" + std::string(64 << 10, 'a')).empty());
  CHECK(OfUrl("http://" + std::string(254, 'a') + "/").empty());
}

TEST_CASE("a password in a URL does not reach the message") {
  const auto endpoint = EndpointOfUrl("http://user:canary@h/", false);
  REQUIRE_FALSE(endpoint.ok());
  CHECK(MessageOf(endpoint.status()).find("canary") == std::string_view::npos);
  CHECK(OfUrl("http://@h/").empty());
  CHECK(OfUrl("http://restate@attacker.example:80/").empty());
}

TEST_CASE("addresses that no admin API has are refused in any spelling") {
  for (const auto* url :
       {"http://0.0.0.0/", "http://0/", "http://0.1.2.3:9070", "http://169.254.169.254/", "http://2852039166/",
        "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://100.100.100.200/",
        "http://224.0.0.1/", "http://239.1.1.1/", "http://255.255.255.255/", "http://metadata.google.internal/",
        "http://METADATA.google.internal./", "http://kubernetes/", "https://kubernetes.default",
        "http://kubernetes.default.svc/", "https://kubernetes.default.svc.cluster.local:443"}) {
    CAPTURE(url);
    CHECK(OfUrl(url, true).empty());
  }
}

TEST_CASE("loopback is for a process on a host, not for a pod") {
  for (const auto* url : {"http://127.0.0.1:9070", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
                          "http://localhost/", "http://x.localhost./"}) {
    CAPTURE(url);
    CHECK(OfUrl(url, false).empty());
    CHECK_FALSE(OfUrl(url, true).empty());
  }
}

TEST_CASE("a path cannot leave its place") {
  for (const auto* path : {"../x", "a/../b", "/./", "%2e%2e/query", "a/%2E/b", "a%2fb", "a%5cb", "a%00", "?a", "#", "a//b",
                           "a b", "a\\b", "\n"}) {
    CAPTURE(path);
    CHECK(OfUrl(std::string("http://h/") + path).empty());
    CHECK(OfService("restate", "shop", std::nullopt, path).empty());
  }
}

TEST_CASE("a service becomes its cluster name, with the path joined") {
  CHECK(OfService("restate", "shop", std::nullopt, std::nullopt) == "http://restate.shop.svc.cluster.local:9070");
  CHECK(OfService("restate", "shop", 80, "api") == "http://restate.shop.svc.cluster.local:80/api");
  CHECK(OfService("restate", "shop", 80, "/api/") == "http://restate.shop.svc.cluster.local:80/api");
  CHECK(OfService("restate", "shop", 80, "//h") == "http://restate.shop.svc.cluster.local:80/h");
  CHECK(OfService("restate", "shop", 80, "") == "http://restate.shop.svc.cluster.local:80");
}

TEST_CASE("a service that could lead out of the cluster is refused") {
  for (const auto* name : {"attacker.example/", "a@b", "127.0.0.1:80/?", "x/#", "Upper", "", "-a", "a-", "a.b", "a b"}) {
    CAPTURE(name);
    CHECK(OfService(name, "shop", std::nullopt, std::nullopt).empty());
    CHECK(OfService("restate", name, std::nullopt, std::nullopt).empty());
  }
  CHECK(OfService(std::string(64, 'a'), "shop", std::nullopt, std::nullopt).empty());
  CHECK(OfService("restate", "shop", 0, std::nullopt).empty());
  CHECK(OfService("restate", "shop", 65536, std::nullopt).empty());
  CHECK(OfService("kubernetes", "default", 443, std::nullopt).empty());
  const auto port = EndpointOfService("restate", "shop", 0, std::nullopt, "cluster.local");
  CHECK(MessageOf(port.status()).starts_with("spec.restate.register.service.port: "));
}

}  // namespace
}  // namespace restate::admin
