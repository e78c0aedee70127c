// The environment of restate-server.
#include <array>
#include <set>

#include "absl/strings/str_cat.h"
#include "pod.h"

namespace restate::cluster {
namespace {

json::Value Variable(std::string_view name, std::string_view value) {
  return json::Obj({{"name", name}, {"value", value}});
}

json::Value PodField(std::string_view name, std::string_view path) {
  return json::Obj({{"name", name}, {"valueFrom", json::Obj({{"fieldRef", json::Obj({{"fieldPath", path}})}})}});
}

}  // namespace

json::Array BaseEnvironment(const Observed& seen) {
  json::Array env = {PodField("POD_NAME", "metadata.name"),
                     PodField("POD_ZONE", "metadata.labels['topology.kubernetes.io/zone']"),
                     PodField("POD_REGION", "metadata.labels['topology.kubernetes.io/region']")};
  const std::vector<json::Value> own = seen.spec.compute.env.value_or(std::vector<json::Value>());
  std::set<std::string_view> taken;
  for (const json::Value& variable : own) taken.insert(variable.StringAt({"name"}));
  const std::string address = absl::StrCat("http://$(POD_NAME).", std::string(kNodeService), ":", kNodePort);
  const std::array<std::pair<std::string_view, std::string_view>, 8> defaults{{
      {"RESTATE_LOG_FORMAT", "json"},
      {"RESTATE_CLUSTER_NAME", seen.spec.cluster_name ? std::string_view(*seen.spec.cluster_name) : seen.name()},
      {"RESTATE_BASE_DIR", "/restate-data"},
      {"RUST_BACKTRACE", "1"},
      {"RUST_LIB_BACKTRACE", "0"},
      {"RESTATE_CONFIG", "/config/config.toml"},
      {"RESTATE_ADVERTISED_ADDRESS", address},
      {"RESTATE_NODE_NAME", "$(POD_NAME)"},
  }};
  for (const auto& [name, value] : defaults) {
    if (!taken.contains(name)) env.push_back(Variable(name, value));
  }
  env.insert(env.end(), own.begin(), own.end());
  return env;
}

}  // namespace restate::cluster
