#include "restate/deployment/objects.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "restate/deployment/labels.h"
#include "restate/plan/metadata.h"

namespace restate::deployment {
namespace {

constexpr int kServicePort = 9080;  // where the SDKs listen by default

// The port the SDK endpoint listens on: the one named restate, else the first that is declared.
std::int64_t TargetPort(const json::Value& pod_spec) {
  std::int64_t first = 0;
  const json::Value* containers = pod_spec.Find("containers");
  if (!containers || !containers->array()) return kServicePort;
  for (const json::Value& container : *containers->array()) {
    const json::Value* ports = container.Find("ports");
    if (!ports || !ports->array()) continue;
    for (const json::Value& port : *ports->array()) {
      const std::int64_t number = port.IntAt({"containerPort"});
      if (port.StringAt({"name"}) == "restate" && number > 0) return number;
      if (first == 0) first = number;
    }
  }
  return first > 0 ? first : kServicePort;
}

json::Value Identity(const Version& version) {
  return json::Obj({{"name", version.name()}, {"namespace", version.object->key().ns}, {"uid", version.object->uid()}});
}

// Annotation keys that an entry of managedFields says one of our managers wrote as copies.
void CollectCopied(const json::Value& entry, std::set<std::string>* keys) {
  const std::string_view manager = entry.StringAt({"manager"});
  if (manager != kManager && manager != kPropagateAnnotations) return;
  const json::Value* fields = entry.FindPath({"fieldsV1", "f:metadata", "f:annotations"});
  if (!fields || !fields->object()) return;
  for (const auto& [field, unused] : *fields->object()) {
    if (field.rfind("f:", 0) == 0 && field.rfind("f:restate.dev/", 0) != 0) keys->insert(field.substr(2));
  }
}

// Copied annotations that the object no longer has. They are removed by a patch of their own: what a POST wrote, no
// later apply prunes (client-rules A3).
std::optional<plan::Patch> RemoveStaleAnnotations(const Version& version, const StringMap& wanted) {
  std::set<std::string> copied;
  if (const json::Value* entries = version.body.FindPath({"metadata", "managedFields"}); entries && entries->array()) {
    for (const json::Value& entry : *entries->array()) CollectCopied(entry, &copied);
  }
  json::Array operations;
  for (const std::string& key : copied) {
    if (wanted.contains(key) || !version.HasAnnotation(key)) continue;
    const std::string path =
        absl::StrCat("/metadata/annotations/", absl::StrReplaceAll(key, {{"~", "~0"}, {"/", "~1"}}));
    operations.push_back(json::Obj({{"op", "test"}, {"path", path}, {"value", version.Annotation(key)}}));
    operations.push_back(json::Obj({{"op", "remove"}, {"path", path}}));
  }
  if (operations.empty()) return std::nullopt;
  return plan::Patch{kube::kReplicaSets, version.object->key(), std::move(operations),
                     std::string(kPropagateAnnotations)};
}

bool CarriesAll(const Version& version, const StringMap& annotations) {
  for (const auto& [key, value] : annotations) {
    if (!version.HasAnnotation(key) || version.Annotation(key) != value) return false;
  }
  return true;
}

}  // namespace

json::Value ReplicaSetFor(const Observed& seen) {
  StringMap annotations = PropagatedAnnotations(seen);
  annotations[std::string(kPodTemplateAnnotation)] = seen.template_text;
  json::Value pod_spec = seen.spec.pod_template.spec;
  if (TunnelsInProcess(seen.spec) && seen.environment()) {
    annotations[std::string(kTunnelNameAnnotation)] = seen.name;
    // The spec was checked: this cannot fail.
    if (auto with = WithTunnel(pod_spec, seen.name, *seen.environment()); with.ok()) pod_spec = *std::move(with);
  }
  const auto& metadata = seen.spec.pod_template.metadata;
  json::Value pod_metadata = json::Obj({{"labels", json::FromMap(PodLabels(seen))}});
  if (metadata && metadata->annotations) pod_metadata["annotations"] = json::FromMap(*metadata->annotations);
  return json::Obj(
      {{"apiVersion", kube::kReplicaSets.ApiVersion()},
       {"kind", kube::kReplicaSets.kind},
       {"metadata",
        json::Obj({{"name", seen.name},
                   {"namespace", seen.object->key().ns},
                   {"labels", json::FromMap(ReplicaSetLabels(seen))},
                   {"annotations", json::FromMap(annotations)},
                   {"ownerReferences", json::Arr({plan::ControllerReference(kRestateDeployments, *seen.object)})}})},
       {"spec", json::Obj({{"replicas", seen.spec.replicas},
                           {"minReadySeconds", seen.spec.min_ready_seconds},
                           {"selector", VersionSelector(seen)},
                           {"template", json::Obj({{"metadata", pod_metadata}, {"spec", std::move(pod_spec)}})}})}});
}

std::vector<plan::Step> UpdatesOf(const Observed& seen, const Version& current) {
  std::vector<plan::Step> steps;
  if (current.replicas() != seen.spec.replicas) steps.push_back(Scale(current, seen.spec.replicas, kPropagateReplicas));
  StringMap wanted = PropagatedAnnotations(seen);
  if (std::string tunnel = current.tunnel(); !tunnel.empty()) {
    wanted[std::string(kTunnelNameAnnotation)] = std::move(tunnel);
  }
  // In this order: the apply prunes what it owns, and a patch that comes after it would miss that.
  if (auto removal = RemoveStaleAnnotations(current, wanted)) steps.push_back(*std::move(removal));
  if (!CarriesAll(current, wanted)) steps.push_back(Annotate(current, json::FromMap(wanted), kPropagateAnnotations));
  return steps;
}

json::Value ServiceFor(const Observed& seen, const Version& version) {
  StringMap selector = json::ToMap(seen.spec.selector ? seen.spec.selector->Find("matchLabels") : nullptr);
  selector[std::string(kHashLabel)] = seen.hash;
  return json::Obj(
      {{"apiVersion", kube::kServices.ApiVersion()},
       {"kind", kube::kServices.kind},
       {"metadata",
        json::Obj({{"name", version.name()},
                   {"namespace", version.object->key().ns},
                   // Of the one we looked at: another that took its name meanwhile is not overwritten.
                   {"uid", version.front ? json::Value(version.front->uid()) : json::Value()},
                   {"labels", json::FromMap(ServiceLabels(seen))},
                   {"annotations", json::FromMap(PropagatedAnnotations(seen))},
                   {"ownerReferences", json::Arr({plan::ControllerReference(kube::kReplicaSets, *version.object)})}})},
       {"spec",
        json::Obj({{"type", "ClusterIP"},
                   {"selector", json::FromMap(selector)},
                   {"ports", json::Arr({json::Obj({{"name", "restate"},
                                                   {"port", kServicePort},
                                                   {"protocol", "TCP"},
                                                   {"targetPort", TargetPort(seen.spec.pod_template.spec)}})})}})}});
}

json::Value AutoscalerFor(const Observed& seen, const Version& version) {
  json::Value spec = *seen.spec.autoscaling;
  spec["scaleTargetRef"] = json::Obj(
      {{"apiVersion", kube::kReplicaSets.ApiVersion()}, {"kind", kube::kReplicaSets.kind}, {"name", version.name()}});
  // Pods with work are never scaled away; there is nobody to bring them back either.
  if (const json::Value* least = spec.Find("minReplicas"); least && least->get<std::int64_t>()) {
    spec["minReplicas"] = std::max<std::int64_t>(1, *least->get<std::int64_t>());
  }
  return json::Obj(
      {{"apiVersion", kube::kAutoscalers.ApiVersion()},
       {"kind", kube::kAutoscalers.kind},
       {"metadata",
        json::Obj({{"name", version.name()},
                   {"namespace", version.object->key().ns},
                   {"uid", version.autoscaler ? json::Value(version.autoscaler->uid()) : json::Value()},
                   {"labels", json::Obj({{kManagedByLabel, kManager}, {kOwnedByLabel, seen.object->key().name}})},
                   {"ownerReferences", json::Arr({plan::ControllerReference(kRestateDeployments, *seen.object)})}})},
       {"spec", std::move(spec)}});
}

std::string TimeText(absl::Time at) { return absl::FormatTime("%Y-%m-%d%ET%H:%M:%S+00:00", at, absl::UTCTimeZone()); }

plan::Apply Record(const Version& version, std::string_view deployment_id, absl::Time now) {
  if (!version.is_knative()) {
    return Annotate(version, json::Obj({{kDeploymentIdAnnotation, deployment_id}}), kRecordId);
  }
  return Annotate(version,
                  json::Obj({{kDeploymentIdAnnotation, deployment_id}, {kRegisteredAtAnnotation, TimeText(now)}}),
                  kRecordOnConfiguration);
}

plan::Apply RecordOnService(const Version& version) {
  return plan::ApplyAnnotations(kube::kServices, version.front,
                                json::Obj({{kDeploymentIdAnnotation, version.deployment_id}}), kRecordId);
}

plan::Apply Scale(const Version& version, std::int64_t replicas, std::string_view manager) {
  return {kube::kReplicaSets,
          json::Obj({{"apiVersion", "autoscaling/v1"},
                     {"kind", "Scale"},
                     {"metadata", Identity(version)},
                     {"spec", json::Obj({{"replicas", replicas}})}}),
          std::string(manager), "scale", version.object};
}

plan::Apply Annotate(const Version& version, json::Value annotations, std::string_view manager) {
  return plan::ApplyAnnotations(version.resource, version.object, std::move(annotations), manager);
}

}  // namespace restate::deployment
