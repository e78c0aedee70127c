// The objects we make for the recorded RestateDeployments are those the reference operator made, and over its objects a
// first pass of ours changes nothing.
#include <doctest/doctest.h>

#include "deployment/passes.h"
#include "deployment/recorded.h"
#include "restate/deployment/registration.h"
#include "restate/json/text.h"
#include "restate/kube/applier.h"

namespace restate::deployment {
namespace {

using json::Obj;

// What 3.1 adds to the statuses of 2.9, with which the recordings were made. Its other differences touch no recorded
// object.
void AsIn31(json::Value& status) { status["reconciliation"] = "Reconciling"; }

// Where ids stand in for each other: those of the recording's stand-in for Restate and those of our fake.
json::Value WithId(json::Value object, std::string_view id) {
  json::Value& annotations = object["metadata"]["annotations"];
  if (annotations.Find(kDeploymentIdAnnotation)) annotations[kDeploymentIdAnnotation] = id;
  return object;
}

// Without transition times, and without what only ours say.
json::Value Comparable(json::Value status) {
  if (json::Array* conditions = status["conditions"].array()) {
    for (json::Value& condition : *conditions) {
      condition.Erase("lastTransitionTime");
      condition.Erase("observedGeneration");
    }
  }
  status.Erase("versions");
  return status;
}

void CheckSameObject(const Passes& passes, const kube::Resource& resource, const json::Value& recorded,
                     std::string_view id) {
  const auto made = passes.stage.api.Get(resource, kube::KeyOf(recorded));
  REQUIRE_MESSAGE(made, resource.kind << " " << recorded.StringAt({"metadata", "name"}));
  const std::string ours = json::DumpPretty(Bare(*made)), theirs = json::DumpPretty(WithId(Bare(recorded), id));
  CHECK(ours == theirs);
}

TEST_CASE("recorded RestateDeployments converge to the recorded objects and statuses") {
  int converged = 0;
  for (const Recording& recording : Recordings()) {
    if (recording.objects.empty()) continue;
    CAPTURE(recording.file);
    Passes passes;
    passes.stage.api.Add(kRestateDeployments, recording.cr);
    const kube::Key key = kube::KeyOf(recording.cr);
    const auto next = passes.Settle(key);
    CHECK(next.error.ok());
    const auto live = passes.stage.api.Get(kRestateDeployments, key);
    REQUIRE(live);
    const std::string id(live->StringAt({"status", "deploymentId"}));
    CHECK(id.starts_with("dp_"));
    CheckSameObject(passes, kube::kReplicaSets, *recording.Find("ReplicaSet"), id);
    CheckSameObject(passes, kube::kServices, *recording.Find("Service"), id);
    json::Value status = recording.status;
    AsIn31(status);
    status["deploymentId"] = id;
    CHECK(json::DumpPretty(Comparable(*live->Find("status"))) == json::DumpPretty(status));
    CHECK(json::Dump(*live->FindPath({"metadata", "finalizers"})) == R"(["deployments.restate.dev"])");
    ++converged;
  }
  CHECK(converged >= 9);
}

TEST_CASE("recorded RestateDeployments in Restate Cloud converge to the recorded objects") {
  const std::vector<Recording> recordings = CloudRecordings();
  CHECK(recordings.size() >= 2);
  for (const Recording& recording : recordings) {
    CAPTURE(recording.file);
    Passes passes;
    passes.stage.config.operator_namespace = "restate-operator";
    passes.stage.api.Add(kRestateCloudEnvironments, RecordingsOf("RestateCloudEnvironment").back().cr);
    passes.stage.api.Add(kube::kSecrets, Obj({{"apiVersion", "v1"},
                                              {"kind", "Secret"},
                                              {"metadata", Obj({{"name", "tok"}, {"namespace", "restate-operator"}})},
                                              {"data", Obj({{"t", "Y2FuYXJ5"}})}}));
    passes.stage.api.Add(kRestateDeployments, recording.cr);
    const kube::Key key = kube::KeyOf(recording.cr);
    CHECK(passes.Settle(key).error.ok());
    CHECK(passes.Ready(key) == "True Deployed");
    for (const kube::Resource& resource : {kube::kReplicaSets, kube::kServices}) {
      const json::Value& recorded = *recording.Find(resource.kind);
      json::Value made = *passes.stage.api.Get(resource, kube::KeyOf(recorded));
      made["metadata"]["annotations"].Erase(kDeploymentIdAnnotation);
      if (made.FindPath({"metadata", "annotations"})->object()->empty()) made["metadata"].Erase("annotations");
      const std::string ours = json::DumpPretty(Bare(made)), theirs = json::DumpPretty(Bare(recorded));
      CHECK(ours == theirs);
    }
  }
}

TEST_CASE("a template that the API server refuses is told in its words") {
  for (const Recording& recording : Recordings()) {
    if (recording.file != "d-numbers") continue;
    Passes passes;
    passes.stage.api.OnRequest([](const fake::ApiRequest& r) -> std::optional<fake::Fault> {
      if (r.method != "POST" || r.plural != "replicasets") return std::nullopt;
      return fake::Fault::Refuse(422, "Invalid",
                                 "spec.template.spec.containers[0].securityContext.runAsUser: Invalid value");
    });
    passes.stage.api.Add(kRestateDeployments, recording.cr);
    const kube::Key key = kube::KeyOf(recording.cr);
    CHECK(ReasonOf(passes.Settle(key).error) == Reason::kApiRejected);
    CHECK(passes.Ready(key) == "Unknown FailedReconcile");
    const auto status = *passes.stage.api.Get(kRestateDeployments, key)->Find("status");
    CHECK(status.FindPath({"conditions"})->array()->front().StringAt({"message"}).find("runAsUser") !=
          std::string_view::npos);
    CHECK(status.StringAt({"labelSelector"}) == recording.status.StringAt({"labelSelector"}));
    CHECK(passes.stage.events.Reasons().back() == "FailedReconcile");
  }
}

// The recorded state as the first pass after a swap of operators sees it.
Observed AfterSwap(const Recording& recording) {
  const json::Value &set = *recording.Find("ReplicaSet"), &service = *recording.Find("Service");
  const std::string cr_uid = OwnerUid(set), set_uid = OwnerUid(service);
  const auto replicas = set.IntAt({"spec", "replicas"});
  json::Value cr = Live(recording.cr, cr_uid, ""), live_set = Live(set, set_uid, cr_uid);
  cr["spec"] = recording.spec;
  cr["status"] = recording.status;
  AsIn31(cr["status"]);
  cr["metadata"]["finalizers"] = json::Arr({"deployments.restate.dev"});
  live_set["status"] = Obj({{"replicas", replicas},
                            {"readyReplicas", replicas},
                            {"availableReplicas", replicas},
                            {"observedGeneration", 1}});
  runtime::Cache cache;
  cache.Put(kRestateDeployments, plan::Stage::Make(cr));
  cache.Put(kube::kReplicaSets, plan::Stage::Make(live_set));
  cache.Put(kube::kServices, plan::Stage::Make(Live(service, "service-uid", set_uid)));
  auto seen =
      Gather(kube::KeyOf(cr), cache, {.cluster_dns = "cluster.local", .allow_loopback = true}, absl::UnixEpoch(), {});
  REQUIRE(seen);
  REQUIRE(seen->Current());
  seen->needs_look = LookNeeded(*seen).has_value();
  admin::Look look;
  look.deployments[seen->Current()->deployment_id] = {.uri = *ServiceUri(*seen, *seen->Current()), .latest = true};
  seen->usage.look = std::make_shared<const admin::Look>(look);
  return *std::move(seen);
}

TEST_CASE("a swap of operators sends nothing") {
  for (const Recording& recording : Recordings()) {
    if (recording.objects.empty()) continue;
    CAPTURE(recording.file);
    const Observed seen = AfterSwap(recording);
    const auto plan = PlanRollout(seen);
    CHECK(plan.failure.ok());
    for (const plan::Step& step : plan.steps) {
      CAPTURE(plan::ToString(step));
      const auto* apply = std::get_if<plan::Apply>(&step);
      REQUIRE(apply);
      REQUIRE(apply->live);
      CHECK(kube::IsNoOpApply(apply->body, apply->live->Body(), apply->manager, apply->subresource));
    }
    const auto report = ReportOn(seen, plan, {});
    REQUIRE(report.status);
    CHECK(json::DumpPretty(Comparable(report.status->wanted)) == json::DumpPretty(report.status->current));
    CHECK(!report.event);
  }
}

}  // namespace
}  // namespace restate::deployment
