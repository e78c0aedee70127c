// The built-in kinds: merge keys from Kubernetes' schema, the defaults and the checks that our objects meet.
#include <cstdio>
#include <initializer_list>

#include "restate/json/text.h"
#include "fake/kind.h"

namespace restate::fake {

using json::Obj;
using json::Value;

namespace {

void Default(Value& object, std::string_view name, Value value) {
  const Value* found = object.Find(name);
  if (!found || found->is_null()) object[name] = std::move(value);
}

template <typename Each>
void ForEachItem(Value& object, std::string_view name, const Each& each) {
  if (!object.Find(name)) return;
  if (json::Array* items = object[name].array()) {
    for (Value& item : *items) each(item);
  }
}

Shape CommonShape() {
  Shape shape;
  shape.list_keys["metadata.ownerReferences"] = {"uid"};
  shape.list_keys["metadata.finalizers"] = {};
  return shape;
}

void AddPodSpecShape(Shape& shape, const std::string& spec) {
  for (const std::string containers : {"containers", "initContainers", "ephemeralContainers"}) {
    const std::string path = spec + "." + containers;
    shape.list_keys[path] = {"name"};
    shape.list_keys[path + ".ports"] = {"containerPort", "protocol"};
    shape.list_keys[path + ".env"] = {"name"};
    shape.list_keys[path + ".volumeMounts"] = {"mountPath"};
    shape.list_keys[path + ".volumeDevices"] = {"devicePath"};
    for (const char* ref : {"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"}) {
      shape.atomic_maps.insert(path + ".env.valueFrom." + ref);
    }
  }
  shape.list_keys[spec + ".volumes"] = {"name"};
  shape.list_keys[spec + ".imagePullSecrets"] = {"name"};
  shape.list_keys[spec + ".hostAliases"] = {"ip"};
  shape.list_keys[spec + ".topologySpreadConstraints"] = {"topologyKey", "whenUnsatisfiable"};
  shape.atomic_maps.insert(spec + ".nodeSelector");
  shape.atomic_maps.insert(spec + ".topologySpreadConstraints.labelSelector");
}

void DefaultContainer(Value& container) {
  const auto image = container.StringAt({"image"});
  const auto name = image.substr(image.rfind('/') == std::string_view::npos ? 0 : image.rfind('/'));
  const bool latest = name.find('@') == std::string_view::npos &&
                      (name.find(':') == std::string_view::npos || name.substr(name.find(':')) == ":latest");
  Default(container, "imagePullPolicy", latest ? "Always" : "IfNotPresent");
  Default(container, "terminationMessagePath", "/dev/termination-log");
  Default(container, "terminationMessagePolicy", "File");
  Default(container, "resources", json::Object());
  ForEachItem(container, "ports", [](Value& port) { Default(port, "protocol", "TCP"); });
  for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    if (!container.Find(probe)) continue;
    for (const auto& [key, number] : {std::pair{"timeoutSeconds", 1}, {"periodSeconds", 10}, {"successThreshold", 1},
                                      {"failureThreshold", 3}}) {
      Default(container[probe], key, number);
    }
    if (container[probe].Find("httpGet")) Default(container[probe]["httpGet"], "scheme", "HTTP");
  }
}

Kind ReplicaSets() {
  Kind kind{.group = "apps", .version = "v1", .kind = "ReplicaSet", .plural = "replicasets"};
  kind.status_subresource = kind.scale_subresource = kind.has_generation = kind.built_in = true;
  kind.shape = CommonShape();
  kind.shape.atomic_maps.insert("spec.selector");
  kind.shape.list_keys["status.conditions"] = {"type"};
  AddPodSpecShape(kind.shape, "spec.template.spec");
  kind.defaulter = [](Value& object) {
    Default(object["spec"], "replicas", 1);
    if (object.FindPath({"spec", "template", "spec"})) DefaultPodSpec(object["spec"]["template"]["spec"]);
    Default(object["status"], "replicas", 0);
  };
  kind.validate = [](const Value& object, const Value* before) {
    std::vector<Cause> causes;
    const Value* selector = object.FindPath({"spec", "selector"});
    const Value* containers = object.FindPath({"spec", "template", "spec", "containers"});
    const Value* labels = object.FindPath({"spec", "template", "metadata", "labels"});
    if (!selector) causes.push_back({"FieldValueRequired", "Required value", "spec.selector"});
    bool matches = selector != nullptr;
    for (const auto& [key, value] : json::ToMap(selector ? selector->Find("matchLabels") : nullptr)) {
      matches = matches && labels && labels->StringAt({key}) == value;
    }
    if (!matches) {
      causes.push_back({"FieldValueInvalid", "Invalid value: " + (labels ? json::Dump(*labels) : "null") +
                            ": `selector` does not match template `labels`", "spec.template.metadata.labels"});
    }
    if (!containers) causes.push_back({"FieldValueRequired", "Required value", "spec.template.spec.containers"});
    const Value* old = before ? before->FindPath({"spec", "selector"}) : nullptr;
    if (old && (!selector || !(*old == *selector))) {
      causes.push_back({"FieldValueInvalid",
                        "Invalid value: " + (selector ? json::Dump(*selector) : "null") + ": field is immutable",
                        "spec.selector"});
    }
    return causes;
  };
  return kind;
}

// The same in what a ReplicaSet has as well.
Kind Deployments() {
  Kind kind = ReplicaSets();
  kind.kind = "Deployment";
  kind.plural = "deployments";
  const auto defaults_of_pods = kind.defaulter;
  kind.defaulter = [defaults_of_pods](Value& object) {
    defaults_of_pods(object);
    Default(object["spec"], "progressDeadlineSeconds", 600);
    Default(object["spec"], "revisionHistoryLimit", 10);
    object["status"].Erase("replicas");
  };
  return kind;
}

Kind Secrets() {
  Kind kind{.group = "", .version = "v1", .kind = "Secret", .plural = "secrets"};
  kind.built_in = true;
  kind.shape = CommonShape();
  kind.defaulter = [](Value& object) { Default(object, "type", "Opaque"); };
  return kind;
}

void DefaultService(Value& object) {
  // Unique enough: the address is made of the name's hash.
  const auto hash = std::hash<std::string_view>()(object.StringAt({"metadata", "name"}));
  Value& spec = object["spec"];
  Default(spec, "type", "ClusterIP");
  Default(spec, "sessionAffinity", "None");
  if (spec.StringAt({"type"}) != "ExternalName") {
    Default(spec, "clusterIP", "10.96." + std::to_string(hash % 250) + "." + std::to_string(1 + hash / 250 % 250));
    Default(spec, "clusterIPs", json::Arr({spec["clusterIP"]}));
    Default(spec, "ipFamilies", json::Arr({"IPv4"}));
    Default(spec, "ipFamilyPolicy", "SingleStack");
    Default(spec, "internalTrafficPolicy", "Cluster");
  }
  ForEachItem(spec, "ports", [](Value& port) {
    Default(port, "protocol", "TCP");
    Default(port, "targetPort", port["port"]);
  });
  Default(object["status"], "loadBalancer", json::Object());
}

Kind Services() {
  Kind kind{.group = "", .version = "v1", .kind = "Service", .plural = "services"};
  kind.status_subresource = kind.built_in = true;
  kind.shape = CommonShape();
  kind.shape.list_keys["spec.ports"] = {"port", "protocol"};
  kind.shape.atomic_maps.insert("spec.selector");
  kind.defaulter = DefaultService;
  return kind;
}

Kind Autoscalers() {
  Kind kind{.group = "autoscaling", .version = "v2", .kind = "HorizontalPodAutoscaler",
            .plural = "horizontalpodautoscalers"};
  kind.status_subresource = kind.built_in = true;
  kind.shape = CommonShape();
  kind.shape.list_keys["status.conditions"] = {"type"};
  kind.defaulter = [](Value& object) {
    Default(object["spec"], "minReplicas", 1);
    const auto cpu = Obj({{"name", "cpu"}, {"target", Obj({{"type", "Utilization"}, {"averageUtilization", 80}})}});
    Default(object["spec"], "metrics", json::Arr({Obj({{"type", "Resource"}, {"resource", cpu}})}));
  };
  kind.validate = [](const Value& object, const Value*) {
    std::vector<Cause> causes;
    const auto most = object.IntAt({"spec", "maxReplicas"});
    if (most < 1) {
      causes.push_back({"FieldValueInvalid", "Invalid value: " + std::to_string(most) + ": must be greater than 0",
                        "spec.maxReplicas"});
    } else if (most < object.IntAt({"spec", "minReplicas"})) {
      causes.push_back({"FieldValueInvalid", "Invalid value: " + std::to_string(most) +
                            ": must be greater than or equal to `minReplicas`", "spec.maxReplicas"});
    }
    return causes;
  };
  return kind;
}

std::vector<Cause> CheckEvent(const Value& event, const Value* before) {
  std::vector<Cause> causes;
  const auto invalid = [&](std::string_view field, std::string_view why, std::string_view value = "") {
    causes.push_back({"FieldValueInvalid", "Invalid value: \"" + std::string(value) + "\": " + std::string(why),
                      std::string(field)});
  };
  if (before) {
    // The core names of the fields, as the real server reports them. Only `series` may change.
    for (const auto& [name, shown] : {std::pair{"note", "message"}, {"reason", "reason"}, {"action", "action"},
                                      {"type", "type"}, {"regarding", "involvedObject"}, {"eventTime", "eventTime"},
                                      {"reportingController", "reportingController"},
                                      {"reportingInstance", "reportingInstance"}}) {
      const Value* old = before->Find(name);
      const Value* now = event.Find(name);
      if ((old ? *old : Value()) == (now ? *now : Value())) continue;
      invalid(shown, "field is immutable", event.StringAt({name}));
    }
    return causes;
  }
  if (!event.Find("eventTime")) causes.push_back({"FieldValueRequired", "Required value", "eventTime"});
  for (const char* name : {"reportingController", "reportingInstance", "action", "reason"}) {
    const auto text = event.StringAt({name});
    if (text.empty()) causes.push_back({"FieldValueRequired", "Required value", name});
    if (text.size() > 128) invalid(name, "can have at most 128 characters");
  }
  if (event.StringAt({"note"}).size() > 1024) invalid("message", "can have at most 1024 characters");
  const auto type = event.StringAt({"type"});
  if (type != "Normal" && type != "Warning") invalid("type", "has invalid value: " + std::string(type));
  // An event about a cluster-scoped object stands in `default`.
  const auto ns = event.StringAt({"metadata", "namespace"});
  if (event.StringAt({"regarding", "namespace"}).empty() && ns != "default" && ns != "kube-system") {
    invalid("involvedObject.namespace", "does not match event.namespace");
  }
  return causes;
}

Kind Events() {
  Kind kind{.group = "events.k8s.io", .version = "v1", .kind = "Event", .plural = "events"};
  kind.built_in = true;
  kind.shape = CommonShape();
  kind.shape.atomic_maps = {"regarding", "related"};
  kind.validate = CheckEvent;
  return kind;
}

Kind Pods() {
  Kind kind{.group = "", .version = "v1", .kind = "Pod", .plural = "pods"};
  kind.status_subresource = kind.has_generation = kind.built_in = true;
  kind.shape = CommonShape();
  kind.shape.list_keys["status.conditions"] = {"type"};
  AddPodSpecShape(kind.shape, "spec");
  kind.defaulter = [](Value& object) {
    DefaultPodSpec(object["spec"]);
    Default(object["status"], "phase", "Pending");
  };
  return kind;
}

Kind Namespaces() {
  Kind kind{.group = "", .version = "v1", .kind = "Namespace", .plural = "namespaces", .namespaced = false};
  kind.status_subresource = kind.built_in = true;
  kind.shape = CommonShape();
  kind.defaulter = [](Value& object) {
    const std::string name(object.StringAt({"metadata", "name"}));
    Default(object["metadata"]["labels"], "kubernetes.io/metadata.name", name);
    Default(object["spec"], "finalizers", json::Arr({"kubernetes"}));
    Default(object["status"], "phase", "Active");
  };
  return kind;
}

Kind Definitions() {
  Kind kind{.group = "apiextensions.k8s.io", .version = "v1", .kind = "CustomResourceDefinition",
            .plural = "customresourcedefinitions", .namespaced = false};
  kind.status_subresource = kind.has_generation = kind.built_in = true;
  kind.shape = CommonShape();
  kind.shape.list_keys["status.conditions"] = {"type"};
  kind.defaulter = [](Value& object) {
    Default(object["spec"], "conversion", Obj({{"strategy", "None"}}));
  };
  return kind;
}

}  // namespace

void DefaultPodSpec(Value& spec) {
  Default(spec, "restartPolicy", "Always");
  Default(spec, "terminationGracePeriodSeconds", 30);
  Default(spec, "dnsPolicy", "ClusterFirst");
  Default(spec, "securityContext", json::Object());
  Default(spec, "schedulerName", "default-scheduler");
  if (spec.Find("serviceAccountName")) Default(spec, "serviceAccount", spec["serviceAccountName"]);
  for (const char* list : {"containers", "initContainers"}) ForEachItem(spec, list, DefaultContainer);
  ForEachItem(spec, "volumes", [](Value& volume) {
    for (const char* source : {"configMap", "secret", "projected"}) {
      if (volume.Find(source)) Default(volume[source], "defaultMode", 420);
    }
  });
}

std::vector<Kind> BuiltInKinds() {
  return {ReplicaSets(), Deployments(), Services(),   Secrets(),    Autoscalers(),
          Events(),      Pods(),        Namespaces(), Definitions()};
}

}  // namespace restate::fake
