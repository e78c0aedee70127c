#include "deployment/recorded.h"

#include <algorithm>

#include "files.h"
#include "restate/json/text.h"

namespace restate::deployment {
namespace {

using json::Obj;

bool Covered(const json::Value& recorded) {
  const json::Value* target = recorded.FindPath({"stored", "spec", "restate", "register"});
  return recorded.StringAt({"cr", "kind"}) == "RestateDeployment" && target &&
         (target->Find("url") || target->Find("service")) &&
         recorded.StringAt({"stored", "spec", "deploymentMode"}, "replicaset") == "replicaset";
}

void EraseDefault(json::Value& object, std::string_view key, const json::Value& value) {
  const json::Value* found = object.Find(key);
  if (found && *found == value) object.Erase(key);
}

void BarePod(json::Value& pod) {
  EraseDefault(pod, "dnsPolicy", "ClusterFirst");
  EraseDefault(pod, "restartPolicy", "Always");
  EraseDefault(pod, "schedulerName", "default-scheduler");
  EraseDefault(pod, "securityContext", Obj({}));
  EraseDefault(pod, "terminationGracePeriodSeconds", 30);
  if (!pod["containers"].array()) return;
  for (json::Value& container : *pod["containers"].array()) {
    EraseDefault(container, "imagePullPolicy", "IfNotPresent");
    EraseDefault(container, "resources", Obj({}));
    EraseDefault(container, "terminationMessagePath", "/dev/termination-log");
    EraseDefault(container, "terminationMessagePolicy", "File");
    if (!container["ports"].array()) {
      container.Erase("ports");
      continue;
    }
    for (json::Value& port : *container["ports"].array()) EraseDefault(port, "protocol", "TCP");
  }
}

void BareService(json::Value& spec) {
  for (const std::string_view key : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) spec.Erase(key);
  EraseDefault(spec, "internalTrafficPolicy", "Cluster");
  EraseDefault(spec, "sessionAffinity", "None");
}

}  // namespace

const json::Value* Recording::Find(std::string_view kind) const {
  const auto found =
      std::find_if(objects.begin(), objects.end(), [&](const json::Value& o) { return o.StringAt({"kind"}) == kind; });
  return found == objects.end() ? nullptr : &*found;
}

std::vector<Recording> Recordings() {
  std::vector<Recording> recordings;
  for (const auto& file : std::filesystem::directory_iterator(TestSource("golden/objects"))) {
    if (file.path().extension() != ".json") continue;
    const auto text = json::Parse(FileText(file.path()));
    REQUIRE_MESSAGE(text.ok(), file.path().string());
    if (!Covered(*text)) continue;
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
  if (json::Array* owners = metadata["ownerReferences"].array()) {
    for (json::Value& owner : *owners) owner.Erase("uid");
  }
  object.Erase("status");
  if (object.StringAt({"kind"}) == "Service") {
    BareService(object["spec"]);
  } else {
    object["spec"]["template"]["metadata"].Erase("creationTimestamp");
    BarePod(object["spec"]["template"]["spec"]);
  }
  return object;
}

}  // namespace restate::deployment
