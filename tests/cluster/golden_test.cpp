// The objects we make for the recorded RestateClusters are those the reference operator made, but for what its
// version 3.1 changed.
#include <doctest/doctest.h>

#include <map>

#include "cluster/scene.h"
#include "recorded/recorded.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/optional_resources.h"
#include "restate/cluster/storage.h"
#include "restate/cluster/warnings.h"
#include "restate/json/text.h"
#include "restate/kube/applier.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

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

// What 3.0, 3.1 and the commits after it changed in objects, and in what managedFields say of them (names with "f:"
// before them). Every entry must be met by a recording.
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
  void Apply(json::Value& object) {
    const std::string_view kind = object.StringAt({"kind"});
    if (kind == "StatefulSet") ApplyToSet(object);
    if (kind == "IAMPolicyMember") ApplyToMember(object);
    if (kind == "Job") ApplyToJob(object);
  }

  void CheckAllMet() const {
    for (const Difference& d : {non_root_, server_, combine_, signing_, member_, job_})
      CHECK_MESSAGE(d.met > 0, d.what);
  }

 private:
  void ApplyToSet(json::Value& set) {
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

  void ApplyToMember(json::Value& member) {
    member["spec"]["resourceRef"]["apiVersion"] = "iam.cnrm.cloud.google.com/v1beta1";
    ++member_.met;
    if (!member["metadata"]["managedFields"].array()) return;
    for (json::Value& entry : *member["metadata"]["managedFields"].array()) {
      if (entry.StringAt({"manager"}) == kManager)
        entry["fieldsV1"]["f:spec"]["f:resourceRef"]["f:apiVersion"] = json::Object();
    }
  }

  // The labels are ours alone: the operator's watch finds the pods by them.
  void ApplyToJob(json::Value& job) {
    json::Value& spec = job["spec"];
    spec["activeDeadlineSeconds"] = 300;
    spec["template"]["metadata"]["labels"]["app.kubernetes.io/name"] = job.StringAt({"metadata", "name"});
    spec["template"]["metadata"]["labels"]["app.kubernetes.io/instance"] = job.StringAt({"metadata", "namespace"});
    json::Value& pod = spec["template"]["spec"];
    pod["securityContext"] = Obj({{"runAsNonRoot", true},
                                  {"runAsUser", 1000},
                                  {"runAsGroup", 3000},
                                  {"seccompProfile", Obj({{"type", "RuntimeDefault"}})}});
    json::Value* container = Container(pod, "containers", "canary");
    REQUIRE(container);
    (*container)["securityContext"]["allowPrivilegeEscalation"] = false;
    DropAll(*container, job_);
  }

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
  Difference member_{"apiVersion of the account"}, job_{"time limit and restrictions of canaries"};
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
  std::map<std::string_view, kube::Resource> resources = {
      {"Namespace", kube::kNamespaces},         {"ServiceAccount", kube::kServiceAccounts},
      {"ConfigMap", kube::kConfigMaps},         {"Service", kube::kServices},
      {"StatefulSet", kube::kStatefulSets},     {"PodDisruptionBudget", kube::kPodDisruptionBudgets},
      {"NetworkPolicy", kube::kNetworkPolicies}};
  for (const OptionalResource& optional : kOptionalResources) {
    cache.Replace(optional.resource, {}, "1");
    resources[optional.resource.kind] = optional.resource;
  }
  int count = 0;
  for (const json::Value& object : objects) {
    const auto resource = resources.find(object.StringAt({"kind"}));
    REQUIRE(resource != resources.end());
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
  if (seen.WantsSecretProviderClass()) built.push_back(SecretProviderClassFor(seen));
  if (seen.WantsSecurityGroups()) built.push_back(SecurityGroupPolicyFor(seen));
  if (seen.WantsPodIdentity()) {
    built.push_back(PodIdentityAssociationFor(seen));
    built.push_back(PodIdentityCanaryFor(seen));
  }
  if (seen.WantsWorkloadIdentity()) {
    built.push_back(PolicyMemberFor(seen));
    built.push_back(WorkloadIdentityCanaryFor(seen));
  }
  return built;
}

std::string Id(const json::Value& object) {
  return std::string(object.StringAt({"kind"})) + " " + std::string(object.StringAt({"metadata", "name"}));
}

// What the reference leaves to the server: the type of a Service, and that a target port is the port.
json::Value Comparable(json::Value object) {
  object = Bare(std::move(object));
  if (object.StringAt({"kind"}) == "NetworkPolicy") {
    for (const std::string_view direction : {"ingress", "egress"}) {  // the server keeps no empty list
      if (object["spec"][direction] == json::Value(json::Array())) object["spec"].Erase(direction);
      if (object["spec"][direction].is_null()) object["spec"].Erase(direction);
    }
  }
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
    std::vector<json::Value> in_force;  // pods are made with the security groups that are there
    for (json::Value object : recording.objects) {
      since.Apply(object);
      if (object.StringAt({"kind"}) == "SecurityGroupPolicy") in_force.push_back(object);
      if (object.StringAt({"kind"}) == "StatefulSet" && !recording.spec.FindPath({"compute", "replicas"}))
        object["spec"].Erase("replicas");  // the server's default
      theirs[Id(object)] = json::DumpPretty(Comparable(object));
    }
    for (const json::Value& object : Built(See(recording, in_force))) {
      ours[Id(object)] = json::DumpPretty(Comparable(object));
    }
    for (const auto& their : theirs) {
      CAPTURE(their.first);
      CHECK(ours[their.first] == their.second);
    }
    CHECK(ours.size() == theirs.size());
    ++compared;
  }
  CHECK(compared >= 13);
  since.CheckAllMet();
}

TEST_CASE("S9: what the reference made without the restrictions is not rolled, and the status says so") {
  for (const Recording& recording : RecordingsOf("RestateCluster")) {
    CAPTURE(recording.file);
    const Observed seen = See(recording, recording.objects);
    const json::Value live = Live(*recording.Find("StatefulSet"), "uid", OwnerUid(*recording.Find("StatefulSet")));
    const json::Value set = StatefulSetFor(seen, LiveClaimTemplateFor(seen));
    CHECK(kube::IsNoOpApply(set, live, kManager));
    const auto warnings = WarningsFor(seen);
    CHECK(std::any_of(warnings.begin(), warnings.end(), [](const Warning& w) { return w.reason == "EarlierPods"; }));
    // Somebody wants a roll: it brings everything.
    Observed rolled = seen;
    rolled.spec.compute.image = "restate:other";
    const json::Value other = StatefulSetFor(rolled, LiveClaimTemplateFor(rolled));
    CHECK(other.BoolAt({"spec", "template", "spec", "securityContext", "runAsNonRoot"}));
  }
}

TEST_CASE("over the objects of the reference an apply of ours changes nothing") {
  Since31 since;
  for (const Recording& recording : RecordingsOf("RestateCluster")) {
    CAPTURE(recording.file);
    std::vector<json::Value> objects = recording.objects;
    std::map<std::string, json::Value> live;
    for (json::Value& object : objects) {
      since.Apply(object);
      live[Id(object)] = Live(object, "uid", OwnerUid(*recording.Find("StatefulSet")));
    }
    for (const json::Value& object : Built(See(recording, objects))) {
      CAPTURE(Id(object));
      // Cannot be changed; and one that has succeeded is left as it is.
      if (object.StringAt({"kind"}) == "Job") continue;
      CHECK(kube::IsNoOpApply(object, live.at(Id(object)), kManager));
    }
  }
}

}  // namespace
}  // namespace restate::cluster
