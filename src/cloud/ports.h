// The ports of a tunnel pod. The Service has the same.
#pragma once

#include <string_view>
#include <vector>

#include "restate/cloud/observed.h"

namespace restate::cloud {

inline constexpr int kHealthPort = 9090;

struct TunnelPort {
  std::string_view name;
  int number = 0;
  bool speaks_http2 = false;  // without TLS
};

// The environment's own API is offered on request only.
inline std::vector<TunnelPort> PortsOf(const Observed& seen) {
  if (!seen.tunnel().remote_proxy.value_or(false)) return {{"health", kHealthPort}};
  return {{"ingress", 8080, true}, {"admin", 9070, true}, {"health", kHealthPort}};
}

}  // namespace restate::cloud
