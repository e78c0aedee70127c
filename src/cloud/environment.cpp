// The environment of the tunnel client.
#include <array>
#include <set>
#include <utility>

#include "restate/cloud/objects.h"

namespace restate::cloud {

json::Array EnvironmentFor(const Observed& seen) {
  const std::vector<json::Value> own = seen.tunnel().env.value_or(std::vector<json::Value>());
  std::set<std::string_view> taken;
  for (const json::Value& variable : own) taken.insert(variable.StringAt({"name"}));
  const std::array<std::pair<std::string_view, std::string_view>, 9> defaults{{
      {"RESTATE_TUNNEL_NAME", seen.object->uid()},
      {"RESTATE_SIGNING_PUBLIC_KEY", seen.spec.signing_public_key},
      {"RESTATE_ENVIRONMENT_ID", seen.spec.environment_id},
      {"RESTATE_CLOUD_REGION", seen.spec.region},
      {"RESTATE_BEARER_TOKEN_FILE", "/restate-bearer-token"},
      {"RESTATE_REMOTE_PROXY", seen.tunnel().remote_proxy.value_or(false) ? "true" : "false"},
      {"RUST_BACKTRACE", "1"},
      {"RUST_LIB_BACKTRACE", "0"},
      {"RUST_LOG", "info"},
  }};
  json::Array env;
  for (const auto& [name, value] : defaults) {
    if (!taken.contains(name)) env.push_back(json::Obj({{"name", name}, {"value", value}}));
  }
  env.insert(env.end(), own.begin(), own.end());
  return env;
}

}  // namespace restate::cloud
