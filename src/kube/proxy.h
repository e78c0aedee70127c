// Which proxy the environment asks for.
#pragma once

#include <string>
#include <string_view>

#include "restate/kube/credentials.h"

namespace restate::kube {

// The proxy for `url` by HTTPS_PROXY (HTTP_PROXY for http) and NO_PROXY, or their lower-case forms; empty: direct.
// NO_PROXY is a list of host names (each with its subdomains), addresses, IPv4 networks as 10.0.0.0/8, or "*". Loopback
// addresses are always reached directly.
std::string ProxyFor(std::string_view url, const Environment& environment);

}  // namespace restate::kube
