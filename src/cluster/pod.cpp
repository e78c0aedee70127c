#include "pod.h"

#include <array>

#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

constexpr int kProbeDelaySeconds = 30;

void Append(json::Array& list, const json::Array& more) { list.insert(list.end(), more.begin(), more.end()); }

json::Value StringList(const std::optional<std::vector<std::string>>& list) {
  if (!list) return {};
  return json::Array(list->begin(), list->end());
}

json::Array Volumes(const Observed& seen, const std::array<PodPart, 3>& parts) {
  json::Array volumes = {Obj({{"name", "tmp"}, {"emptyDir", json::Object()}}),
                         Obj({{"name", "config"}, {"configMap", Obj({{"name", ConfigMapName(seen)}})}})};
  for (const PodPart& part : parts) Append(volumes, part.volumes);
  Append(volumes, seen.spec.compute.extra_volumes.value_or(json::Array()));
  return volumes;
}

json::Array Mounts(const Observed& seen, const std::array<PodPart, 3>& parts) {
  json::Array mounts = {Obj({{"name", kStorage}, {"mountPath", "/restate-data"}}),
                        Obj({{"name", "tmp"}, {"mountPath", "/tmp"}}),
                        Obj({{"name", "config"}, {"mountPath", "/config"}, {"readOnly", true}})};
  for (const PodPart& part : parts) Append(mounts, part.mounts);
  Append(mounts, seen.spec.compute.extra_volume_mounts.value_or(json::Array()));
  return mounts;
}

json::Value Server(const Observed& seen, const std::array<PodPart, 3>& parts) {
  const crd::ClusterCompute& compute = seen.spec.compute;
  const auto port = [](std::string_view name, int number) { return Obj({{"name", name}, {"containerPort", number}}); };
  json::Array env = BaseEnvironment(seen);
  for (const PodPart& part : parts) Append(env, part.env);
  json::Value security = NoPrivileges();
  security["readOnlyRootFilesystem"] = true;
  return Obj({{"name", kRestate},
              {"image", compute.image},
              {"imagePullPolicy", compute.image_pull_policy},
              {"command", StringList(compute.command)},
              {"args", StringList(compute.args)},
              {"env", std::move(env)},
              {"ports", Arr({port("ingress", kIngressPort), port("admin", kAdminPort), port("metrics", kNodePort)})},
              {"readinessProbe", Obj({{"httpGet", Obj({{"path", "/health"}, {"port", kAdminPort}})},
                                      {"initialDelaySeconds", kProbeDelaySeconds}})},
              {"lifecycle", compute.lifecycle},
              {"resources", compute.resources},
              {"securityContext", std::move(security)},
              {"volumeMounts", Mounts(seen, parts)}});
}

// Ours first: what they prepare, sidecars may already use.
json::Value InitContainers(const Observed& seen, const std::array<PodPart, 3>& parts) {
  json::Array containers;
  for (const PodPart& part : parts) Append(containers, part.init_containers);
  for (json::Value sidecar : seen.spec.compute.sidecars.value_or(json::Array())) {
    sidecar["restartPolicy"] = "Always";
    containers.push_back(std::move(sidecar));
  }
  return containers.empty() ? json::Value() : json::Value(std::move(containers));
}

// Of the pods of nodes, which have a volume besides.
json::Value NodeSecurity() {
  json::Value security = PodSecurity();
  security["fsGroup"] = 2000;
  security["fsGroupChangePolicy"] = "OnRootMismatch";
  return security;
}

std::array<PodPart, 3> PartsOf(const Observed& seen) {
  return {SigningKeyPart(seen), TrustedCertsPart(seen), CloudIdentityPart(seen)};
}

}  // namespace

json::Value PodSecurity() {
  return Obj({{"runAsNonRoot", true},
              {"runAsUser", 1000},
              {"runAsGroup", 3000},
              {"seccompProfile", Obj({{"type", "RuntimeDefault"}})}});
}

json::Value NoPrivileges() {
  return Obj({{"allowPrivilegeEscalation", false}, {"capabilities", Obj({{"drop", Arr({"ALL"})}})}});
}

StringMap PodAnnotations(const Observed& seen) {
  StringMap annotations;
  for (const PodPart& part : PartsOf(seen)) annotations.insert(part.annotations.begin(), part.annotations.end());
  annotations.merge(CommonAnnotations(seen));
  annotations.merge(seen.spec.compute.annotations.value_or(StringMap()));
  return annotations;
}

json::Value PodTemplateFor(const Observed& seen) {
  const crd::ClusterCompute& compute = seen.spec.compute;
  const std::array<PodPart, 3> parts = PartsOf(seen);
  StringMap labels = CommonLabels(seen);
  labels.merge(compute.labels.value_or(StringMap()));
  const StringMap annotations = PodAnnotations(seen);
  json::Value metadata = Obj({{"labels", json::FromMap(labels)}});
  if (!annotations.empty()) metadata["annotations"] = json::FromMap(annotations);
  return Obj(
      {{"metadata", std::move(metadata)},
       {"spec", Obj({{"serviceAccountName", kRestate},
                     {"automountServiceAccountToken", false},
                     {"securityContext", NodeSecurity()},
                     {"initContainers", InitContainers(seen, parts)},
                     {"containers", Arr({Server(seen, parts)})},
                     {"volumes", Volumes(seen, parts)},
                     {"imagePullSecrets", compute.image_pull_secrets},
                     {"terminationGracePeriodSeconds",
                      compute.termination_grace_period_seconds.value_or(crd::kDefaultTerminationGraceSeconds)},
                     {"dnsPolicy", compute.dns_policy},
                     {"dnsConfig", compute.dns_config},
                     {"tolerations", compute.tolerations},
                     {"nodeSelector", compute.node_selector ? json::FromMap(*compute.node_selector) : json::Value()},
                     {"affinity", compute.affinity},
                     {"topologySpreadConstraints", compute.topology_spread_constraints},
                     {"priorityClassName", compute.priority_class_name}})}});
}

}  // namespace restate::cluster
