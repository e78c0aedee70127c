#include "list_keys.h"

#include <array>

namespace restate::kube {
namespace {

struct Row {
  std::string_view field, key, second_key;
};
// x-kubernetes-list-map-keys of the published OpenAPI of Kubernetes 1.34, for the kinds that are applied here.
constexpr std::array kRows{
    Row{"conditions", "type", ""},
    Row{"containers", "name", ""},
    Row{"initContainers", "name", ""},
    Row{"ephemeralContainers", "name", ""},
    Row{"env", "name", ""},
    Row{"hostAliases", "ip", ""},
    Row{"imagePullSecrets", "name", ""},
    Row{"ownerReferences", "uid", ""},
    Row{"resourceClaims", "name", ""},
    Row{"topologySpreadConstraints", "topologyKey", "whenUnsatisfiable"},
    Row{"volumeDevices", "devicePath", ""},
    Row{"volumeMounts", "mountPath", ""},
    Row{"volumes", "name", ""},
};

}  // namespace

std::optional<ListKeys> KeysOfField(std::string_view field, const json::Value& sample_item) {
  // A container's and a Service's ports; a NetworkPolicy's are part of its atomic rules, whose items look like the
  // latter.
  if (field == "ports" && sample_item.Find("containerPort") != nullptr) return ListKeys{"containerPort", "protocol"};
  for (const Row& row : kRows) {
    if (field != row.field) continue;
    ListKeys keys{std::string(row.key)};
    if (!row.second_key.empty()) keys.emplace_back(row.second_key);
    return keys;
  }
  return std::nullopt;
}

std::optional<json::Value> KeyValues(const json::Value& item, const ListKeys& keys) {
  json::Value values = json::Object();
  for (const std::string& key : keys) {
    const json::Value* value = item.Find(key);
    if (value != nullptr && !value->is_null()) {
      values[key] = *value;
    } else if (key == "protocol") {
      values[key] = "TCP";  // the only key with a default
    } else {
      return std::nullopt;
    }
  }
  return values;
}

}  // namespace restate::kube
