// Restate Cloud: where an environment's admin API is, how Restate reaches services here through a tunnel, and what a
// RestateCloudEnvironment must say for either.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "restate/admin/endpoint.h"
#include "restate/json/value.h"

namespace restate::admin {

// The most bytes of a bearer token. Servers refuse header lines of 8 KiB and more; tokens have some hundred bytes.
inline constexpr std::size_t kMaxBearerToken = 7 * 1024;

// One environment, with checked members: they go into host names and paths.
struct CloudEnvironment {
  std::string id;           // "env_..."
  std::string region;       // "us", "abc.byoc"
  std::string signing_key;  // "publickeyv1_..."

  friend bool operator==(const CloudEnvironment&, const CloudEnvironment&) = default;
};

// Error (kInvalidRestateConfig): the first of spec.environmentId, spec.region and spec.signingPublicKey with a mistake,
// named, with the cure.
absl::StatusOr<CloudEnvironment> CheckCloudEnvironment(std::string_view environment_id, std::string_view region,
                                                       std::string_view signing_public_key);

// https://<id without env_>.env.<region>.restate.cloud:9070, with the token that goes there and nowhere else.
Endpoint EndpointOfCloud(const CloudEnvironment& environment, std::string bearer_token);

// The URI under which the environment reaches `uri` ("http://host[:port][/path]") through a tunnel:
// https://tunnel.<region>.restate.cloud:9080/<id without env_>/<tunnel>/<scheme>/<host>/<port>/<path>. `tunnel` is the
// uid of the RestateCloudEnvironment, or the name of a tunnel that a service opens itself. Pure.
std::string TunnelUri(const CloudEnvironment& environment, std::string_view tunnel, std::string_view uri);

// The way back: what such a URI leads to; nullopt: it does not go through that tunnel. Pure.
std::optional<std::string> UriBehindTunnel(const CloudEnvironment& environment, std::string_view tunnel,
                                           std::string_view uri);

// The token at `key` of a Secret, without white space around it. `name` is the Secret's, for the messages. Errors:
// kSecretKeyNotFound (the Secret has no such key); kInvalidBearerToken (empty, a byte inside that is no visible ASCII
// character, longer than kMaxBearerToken; a Secret of a type that is never a cloud token: Helm's releases and tokens of
// service accounts). No message ever quotes a value.
absl::StatusOr<std::string> BearerTokenOf(const json::Value& secret, std::string_view name, std::string_view key);

}  // namespace restate::admin
