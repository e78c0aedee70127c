// Which hosts an object may make the operator call.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace restate::admin {

// `host` of a URL in the one spelling it is compared and dialled in: lower case, an IPv4 address in dotted decimal whatever
// way it was written in. Errors are plain InvalidArgument statuses whose message completes "the host ...".
absl::StatusOr<std::string> CanonicalHost(std::string_view host);

// Refuses hosts that cannot be a Restate's admin API but may be something that must not be called: this host and this
// network, link-local and metadata addresses, multicast and reserved ones, the API server's name; loopback unless allowed.
// `host` is canonical. Names are judged by their text: what they resolve to is the dialler's to judge.
absl::Status CheckHost(const std::string& host, bool allow_loopback);

}  // namespace restate::admin
