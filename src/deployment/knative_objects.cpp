#include <algorithm>

#include "restate/deployment/knative.h"
#include "restate/deployment/labels.h"
#include "restate/plan/metadata.h"

namespace restate::deployment {
namespace {

constexpr std::string_view kMinScale = "autoscaling.knative.dev/min-scale";
constexpr std::string_view kMaxScale = "autoscaling.knative.dev/max-scale";
constexpr std::string_view kTarget = "autoscaling.knative.dev/target";
constexpr std::string_view kInitialScale = "autoscaling.knative.dev/initial-scale";
constexpr std::string_view kVisibility = "networking.knative.dev/visibility";
// Knative refuses this one on a Configuration; on the Route it spreads a change over time.
constexpr std::string_view kRolloutDuration = "serving.knative.dev/rollout-duration";

json::Value Metadata(const Observed& seen, const kube::ObjectPtr& live, const StringMap& labels,
                     const StringMap& annotations, json::Value owner) {
  return json::Obj({{"name", seen.name},
                    {"namespace", seen.object->key().ns},
                    // Of the one we looked at: another that took its name meanwhile is not overwritten.
                    {"uid", live ? json::Value(live->uid()) : json::Value()},
                    {"labels", json::FromMap(labels)},
                    {"annotations", json::FromMap(annotations)},
                    {"ownerReferences", json::Arr({std::move(owner)})}});
}

// What the user says about scaling in the template itself wins over spec.knative.
StringMap TemplateAnnotations(const Observed& seen) {
  StringMap annotations;
  const auto& metadata = seen.spec.pod_template.metadata;
  if (metadata && metadata->annotations) annotations = *metadata->annotations;
  const crd::KnativeSpec knative = seen.spec.knative.value_or(crd::KnativeSpec{});
  annotations.emplace(kMinScale, std::to_string(knative.min_scale.value_or(0)));
  if (knative.max_scale) annotations.emplace(kMaxScale, std::to_string(*knative.max_scale));
  if (knative.target) annotations.emplace(kTarget, std::to_string(*knative.target));
  annotations[std::string(kDeploymentAnnotation)] = seen.object->key().name;
  return annotations;
}

}  // namespace

json::Value ConfigurationFor(const Observed& seen) {
  StringMap annotations = PropagatedAnnotations(seen);
  annotations.erase(std::string(kRolloutDuration));
  annotations[std::string(kDeploymentAnnotation)] = seen.object->key().name;
  annotations[std::string(kTagAnnotation)] = seen.tag;
  if (!seen.tagged()) annotations[std::string(kPodTemplateAnnotation)] = seen.template_text;
  StringMap pod_labels = TemplateLabels(seen);
  pod_labels[std::string(kManagedByLabel)] = kManager;
  const Version* current = seen.Current();
  return json::Obj(
      {{"apiVersion", kConfigurations.ApiVersion()},
       {"kind", kConfigurations.kind},
       {"metadata", Metadata(seen, current ? current->object : nullptr, PropagatedLabels(seen), annotations,
                             plan::ControllerReference(kRestateDeployments, *seen.object))},
       {"spec",
        json::Obj({{"template",
                    json::Obj({{"metadata", json::Obj({{"labels", json::FromMap(pod_labels)},
                                                       {"annotations", json::FromMap(TemplateAnnotations(seen))}})},
                               {"spec", seen.spec.pod_template.spec}})}})}});
}

json::Value RouteFor(const Observed& seen, const Version& version) {
  StringMap labels = PropagatedLabels(seen);
  labels[std::string(kVisibility)] = "cluster-local";  // Restate calls from within; nobody else should
  StringMap annotations = PropagatedAnnotations(seen);
  annotations[std::string(kDeploymentAnnotation)] = seen.object->key().name;
  return json::Obj({{"apiVersion", kRoutes.ApiVersion()},
                    {"kind", kRoutes.kind},
                    {"metadata", Metadata(seen, version.front, labels, annotations,
                                          plan::ControllerReference(kConfigurations, *version.object))},
                    {"spec", json::Obj({{"traffic", json::Arr({json::Obj({{"configurationName", version.name()},
                                                                          {"latestRevision", true},
                                                                          {"percent", 100}})})}})}});
}

std::string UrlOfRoute(const Version& version) {
  if (!version.front) return "";
  std::string url(version.front->Body().StringAt({"status", "url"}));
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::int64_t DesiredReplicas(const Version& version) {
  if (!version.revision) return 0;
  const json::Value revision = version.revision->Body();
  if (const json::Value* desired = revision.FindPath({"status", "desiredReplicas"})) {
    if (const auto* number = desired->get<std::int64_t>()) return *number;
  }
  const std::string_view initial = revision.StringAt({"metadata", "annotations", kInitialScale});
  const bool is_number = !initial.empty() && initial.size() < 6 &&
                         std::all_of(initial.begin(), initial.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? std::stoi(std::string(initial)) : 1;
}

}  // namespace restate::deployment
