// The objects we make for the recorded RestateClusters are those the reference operator made, but for what its
// version 3.1 changed.
#include <doctest/doctest.h>

#include <map>

#include "cluster/scene.h"
#include "recorded/recorded.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"
#include "restate/json/text.h"
#include "restate/kube/applier.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

// Objects of optional APIs: they come with their own feature.
bool ComesLater(std::string_view kind) {
  return kind == "PodIdentityAssociation" || kind == "SecurityGroupPolicy" || kind == "SecretProviderClass" ||
         kind == "IAMPolicyMember" || kind == "Job";
}

// How the operator was started for the recordings.
plan::Config ConfigOf(const Recording& recording) {
  plan::Config config;
  config.operator_namespace = "restate-operator";
  config.operator_label_name = "app.kubernetes.io/name";
  config.operator_label_value = "restate-operator";
  if (recording.file == "aws" || recording.file == "csi" || recording.file == "gcp") {
    config.aws_pod_identity_association_cluster = "my-eks";
    config.gcp_workload_identity = true;
  }
  return config;
}

// What 3.1 and the commits after it changed in a StatefulSet, in the object or in what managedFields say of it (names
// with "f:" before them). Every entry must be met by a recording.
struct Difference {
  std::string what;
  int met = 0;
};

json::Value* Container(json::Value& pod, std::string_view list, std::string_view name) {
  if (!pod.Find(list) || !pod[list].array()) return nullptr;
  for (json::Value& container : *pod[list].array()) {
    if (container.StringAt({"name"}) == name) return &container;
  }
  return nullptr;
}

void DropAll(json::Value& container, Difference& difference) {
  container["securityContext"]["capabilities"] = Obj({{"drop", Arr({"ALL"})}});
  ++difference.met;
}

class Since31 {
 public:
  void Apply(json::Value& set) {
    json::Value& pod = set["spec"]["template"]["spec"];
    pod["securityContext"]["runAsNonRoot"] = true;
    ++non_root_.met;
    json::Value* server = Container(pod, "containers", "restate");
    REQUIRE(server);
    DropAll(*server, server_);
    if (json::Value* combine = Container(pod, "initContainers", "combine-ca-certs")) DropAll(*combine, combine_);
    for (json::Value& variable : *(*server)["env"].array()) {
      if (variable.StringAt({"name"}) != "RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE") continue;
      variable["name"] = "RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE";
      ++signing_.met;
    }
    Own(set);
  }

  void CheckAllMet() const {
    for (const Difference& d : {non_root_, server_, combine_, signing_}) CHECK_MESSAGE(d.met > 0, d.what);
  }

 private:
  // What the reference would own of that.
  static void Own(json::Value& set) {
    if (!set["metadata"]["managedFields"].array()) return;
    for (json::Value& entry : *set["metadata"]["managedFields"].array()) {
      if (entry.StringAt({"manager"}) != kManager) continue;
      json::Value& pod = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"];
      pod["f:securityContext"]["f:runAsNonRoot"] = json::Object();
      json::Value& server = pod["f:containers"][R"(k:{"name":"restate"})"];
      server["f:securityContext"]["f:capabilities"]["f:drop"] = json::Object();
      json::Value& inits = pod["f:initContainers"];
      const std::string combine = R"(k:{"name":"combine-ca-certs"})";
      if (inits.Find(combine)) inits[combine]["f:securityContext"]["f:capabilities"]["f:drop"] = json::Object();
      if (inits.is_null()) pod.Erase("f:initContainers");
      const std::string old_name = R"(k:{"name":"RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE"})";
      if (json::Value& env = server["f:env"]; env.Find(old_name)) {
        env[R"(k:{"name":"RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE"})"] = env[old_name];
        env.Erase(old_name);
      }
    }
  }

  Difference non_root_{"runAsNonRoot"}, server_{"capabilities of restate"};
  Difference combine_{"capabilities of combine-ca-certs"}, signing_{"variable of the signing key"};
};

// The recorded state as the first pass after a swap of operators sees it; `objects` empty: before any.
Observed See(const Recording& recording, const std::vector<json::Value>& objects) {
  const std::string uid = OwnerUid(*recording.Find("StatefulSet"));
  json::Value cr = Live(recording.cr, uid, "");
  cr["spec"] = recording.spec;
  cr["status"] = recording.status;
  cr["metadata"]["finalizers"] = Arr({"clusters.restate.dev"});
  runtime::Cache cache;
  cache.Put(kRestateClusters, Make(cr));
  cache.Replace(kSecretProviderClasses, {}, "1");
  cache.Replace(kSecurityGroupPolicies, {}, "1");
  const std::map<std::string_view, kube::Resource> resources = {
      {"Namespace", kube::kNamespaces},         {"ServiceAccount", kube::kServiceAccounts},
      {"ConfigMap", kube::kConfigMaps},         {"Service", kube::kServices},
      {"StatefulSet", kube::kStatefulSets},     {"PodDisruptionBudget", kube::kPodDisruptionBudgets},
      {"NetworkPolicy", kube::kNetworkPolicies}};
  int count = 0;
  for (const json::Value& object : objects) {
    const auto resource = resources.find(object.StringAt({"kind"}));
    if (resource == resources.end()) continue;
    cache.Put(resource->second, Make(Live(object, "uid-" + std::to_string(++count), uid)));
  }
  auto seen = Gather(kube::KeyOf(cr), cache, ConfigOf(recording), absl::UnixEpoch());
  REQUIRE(seen);
  REQUIRE_MESSAGE(seen->decoded.ok(), std::string(MessageOf(seen->decoded)));
  return *std::move(seen);
}

std::vector<json::Value> Built(const Observed& seen) {
  std::vector<json::Value> built{NamespaceFor(seen),
                                 ServiceAccountFor(seen),
                                 ConfigMapFor(seen),
                                 ServiceFor(seen),
                                 NodeServiceFor(seen),
                                 DisruptionBudgetFor(seen),
                                 StatefulSetFor(seen, ClaimTemplateFor(seen))};
  for (json::Value& policy : NetworkPoliciesFor(seen)) built.push_back(std::move(policy));
  return built;
}

std::string Id(const json::Value& object) {
  return std::string(object.StringAt({"kind"})) + " " + std::string(object.StringAt({"metadata", "name"}));
}

// What the reference leaves to the server: the type of a Service, and that a target port is the port.
json::Value Comparable(json::Value object) {
  object = Bare(std::move(object));
  if (object.StringAt({"kind"}) != "Service") return object;
  object["spec"].Erase("type");
  for (json::Value& port : *object["spec"]["ports"].array()) {
    for (const std::string_view key : {"protocol", "targetPort"}) port.Erase(key);
  }
  return object;
}

TEST_CASE("recorded RestateClusters have the objects that we make") {
  Since31 since;
  int compared = 0;
  for (const Recording& recording : RecordingsOf("RestateCluster")) {
    CAPTURE(recording.file);
    std::map<std::string, std::string> theirs, ours;
    for (json::Value object : recording.objects) {
      if (ComesLater(object.StringAt({"kind"}))) continue;
      if (object.StringAt({"kind"}) == "StatefulSet") since.Apply(object);
      if (object.StringAt({"kind"}) == "StatefulSet" && !recording.spec.FindPath({"compute", "replicas"}))
        object["spec"].Erase("replicas");  // the server's default
      theirs[Id(object)] = json::DumpPretty(Comparable(object));
    }
    for (const json::Value& object : Built(See(recording, {}))) ours[Id(object)] = json::DumpPretty(Comparable(object));
    for (const auto& [id, text] : theirs) {
      CAPTURE(id);
      CHECK(ours[id] == text);
    }
    CHECK(ours.size() == theirs.size());
    ++compared;
  }
  CHECK(compared >= 13);
  since.CheckAllMet();
}

TEST_CASE("over the objects of the reference an apply of ours changes nothing") {
  Since31 since;
  for (const Recording& recording : RecordingsOf("RestateCluster")) {
    CAPTURE(recording.file);
    std::vector<json::Value> objects = recording.objects;
    std::map<std::string, json::Value> live;
    for (json::Value& object : objects) {
      if (object.StringAt({"kind"}) == "StatefulSet") since.Apply(object);
      live[Id(object)] = Live(object, "uid", OwnerUid(*recording.Find("StatefulSet")));
    }
    for (const json::Value& object : Built(See(recording, objects))) {
      CAPTURE(Id(object));
      CHECK(kube::IsNoOpApply(object, live.at(Id(object)), kManager));
    }
  }
}

}  // namespace
}  // namespace restate::cluster
