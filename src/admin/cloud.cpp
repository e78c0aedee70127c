#include "restate/admin/cloud.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "restate/base/dns_label.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

constexpr std::string_view kIdPrefix = "env_";
constexpr std::string_view kKeyPrefix = "publickeyv1_";
constexpr std::size_t kMaxHost = 253;        // RFC 1035, section 2.3.4, as text
constexpr std::size_t kMaxSigningKey = 256;  // Restate's have some 60 bytes

bool IsIdCharacter(unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; }

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDnsLabel && std::all_of(text.begin(), text.end(), IsIdCharacter);
}

bool IsRegion(std::string_view region) {
  while (true) {
    const auto dot = region.find('.');
    if (!IsDnsLabel(region.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    region.remove_prefix(dot + 1);
  }
}

std::string_view ShortId(const CloudEnvironment& environment) {
  return std::string_view(environment.id).substr(kIdPrefix.size());
}

std::string AdminHost(const CloudEnvironment& environment) {
  return absl::AsciiStrToLower(
      absl::StrCat(std::string(ShortId(environment)), ".env.", environment.region, ".restate.cloud"));
}

absl::Status Invalid(std::string_view what) { return MakeError(Reason::kInvalidRestateConfig, what); }

absl::Status InvalidToken(std::string_view name, std::string_view key, std::string_view what) {
  return MakeError(Reason::kInvalidBearerToken,
                   absl::StrCat("key ", std::string(key), " of Secret ", std::string(name), " ", std::string(what),
                                ": put the environment's API key there"));
}

// A Secret of another trade: whoever may write a RestateCloudEnvironment shall not make the operator send it away.
bool IsOfForeignType(std::string_view type) {
  return type.starts_with("helm.sh/") || type.starts_with("kubernetes.io/") ||
         type.starts_with("bootstrap.kubernetes.io/");
}

std::string TunnelBase(const CloudEnvironment& environment, std::string_view tunnel) {
  return absl::StrCat("https://tunnel.", environment.region, ".restate.cloud:9080/", std::string(ShortId(environment)),
                      "/", std::string(tunnel), "/");
}

// What is before the first slash; `text` loses it, and the slash.
std::string_view TakeSegment(std::string_view& text) {
  const auto slash = std::min(text.find('/'), text.size());
  const std::string_view segment = text.substr(0, slash);
  text.remove_prefix(std::min(slash + 1, text.size()));
  return segment;
}

}  // namespace

absl::StatusOr<CloudEnvironment> CheckCloudEnvironment(std::string_view environment_id, std::string_view region,
                                                       std::string_view signing_public_key) {
  if (!environment_id.starts_with(kIdPrefix) || !IsId(environment_id.substr(kIdPrefix.size()))) {
    return Invalid(
        "spec.environmentId: must be env_ and then letters, digits, '-' or '_' (at most 63), as Restate Cloud "
        "shows it");
  }
  CloudEnvironment environment{std::string(environment_id), std::string(region), std::string(signing_public_key)};
  if (!IsRegion(region) || AdminHost(environment).size() > kMaxHost) {
    return Invalid(
        "spec.region: must be labels of lower-case letters, digits and '-', with dots between them, such as us, "
        "eu or abc.byoc");
  }
  const std::string_view key = signing_public_key;
  if (!key.starts_with(kKeyPrefix) || key.size() == kKeyPrefix.size() || key.size() > kMaxSigningKey ||
      !std::all_of(key.begin(), key.end(), IsIdCharacter)) {
    return Invalid(
        "spec.signingPublicKey: must be publickeyv1_ and then letters and digits, as Restate Cloud shows it");
  }
  return environment;
}

Endpoint EndpointOfCloud(const CloudEnvironment& environment, std::string bearer_token) {
  return {.origin = absl::StrCat("https://", AdminHost(environment), ":9070"),
          .prefix = "",
          .bearer_token = std::move(bearer_token)};
}

std::string TunnelUri(const CloudEnvironment& environment, std::string_view tunnel, std::string_view uri) {
  const auto scheme_end = std::min(uri.find("://"), uri.size());
  const std::string_view scheme = uri.substr(0, scheme_end);
  const std::string_view rest = uri.substr(std::min(scheme_end + 3, uri.size()));
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const auto colon = std::min(authority.find(':'), authority.size());
  const std::string_view port =
      colon < authority.size() ? authority.substr(colon + 1) : std::string_view(scheme == "https" ? "443" : "80");
  std::string result = TunnelBase(environment, tunnel);
  result.append(scheme).append("/").append(authority.substr(0, colon)).append("/").append(port);
  return result.append(slash < rest.size() ? rest.substr(slash) : "/");
}

std::optional<std::string> UriBehindTunnel(const CloudEnvironment& environment, std::string_view tunnel,
                                           std::string_view uri) {
  const std::string base = TunnelBase(environment, tunnel);
  if (!uri.starts_with(base)) return std::nullopt;
  std::string_view rest = uri.substr(base.size());
  const auto scheme = TakeSegment(rest), host = TakeSegment(rest), port = TakeSegment(rest);
  std::string result(scheme);
  return result.append("://").append(host).append(":").append(port).append("/").append(rest);
}

absl::StatusOr<std::string> BearerTokenOf(const json::Value& secret, std::string_view name, std::string_view key) {
  if (IsOfForeignType(secret.StringAt({"type"}))) {
    return InvalidToken(name, key,
                        absl::StrCat("is in a Secret of type ", std::string(secret.StringAt({"type"})),
                                     ", which never holds a token of Restate Cloud"));
  }
  const json::Value* data = secret.FindPath({"data", key});
  if (!data || !data->is_string()) {
    return MakeError(Reason::kSecretKeyNotFound,
                     absl::StrCat("Secret ", std::string(name), " has no key ", std::string(key),
                                  ": add it, with the environment's API key"));
  }
  std::string bytes;
  const std::string& encoded = *data->get<std::string>();
  if (!absl::Base64Unescape(encoded, &bytes)) return InvalidToken(name, key, "is not base64");
  std::string token(absl::StripAsciiWhitespace(bytes));
  if (token.empty()) return InvalidToken(name, key, "is empty");
  if (token.size() > kMaxBearerToken)
    return InvalidToken(name, key, absl::StrCat("is longer than ", kMaxBearerToken, " bytes"));
  // RFC 6750, section 2.1, has fewer still; a line break would begin a header of its own.
  if (!std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; })) {
    return InvalidToken(name, key, "holds a byte that no token has (a space, a line break, or none of ASCII)");
  }
  return token;
}

}  // namespace restate::admin
