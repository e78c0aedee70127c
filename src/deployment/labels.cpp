#include "restate/deployment/labels.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace restate::deployment {
namespace {

// Copied, they would mean something else on the copy: kubectl's memory, and our own notes about one version.
constexpr std::array<std::string_view, 9> kNotPropagated = {
    "kubectl.kubernetes.io/last-applied-configuration",
    kTunnelNameAnnotation,
    kRemoveVersionAtAnnotation,
    kDeploymentIdAnnotation,
    kPodTemplateAnnotation,
    kReconcileAnnotation,
    kRegisteredAtAnnotation,
    kDeploymentAnnotation,
    kTagAnnotation,
};

std::string ExpressionText(const json::Value& expression) {
  const std::string key(expression.StringAt({"key"}));
  const std::string_view op = expression.StringAt({"operator"});
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  std::vector<std::string> values;
  if (const json::Value* list = expression.Find("values"); list && list->array()) {
    for (const json::Value& value : *list->array()) {
      if (const auto* text = value.get<std::string>()) values.push_back(*text);
    }
  }
  std::sort(values.begin(), values.end());
  return absl::StrCat(key, op == "NotIn" ? " notin (" : " in (", absl::StrJoin(values, ","), ")");
}

}  // namespace

StringMap TemplateLabels(const Observed& seen) {
  StringMap labels;
  if (const auto& metadata = seen.spec.pod_template.metadata; metadata && metadata->labels) labels = *metadata->labels;
  // The cluster's network policies let in what carries this.
  if (const auto& cluster = seen.spec.restate.target.cluster) {
    labels[absl::StrCat(std::string(kAllowLabel), *cluster)] = "true";
  }
  return labels;
}

StringMap PodLabels(const Observed& seen) {
  StringMap labels = TemplateLabels(seen);
  labels[std::string(kHashLabel)] = seen.hash;
  return labels;
}

StringMap ReplicaSetLabels(const Observed& seen) {
  StringMap labels = PodLabels(seen);
  labels[std::string(kManagedByLabel)] = kManager;
  labels[std::string(kOwnedByLabel)] = seen.object->key().name;
  return labels;
}

StringMap PropagatedLabels(const Observed& seen) {
  StringMap labels = json::ToMap(seen.body.FindPath({"metadata", "labels"}));
  // `kubectl apply --prune` removes what carries these and is not in its set.
  std::erase_if(labels, [](const auto& label) { return label.first.rfind("applyset.kubernetes.io/", 0) == 0; });
  labels[std::string(kManagedByLabel)] = kManager;
  return labels;
}

StringMap ServiceLabels(const Observed& seen) {
  StringMap labels = PropagatedLabels(seen);
  labels[std::string(kOwnedByLabel)] = seen.object->key().name;
  return labels;
}

StringMap PropagatedAnnotations(const Observed& seen) {
  StringMap annotations = json::ToMap(seen.body.FindPath({"metadata", "annotations"}));
  for (const auto key : kNotPropagated) annotations.erase(std::string(key));
  return annotations;
}

json::Value VersionSelector(const Observed& seen) {
  json::Value selector = seen.spec.selector.value_or(json::Value());
  selector["matchLabels"][kHashLabel] = seen.hash;
  return selector;
}

std::string ManagedSelector() { return absl::StrCat(std::string(kManagedByLabel), "=", std::string(kube::kManager)); }

std::string SelectorText(const json::Value& selector) {
  std::vector<std::string> terms;
  for (const auto& [key, value] : json::ToMap(selector.Find("matchLabels")))
    terms.push_back(absl::StrCat(key, "=", value));
  if (const json::Value* expressions = selector.Find("matchExpressions"); expressions && expressions->array()) {
    for (const json::Value& expression : *expressions->array()) terms.push_back(ExpressionText(expression));
  }
  return absl::StrJoin(terms, ",");
}

}  // namespace restate::deployment
