#include "deployment/knative_controller.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "restate/deployment/observed.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;

// As the CRDs of Knative, and its webhook, do.
void Default(json::Value& configuration) {
  json::Value& spec = configuration["spec"]["template"]["spec"];
  for (json::Value& container : *spec["containers"].array()) {
    if (!container.Find("readinessProbe")) {
      container["readinessProbe"] = Obj({{"successThreshold", 1}, {"tcpSocket", Obj({{"port", 0}})}});
    }
    if (!container.Find("resources")) container["resources"] = json::Object();
    if (!container.Find("ports")) continue;
    for (json::Value& port : *container["ports"].array()) port["protocol"] = "TCP";
  }
  if (!spec.Find("timeoutSeconds")) spec["timeoutSeconds"] = 300;
  if (!spec.Find("containerConcurrency")) spec["containerConcurrency"] = 0;
}

json::Value Condition(bool is_true, std::string_view reason) {
  json::Value ready = Obj({{"type", "Ready"}, {"status", is_true ? "True" : "False"}});
  if (!is_true) ready["reason"] = reason;
  return Arr({std::move(ready)});
}

json::Value RevisionOf(const json::Value& configuration, const std::string& name, bool ready,
                       const std::string& trouble) {
  const json::Value& pod_template = *configuration.FindPath({"spec", "template"});
  const json::Value none = json::Object();
  const json::Value *own_labels = pod_template.FindPath({"metadata", "labels"}),
                    *annotations = pod_template.FindPath({"metadata", "annotations"});
  json::Value labels = own_labels ? *own_labels : none;
  labels["serving.knative.dev/configuration"] = configuration.StringAt({"metadata", "name"});
  const std::int64_t pods = ready ? 1 : 0;
  return Obj({{"apiVersion", kRevisions.ApiVersion()},
              {"kind", kRevisions.kind},
              {"metadata", Obj({{"name", name},
                                {"namespace", configuration.StringAt({"metadata", "namespace"})},
                                {"labels", std::move(labels)},
                                {"annotations", annotations ? *annotations : none},
                                {"ownerReferences", Arr({Obj({{"apiVersion", kConfigurations.ApiVersion()},
                                                              {"kind", kConfigurations.kind},
                                                              {"name", configuration.StringAt({"metadata", "name"})},
                                                              {"uid", configuration.StringAt({"metadata", "uid"})},
                                                              {"controller", true},
                                                              {"blockOwnerDeletion", true}})})}})},
              {"spec", *pod_template.Find("spec")},
              {"status",
               Obj({{"conditions", Condition(ready, trouble)}, {"actualReplicas", pods}, {"desiredReplicas", pods}})}});
}

bool IsDeleting(const json::Value& object) { return object.FindPath({"metadata", "deletionTimestamp"}) != nullptr; }

void RunConfiguration(fake::FakeApi& api, const json::Value& configuration, const KnativeSettings& settings) {
  const auto generation = configuration.IntAt({"metadata", "generation"});
  const std::string name(configuration.StringAt({"metadata", "name"}));
  const std::string revision = absl::StrCat(name, absl::StrFormat("-%05d", generation));
  const kube::Key key = kube::KeyOf(configuration), revision_key{key.ns, revision};
  const bool ready = settings.revisions_become_ready;
  if (!api.Get(kRevisions, revision_key)) {
    api.Add(kRevisions, RevisionOf(configuration, revision, ready, settings.revision_trouble));
  }
  json::Value status = Obj({{"observedGeneration", generation},
                            {"latestCreatedRevisionName", revision},
                            {"conditions", Condition(ready, "RevisionFailed")}});
  if (ready) status["latestReadyRevisionName"] = revision;
  if (configuration.Find("status") && *configuration.Find("status") == status) return;
  api.Edit(kConfigurations, key, [&](json::Value& live) { live["status"] = status; });
}

void RunRoute(fake::FakeApi& api, const json::Value& route, const KnativeSettings& settings) {
  const kube::Key key = kube::KeyOf(route);
  const auto configuration = api.Get(kConfigurations, key);
  if (!configuration) return;
  const std::string_view revision = configuration->StringAt({"status", "latestReadyRevisionName"});
  const bool ready = settings.routes_become_ready && !revision.empty();
  json::Value status = Obj({{"observedGeneration", route.IntAt({"metadata", "generation"})},
                            {"url", absl::StrCat("http://", key.name, ".", key.ns, ".svc.cluster.local")},
                            {"conditions", Condition(ready, "IngressNotConfigured")}});
  if (ready) {
    status["traffic"] = Arr({Obj({{"revisionName", revision}, {"percent", 100}, {"latestRevision", true}})});
  }
  if (route.Find("status") && *route.Find("status") == status) return;
  api.Edit(kRoutes, key, [&](json::Value& live) { live["status"] = status; });
}

}  // namespace

void ServeKnative(fake::FakeApi& api) {
  api.Serve(kConfigurations, {.defaulter = Default});
  api.Serve(kRoutes);
  api.Serve(kRevisions);
}

void RunKnative(fake::FakeApi& api, const KnativeSettings& settings) {
  for (const json::Value& configuration : api.List(kConfigurations)) {
    if (!IsDeleting(configuration)) RunConfiguration(api, configuration, settings);
  }
  for (const json::Value& route : api.List(kRoutes)) {
    if (!IsDeleting(route)) RunRoute(api, route, settings);
  }
}

}  // namespace restate::deployment
