#include "restate/cloud/triggers.h"

#include "restate/cloud/observed.h"

namespace restate::cloud {
namespace {

std::optional<kube::Key> KeyOfTunnel(std::string_view tunnel) {
  if (!tunnel.starts_with(kTunnelPrefix) || tunnel.size() == kTunnelPrefix.size()) return std::nullopt;
  return kube::Key{"", std::string(tunnel.substr(kTunnelPrefix.size()))};
}

std::string InstanceOf(const kube::ObjectPtr& object) {
  return object ? std::string(object->Body().StringAt({"metadata", "labels", kInstanceLabel})) : std::string();
}

}  // namespace

std::optional<kube::Key> KeyOfTunnelChange(const runtime::Change& change) {
  return KeyOfTunnel((change.after ? change.after : change.before)->key().name);
}

std::optional<kube::Key> KeyOfPodChange(const runtime::Change& change) {
  std::string tunnel = InstanceOf(change.after);
  if (tunnel.empty()) tunnel = InstanceOf(change.before);
  return KeyOfTunnel(tunnel);
}

std::vector<kube::Key> KeysOfSecretChange(const runtime::Change& change, const runtime::Cache& cache) {
  const kube::Key& secret = (change.after ? change.after : change.before)->key();
  std::vector<kube::Key> keys;
  for (const auto& environment : cache.List(kRestateCloudEnvironments)) {
    if (environment->Body().StringAt({"spec", "authentication", "secret", "name"}) != secret.name) continue;
    keys.push_back(environment->key());
  }
  return keys;
}

}  // namespace restate::cloud
