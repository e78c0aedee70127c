// Endpoint: where the admin API of one Restate is.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace restate::admin {

struct Endpoint {
  std::string origin;  // "http://host:port", lower case, the port always written
  std::string prefix;  // path put before every admin path: "" or "/a/b", no slash at the end
  // Goes with every call, and is shown nowhere. Only EndpointOfCloud sets it, for an https origin.
  std::string bearer_token = {};

  // For people: without the token.
  std::string ToString() const { return origin + prefix; }
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// spec.restate.register.url. Error (kInvalidRestateConfig, names the field): not an absolute http or https URL with a host;
// user info, query or fragment; a port outside 1..65535; an IPv6 literal (cpprestsdk cannot dial one); an address that no
// admin API has: 0.0.0.0/8, link-local and metadata addresses in any spelling, multicast; loopback unless `allow_loopback`
// (a host process may, a pod may not). Default ports 80 and 443.
absl::StatusOr<Endpoint> EndpointOfUrl(std::string_view url, bool allow_loopback);

// spec.restate.register.service: http://<name>.<namespace>.svc.<cluster_dns>:<port, 9070>/<path>. Name and namespace must be
// DNS labels; the path is joined, never replaces anything; dot segments, `?` and `#` are errors (kInvalidRestateConfig).
absl::StatusOr<Endpoint> EndpointOfService(std::string_view name, std::string_view ns, std::optional<std::int32_t> port,
                                           std::optional<std::string_view> path, std::string_view cluster_dns);

// spec.restate.register.cluster: where a RestateCluster of that name serves the admin API: its Service `restate` in the
// namespace that is called like it. The name must be a DNS label.
absl::StatusOr<Endpoint> EndpointOfCluster(std::string_view cluster, std::string_view cluster_dns);

}  // namespace restate::admin
