#include "recorded/recorded.h"

#include <algorithm>

#include "files.h"
#include "restate/json/text.h"

namespace restate {
namespace {

using json::Obj;

void EraseDefault(json::Value& object, std::string_view key, const json::Value& value) {
  const json::Value* found = object.Find(key);
  if (found && *found == value) object.Erase(key);
}

// Calls `bare` for each item of a list, if there is one.
template <class Bare>
void ForEach(json::Value& object, std::string_view list, const Bare& bare) {
  if (!object.Find(list) || !object[list].array()) return;
  for (json::Value& item : *object[list].array()) bare(item);
}

void BareContainer(json::Value& container) {
  EraseDefault(container, "imagePullPolicy", "IfNotPresent");
  EraseDefault(container, "resources", Obj({}));
  EraseDefault(container, "terminationMessagePath", "/dev/termination-log");
  EraseDefault(container, "terminationMessagePolicy", "File");
  ForEach(container, "ports", [](json::Value& port) { EraseDefault(port, "protocol", "TCP"); });
  ForEach(container, "env", [](json::Value& variable) {
    if (variable.FindPath({"valueFrom", "fieldRef"})) variable["valueFrom"]["fieldRef"].Erase("apiVersion");
  });
  if (container.Find("readinessProbe")) {
    json::Value& probe = container["readinessProbe"];
    for (const std::string_view key : {"failureThreshold", "periodSeconds", "successThreshold", "timeoutSeconds"})
      probe.Erase(key);
    EraseDefault(probe["httpGet"], "scheme", "HTTP");
  }
}

void BareVolume(json::Value& volume) {
  for (const std::string_view source : {"secret", "configMap"}) {
    if (volume.Find(source)) EraseDefault(volume[source], "defaultMode", 0644);
  }
}

void BarePod(json::Value& pod) {
  EraseDefault(pod, "dnsPolicy", "ClusterFirst");
  EraseDefault(pod, "restartPolicy", "Always");
  EraseDefault(pod, "schedulerName", "default-scheduler");
  EraseDefault(pod, "securityContext", Obj({}));
  EraseDefault(pod, "terminationGracePeriodSeconds", 30);
  pod.Erase("serviceAccount");  // former name of serviceAccountName
  ForEach(pod, "containers", BareContainer);
  ForEach(pod, "initContainers", BareContainer);
  ForEach(pod, "volumes", BareVolume);
}

void BareService(json::Value& spec) {
  if (spec.StringAt({"clusterIP"}) != "None") spec.Erase("clusterIP");
  for (const std::string_view key : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) spec.Erase(key);
  EraseDefault(spec, "internalTrafficPolicy", "Cluster");
  EraseDefault(spec, "sessionAffinity", "None");
}

void BareStatefulSet(json::Value& spec) {
  for (const std::string_view key : {"persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit", "updateStrategy"})
    spec.Erase(key);
  ForEach(spec, "volumeClaimTemplates", [](json::Value& claim) {
    for (const std::string_view key : {"apiVersion", "kind", "status"}) claim.Erase(key);
    EraseDefault(claim["spec"], "volumeMode", "Filesystem");
  });
}

void BareDeployment(json::Value& object) {
  object["metadata"]["annotations"].Erase("deployment.kubernetes.io/revision");
  for (const std::string_view key : {"progressDeadlineSeconds", "revisionHistoryLimit", "strategy"})
    object["spec"].Erase(key);
}

void BareJob(json::Value& object) {
  for (const std::string_view key : {"deletionGracePeriodSeconds", "deletionTimestamp", "finalizers"})
    object["metadata"].Erase(key);
  json::Value& spec = object["spec"];
  for (const std::string_view key : {"completionMode", "completions", "manualSelector", "parallelism",
                                     "podReplacementPolicy", "selector", "suspend"})
    spec.Erase(key);
  for (const std::string_view key :
       {"batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"})
    spec["template"]["metadata"]["labels"].Erase(key);
  EraseDefault(spec["template"]["metadata"], "labels", Obj({}));
  EraseDefault(spec["template"], "metadata", Obj({}));
}

}  // namespace

const json::Value* Recording::Find(std::string_view kind) const {
  const auto found =
      std::find_if(objects.begin(), objects.end(), [&](const json::Value& o) { return o.StringAt({"kind"}) == kind; });
  return found == objects.end() ? nullptr : &*found;
}

std::vector<Recording> RecordingsOf(std::string_view kind) {
  std::vector<Recording> recordings;
  for (const auto& file : std::filesystem::directory_iterator(TestSource("golden/objects"))) {
    if (file.path().extension() != ".json") continue;
    const auto text = json::Parse(FileText(file.path()));
    REQUIRE_MESSAGE(text.ok(), file.path().string());
    if (text->StringAt({"cr", "kind"}) != kind || !text->FindPath({"stored", "spec"})) continue;
    Recording recording{
        file.path().stem().string(), *text->Find("cr"), *text->FindPath({"stored", "spec"}), *text->Find("status"), {}};
    if (const json::Value* objects = text->Find("objects")) recording.objects = *objects->array();
    recordings.push_back(std::move(recording));
  }
  std::sort(recordings.begin(), recordings.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  return recordings;
}

json::Value Bare(json::Value object) {
  json::Value& metadata = object["metadata"];
  for (const std::string_view key : {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"})
    metadata.Erase(key);
  const std::string_view kind = object.StringAt({"kind"});
  if (kind == "Deployment") BareDeployment(object);
  EraseDefault(metadata, "annotations", Obj({}));
  ForEach(metadata, "ownerReferences", [](json::Value& owner) { owner.Erase("uid"); });
  object.Erase("status");
  if (kind == "Service") BareService(object["spec"]);
  if (kind == "StatefulSet") BareStatefulSet(object["spec"]);
  if (kind == "Namespace") {
    object.Erase("spec");
    metadata["labels"].Erase("kubernetes.io/metadata.name");
  }
  const bool has_pods = kind == "StatefulSet" || kind == "ReplicaSet" || kind == "Deployment";
  if (has_pods) object["spec"]["template"]["metadata"].Erase("creationTimestamp");
  if (has_pods || kind == "Job") BarePod(object["spec"]["template"]["spec"]);
  if (kind == "Job") BareJob(object);
  return object;
}

std::string OwnerUid(const json::Value& object) {
  const std::string text = json::Dump(object);
  const std::string mark = R"(k:{\"uid\":\")";
  const auto at = text.find(mark);
  REQUIRE(at != std::string::npos);
  return text.substr(at + mark.size(), 36);
}

json::Value Live(json::Value object, std::string_view uid, std::string_view owner_uid) {
  object["metadata"]["uid"] = uid;
  object["metadata"]["resourceVersion"] = "100";
  object["metadata"]["generation"] = 1;
  object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z";
  if (!owner_uid.empty()) object["metadata"]["ownerReferences"].array()->front()["uid"] = owner_uid;
  return object;
}

}  // namespace restate
