// Tunnels that the SDK opens inside the pods.
#include <array>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/deployment/cloud.h"

namespace restate::deployment {
namespace {

// What the SDK reads, in the order in which the reference sets it.
constexpr std::string_view kTunnelName = "RESTATE_INPROC_TUNNEL_NAME";
constexpr std::string_view kEnvironmentId = "RESTATE_INPROC_ENVIRONMENT_ID";
constexpr std::string_view kRegion = "RESTATE_INPROC_CLOUD_REGION";
constexpr std::string_view kSigningKey = "RESTATE_INPROC_SIGNING_PUBLIC_KEY";
constexpr std::array kVariables = {kTunnelName, kEnvironmentId, kRegion, kSigningKey};

absl::Status Invalid(std::string_view path, std::string_view problem) {
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("spec.template.spec.", std::string(path), ": ", std::string(problem)));
}

absl::Status CheckEnv(const json::Value& container, const std::string& path) {
  const json::Value* env = container.Find("env");
  if (!env || env->is_null()) return absl::OkStatus();
  if (!env->array()) return Invalid(absl::StrCat(path, ".env"), "must be a list");
  for (std::size_t i = 0; i < env->array()->size(); ++i) {
    const std::string_view name = (*env->array())[i].StringAt({"name"});
    if (std::find(kVariables.begin(), kVariables.end(), name) == kVariables.end()) continue;
    return Invalid(absl::StrCat(path, ".env[", i, "].name"),
                   absl::StrCat(std::string(name), " is set by the operator in tunnelMode in-process; remove it"));
  }
  return absl::OkStatus();
}

}  // namespace

bool TunnelsInProcess(const crd::RestateDeploymentSpec& spec) {
  return spec.restate.tunnel_mode == crd::TunnelMode::kInProcess;
}

absl::StatusOr<json::Value> WithTunnel(const json::Value& pod_spec, std::string_view tunnel,
                                       const admin::CloudEnvironment& environment) {
  const std::array<std::string_view, 4> values = {tunnel, environment.id, environment.region, environment.signing_key};
  json::Value result = pod_spec;
  for (const std::string_view list : {"containers", "initContainers"}) {
    if (!result.Find(list)) continue;
    json::Array* containers = result[list].array();
    if (!containers) return Invalid(list, "must be a list");
    for (std::size_t i = 0; i < containers->size(); ++i) {
      json::Value& container = (*containers)[i];
      const std::string path = absl::StrCat(std::string(list), "[", i, "]");
      if (!container.is_object()) return Invalid(path, "must be an object");
      RETURN_IF_ERROR(CheckEnv(container, path));
      json::Value& env = container["env"];
      if (!env.array()) env = json::Array();
      for (std::size_t v = 0; v < kVariables.size(); ++v) {
        env.array()->push_back(json::Obj({{"name", kVariables[v]}, {"value", values[v]}}));
      }
    }
  }
  return result;
}

std::string_view TunnelOf(const json::Value& pod_spec) {
  const json::Value* containers = pod_spec.Find("containers");
  if (!containers || !containers->array() || containers->array()->empty()) return {};
  const json::Value* env = containers->array()->front().Find("env");
  if (!env || !env->array()) return {};
  for (const json::Value& variable : *env->array()) {
    if (variable.StringAt({"name"}) == kTunnelName) return variable.StringAt({"value"});
  }
  return {};
}

}  // namespace restate::deployment
