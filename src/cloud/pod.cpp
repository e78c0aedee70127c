#include "ports.h"
#include "restate/cloud/objects.h"

namespace restate::cloud {
namespace {

using json::Arr;
using json::Obj;

constexpr std::string_view kToken = "bearer-token";  // the volume, and the file in it
constexpr int kGraceSeconds = 310;                   // streams through the tunnel may last five minutes

json::Value DefaultResources() {
  return Obj(
      {{"requests", Obj({{"cpu", "1"}, {"memory", "1Gi"}})}, {"limits", Obj({{"cpu", "2"}, {"memory", "2Gi"}})}});
}

json::Value Client(const Observed& seen) {
  const crd::TunnelSpec& tunnel = seen.tunnel();
  json::Array ports;
  for (const TunnelPort& port : PortsOf(seen)) {
    ports.push_back(Obj({{"name", port.name}, {"containerPort", port.number}}));
  }
  return Obj(
      {{"name", kTunnelClient},
       {"image", tunnel.image.value_or(seen.config.tunnel_image)},
       {"imagePullPolicy", tunnel.image_pull_policy},
       {"env", EnvironmentFor(seen)},
       {"ports", std::move(ports)},
       {"readinessProbe", Obj({{"httpGet", Obj({{"path", "/health"}, {"port", kHealthPort}})}})},
       {"resources", tunnel.resources.value_or(DefaultResources())},
       {"securityContext", Obj({{"readOnlyRootFilesystem", true},
                                {"allowPrivilegeEscalation", false},
                                {"capabilities", Obj({{"drop", Arr({"ALL"})}})}})},
       {"volumeMounts",
        Arr({Obj(
            {{"name", kToken}, {"mountPath", "/restate-bearer-token"}, {"subPath", kToken}, {"readOnly", true}})})}});
}

json::Value TokenVolume(const Observed& seen) {
  const crd::TokenSecret& secret = seen.spec.authentication.secret;
  return Obj(
      {{"name", kToken},
       {"secret", Obj({{"secretName", secret.name}, {"items", Arr({Obj({{"key", secret.key}, {"path", kToken}})})}})}});
}

// The Pod Security Standard `restricted`.
json::Value Security() {
  return Obj({{"runAsNonRoot", true},
              {"runAsUser", 1000},
              {"runAsGroup", 3000},
              {"fsGroup", 2000},
              {"fsGroupChangePolicy", "OnRootMismatch"},
              {"seccompProfile", Obj({{"type", "RuntimeDefault"}})}});
}

}  // namespace

json::Value PodTemplateFor(const Observed& seen) {
  const crd::TunnelSpec& tunnel = seen.tunnel();
  const StringMap annotations = CommonAnnotations(seen);
  json::Value metadata = Obj({{"labels", json::FromMap(CommonLabels(seen))}});
  if (!annotations.empty()) metadata["annotations"] = json::FromMap(annotations);
  return Obj(
      {{"metadata", std::move(metadata)},
       {"spec", Obj({{"automountServiceAccountToken", false},
                     {"securityContext", Security()},
                     {"containers", Arr({Client(seen)})},
                     {"volumes", Arr({TokenVolume(seen)})},
                     {"terminationGracePeriodSeconds", kGraceSeconds},
                     {"dnsPolicy", tunnel.dns_policy},
                     {"dnsConfig", tunnel.dns_config},
                     {"tolerations", tunnel.tolerations},
                     {"nodeSelector", tunnel.node_selector ? json::FromMap(*tunnel.node_selector) : json::Value()},
                     {"affinity", tunnel.affinity}})}});
}

}  // namespace restate::cloud
