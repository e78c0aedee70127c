#include "restate/admin/endpoint.h"

#include <algorithm>
#include <charconv>

#include "host.h"
#include "restate/base/dns_label.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

constexpr std::size_t kMaxUrl = 2048;  // longer ones are refused by proxies and servers on the way
constexpr std::int32_t kAdminPort = 9070;
constexpr std::string_view kUrlField = "spec.restate.register.url";
constexpr std::string_view kServiceField = "spec.restate.register.service";

absl::Status Invalid(std::string_view field, std::string_view what) {
  return MakeError(Reason::kInvalidRestateConfig, std::string(field) + ": " + std::string(what));
}

absl::Status InvalidHost(std::string_view field, const absl::Status& why) {
  return Invalid(field, "the host " + std::string(MessageOf(why)));
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The segment as a server that decodes early would see it; nullopt when it is not well-formed (RFC 3986 pchar).
std::optional<std::string> DecodedSegment(std::string_view segment) {
  static constexpr std::string_view kPlain = "-._~!$&'()*+,;=:@";
  std::string decoded;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const char c = segment[i];
    if (c != '%') {
      const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      if (!alphanumeric && kPlain.find(c) == std::string_view::npos) return std::nullopt;
      decoded += c;
      continue;
    }
    if (i + 2 >= segment.size()) return std::nullopt;
    const int high = HexDigit(segment[i + 1]);
    const int low = HexDigit(segment[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// "/a/b" of "a/b", "/a/b" and "/a/b/". Slashes at the ends mean nothing; anything that could leave the path is an error.
absl::StatusOr<std::string> PrefixOf(std::string_view path, std::string_view field) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string prefix;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, slash);
    const auto decoded = DecodedSegment(segment);
    if (!decoded) return Invalid(field, "the path has a character that must be percent-encoded, or is no path (`?`, `#`)");
    if (decoded->empty() || *decoded == "." || *decoded == "..") {
      return Invalid(field, "the path has an empty, `.` or `..` segment: write the path without it");
    }
    if (std::any_of(decoded->begin(), decoded->end(), [](char c) { return c == '/' || c == '\\' || (c >= 0 && c < 32); })) {
      return Invalid(field, "the path has an encoded slash, backslash or control character");
    }
    prefix.append("/").append(segment);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return prefix;
}

// The port of "host:port"; `fallback` when none is written.
absl::StatusOr<int> PortOf(std::string_view text, int fallback) {
  if (text.empty()) return fallback;
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return Invalid(kUrlField, "the port must be a number from 1 to 65535");
  }
  return port;
}

struct UrlParts {
  std::string_view scheme, authority, path;
};

absl::StatusOr<UrlParts> Split(std::string_view url) {
  if (url.size() > kMaxUrl) return Invalid(kUrlField, "is longer than " + std::to_string(kMaxUrl) + " bytes");
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return Invalid(kUrlField, "is no absolute URL: write http://host:port");
  UrlParts parts{.scheme = url.substr(0, colon), .authority = {}, .path = {}};
  const auto rest = url.substr(colon + 3);
  // `?` and `#` end the authority too; they are then refused with the path.
  const auto end = std::min(rest.find_first_of("/?#\\"), rest.size());
  parts.authority = rest.substr(0, end);
  parts.path = rest.substr(end);
  if (parts.authority.find('@') != std::string_view::npos) {
    return Invalid(kUrlField, "must not carry user information: the admin API knows no password");
  }
  return parts;
}

}  // namespace

absl::StatusOr<Endpoint> EndpointOfUrl(std::string_view url, bool allow_loopback) {
  const auto parts = Split(url);
  if (!parts.ok()) return parts.status();
  const bool https = EqualsIgnoringCase(parts->scheme, "https");
  if (!https && !EqualsIgnoringCase(parts->scheme, "http")) return Invalid(kUrlField, "the scheme must be http or https");

  const bool bracket = parts->authority.starts_with('[');
  const auto colon = bracket ? std::string_view::npos : parts->authority.find(':');
  const auto host = CanonicalHost(parts->authority.substr(0, colon));
  if (!host.ok()) return InvalidHost(kUrlField, host.status());
  const auto port = PortOf(colon == std::string_view::npos ? "" : parts->authority.substr(colon + 1), https ? 443 : 80);
  if (!port.ok()) return port.status();
  if (const auto checked = CheckHost(*host, allow_loopback); !checked.ok()) return InvalidHost(kUrlField, checked);
  auto prefix = PrefixOf(parts->path, kUrlField);
  if (!prefix.ok()) return prefix.status();
  return Endpoint{.origin = (https ? "https://" : "http://") + *host + ":" + std::to_string(*port),
                  .prefix = *std::move(prefix)};
}

absl::StatusOr<Endpoint> EndpointOfService(std::string_view name, std::string_view ns, std::optional<std::int32_t> port,
                                           std::optional<std::string_view> path, std::string_view cluster_dns) {
  const std::string field(kServiceField);
  if (!IsDnsLabel(name)) return Invalid(field + ".name", "must be a DNS label");
  if (!IsDnsLabel(ns)) return Invalid(field + ".namespace", "must be a DNS label");
  const auto number = port.value_or(kAdminPort);
  if (number < 1 || number > 65535) return Invalid(field + ".port", "must be a number from 1 to 65535");
  const auto host = CanonicalHost(std::string(name) + "." + std::string(ns) + ".svc." + std::string(cluster_dns));
  if (!host.ok()) return InvalidHost("the operator's cluster DNS name", host.status());
  if (const auto checked = CheckHost(*host, false); !checked.ok()) return InvalidHost(field, checked);
  auto prefix = PrefixOf(path.value_or(""), field + ".path");
  if (!prefix.ok()) return prefix.status();
  return Endpoint{.origin = "http://" + *host + ":" + std::to_string(number), .prefix = *std::move(prefix)};
}

absl::StatusOr<Endpoint> EndpointOfCluster(std::string_view cluster, std::string_view cluster_dns) {
  if (!IsDnsLabel(cluster)) {
    return Invalid("spec.restate.register.cluster", "must be the name of a RestateCluster, which is a DNS label");
  }
  return EndpointOfService("restate", cluster, kAdminPort, std::nullopt, cluster_dns);
}

}  // namespace restate::admin
