// When a cluster is provisioned, when never, and what its nodes say of it afterwards.
#include "restate/cluster/provisioning.h"

#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "cluster/scene.h"
#include "restate/cluster/metadata.h"

namespace restate::cluster {
namespace {

using admin::MetadataServerStatus;
using admin::NodeIdentity;
using json::Arr;
using json::Obj;

constexpr char kProvision[] = "provision restate-0.restate-cluster.east.svc.cluster.local:5122";

// Three nodes with their pods, none of them provisioned by what the status says.
struct Nodes : Scene {
  admin::NodesLook look;
  bool looked = true;

  Nodes() {
    spec()["cluster"] = Obj({{"autoProvision", true}});
    spec()["config"] = "auto-provision = false\n";
    compute()["replicas"] = 3;
    cr()["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z";
    Run();
    for (int i = 0; i < 3; ++i) {
      Claim(i)["metadata"]["creationTimestamp"] = "2026-01-01T00:00:01Z";
      Add(kube::kPods, Pod(i));
      Says(i, NodeIdentity{.metadata_server = MetadataServerStatus::kAwaitingProvisioning});
    }
  }

  json::Value Pod(int ordinal) {
    const std::string name = "restate-" + std::to_string(ordinal);
    return Obj(
        {{"metadata",
          Obj({{"name", name}, {"namespace", "east"}, {"labels", json::FromMap(SelectorLabels(Scene::See()))}})},
         {"status", Obj({{"phase", "Running"}, {"conditions", Arr({Obj({{"type", "Ready"}, {"status", "True"}})})}})}});
  }
  json::Value& PodAt(int ordinal) { return At(kube::kPods, "restate-" + std::to_string(ordinal)); }
  void Says(int ordinal, absl::StatusOr<NodeIdentity> identity) {
    look.identities.insert_or_assign(NodeAddress(Scene::See(), ordinal), std::move(identity));
  }
  void Provisioned() { cr()["status"]["provisioned"] = true; }
  admin::NodesState& State() {
    if (!look.state) look.state = admin::NodesState{};
    return **look.state;
  }

  Observed See() const {
    Observed seen = Scene::See();
    if (const auto wanted = NodesNeeded(seen)) {
      seen.nodes.emplace();
      if (looked) seen.nodes->look = std::make_shared<const admin::NodesLook>(look);
    }
    return seen;
  }
  ClusterPlan Plan() const { return Kind::MakePlan(See()); }
  plan::Report Report(const plan::Outcome& outcome = {}) const {
    const Observed seen = See();
    return Kind::MakeReport(seen, Kind::MakePlan(seen), outcome);
  }
  bool CallsForProvisioning() const {
    const auto steps = Plan().steps;
    return std::any_of(steps.begin(), steps.end(), [](const auto& s) { return plan::ToString(s) == kProvision; });
  }
  Reason Waits() const {
    const auto plan = Plan();
    return plan.failure.ok() ? plan.wait.value().reason : ReasonOf(plan.failure);
  }
};

TEST_CASE("node 0 is provisioned once all nodes that answer say that nobody is") {
  Nodes nodes;
  CHECK(nodes.CallsForProvisioning());
  nodes.Says(2, MakeError(Reason::kAdminCallFailed, "no answer"));
  CHECK(nodes.CallsForProvisioning());

  const plan::Outcome done{.done = 99, .error = {}, .registration = {}, .provisioned = true, .changed = true};
  const auto report = nodes.Report(done);
  REQUIRE(report.status);
  CHECK(report.status->urgent);
  CHECK(report.status->wanted.BoolAt({"provisioned"}));
  CHECK(ReadyOf(report) == "False Provisioned");

  const plan::Outcome failed{
      .done = 1, .error = MakeError(Reason::kProvisioningFailed, "INTERNAL"), .registration = {}, .changed = true};
  CHECK(ReadyOf(nodes.Report(failed)) == "False ProvisioningFailed");
  CHECK(!nodes.Report(failed).status->wanted.BoolAt({"provisioned"}));
}

TEST_CASE("S4: one node that belongs to a cluster is enough: nobody is provisioned, and the status says so for ever") {
  Nodes nodes;
  SUBCASE("by its id") { nodes.Says(1, NodeIdentity{.node_id = admin::NodeId{2, 1}}); }
  SUBCASE("by its metadata server") { nodes.Says(2, NodeIdentity{.metadata_server = MetadataServerStatus::kStandby}); }
  CHECK(!nodes.CallsForProvisioning());
  CHECK(nodes.Report().status->wanted.BoolAt({"provisioned"}));
  nodes.Provisioned();
  nodes.look.identities.clear();
  CHECK(!nodes.CallsForProvisioning());
}

TEST_CASE("S4: never again, and not on volumes of an earlier life") {
  Nodes nodes;
  nodes.Claim(2)["metadata"]["creationTimestamp"] = "2025-12-31T23:59:59Z";
  CHECK(!nodes.CallsForProvisioning());
  CHECK(nodes.Waits() == Reason::kProvisioningUnsafe);
  CHECK(ConditionOf(nodes.Report(), "Stalled") == "True ProvisioningUnsafe");
  CHECK(absl::StrContains(std::string(MessageOf(nodes.Plan().failure)), "storage-restate-2"));
  nodes.Provisioned();
  CHECK(!nodes.CallsForProvisioning());
}

TEST_CASE("it waits for node 0, and says for what") {
  Nodes nodes;
  SUBCASE("its pod is not there") {
    nodes.Remove(kube::kPods, "restate-0");
    CHECK(nodes.Waits() == Reason::kProvisioningPodNotRunning);
  }
  SUBCASE("its pod does not run") {
    nodes.PodAt(0)["status"] = Obj({{"phase", "Pending"}});
    CHECK(nodes.Waits() == Reason::kProvisioningPodNotRunning);
    CHECK(absl::StrContains(nodes.Plan().wait->message, "Pending"));
  }
  SUBCASE("it was not asked yet") {
    nodes.looked = false;
    CHECK(nodes.Waits() == Reason::kAskingNodes);
  }
  SUBCASE("it does not answer") {
    nodes.Says(0, MakeError(Reason::kAdminCallFailed, "restate-0: refused"));
    CHECK(nodes.Waits() == Reason::kAskingNodes);
    CHECK(absl::StrContains(nodes.Plan().wait->message, "refused"));
  }
  SUBCASE("it is starting") {
    nodes.Says(0, NodeIdentity{.metadata_server = MetadataServerStatus::kStartingUp});
    CHECK(nodes.Waits() == Reason::kAskingNodes);
  }
  CHECK(!nodes.CallsForProvisioning());
  CHECK(nodes.Plan().look_again <= absl::Seconds(5));
}

TEST_CASE("pods that do not run are not asked") {
  Nodes nodes;
  nodes.PodAt(1)["status"]["phase"] = "Pending";
  nodes.PodAt(2)["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(NodesNeeded(nodes.See())->identify == std::vector{NodeAddress(nodes.See(), 0)});
}

TEST_CASE("servers that would provision themselves are a mistake in the spec, and nothing is made") {
  Nodes nodes;
  const auto mistake = [&]() -> std::string {
    const auto plan = nodes.Plan();
    if (plan.failure.ok()) return "none";
    CHECK(ReasonOf(plan.failure) == Reason::kInvalidRestateConfig);
    CHECK(plan.steps.empty());
    return std::string(MessageOf(plan.failure));
  };
  CHECK(mistake() == "none");
  for (const char* config :
       {"", "auto-provision = true", "auto-provision = \"false\"", "[common]\nauto-provision = false"}) {
    nodes.spec()["config"] = config;
    CHECK(absl::StrContains(mistake(), "auto-provision = false"));
  }
  nodes.spec()["config"] = "a = 1\nauto-provision = fal";
  CHECK(absl::StrContains(mistake(), "line 2"));
  nodes.compute()["env"] = Arr({Obj({{"name", "RESTATE_AUTO_PROVISION"}, {"value", "False"}})});
  CHECK(mistake() == "none");  // the variable wins
  for (const char* value : {"true", "", " false", "0"}) {
    nodes.compute()["env"] = Arr({Obj({{"name", "RESTATE_AUTO_PROVISION"}, {"value", value}})});
    CHECK(absl::StrContains(mistake(), "RESTATE_AUTO_PROVISION"));
  }
  nodes.compute()["env"] = Arr({Obj({{"name", "RESTATE_AUTO_PROVISION"}, {"valueFrom", Obj({})}})});
  nodes.spec()["config"] = "auto-provision = false";
  CHECK(mistake() == "none");
  nodes.spec().Erase("cluster");
  nodes.spec()["config"] = "whatever [";
  CHECK(mistake() == "none");  // the server says what it thinks of it
}

TEST_CASE("a cluster is Ready when its nodes say so too") {
  Nodes nodes;
  nodes.Provisioned();
  for (const std::uint32_t id : {1, 2, 3}) nodes.State().nodes[id].alive = true;
  CHECK(ReadyOf(nodes.Report()) == "True Reconciled");
  nodes.State().nodes[2].alive = false;
  CHECK(ReadyOf(nodes.Report()) == "False NodesNotHealthy");
  CHECK(absl::StrContains(nodes.Plan().wait->message, "N2"));
  SUBCASE("nobody lets the operator ask") {
    nodes.look.state = MakeError(Reason::kAdminCallFailed, "no answer");
    CHECK(ReadyOf(nodes.Report()) == "True Reconciled");
  }
  SUBCASE("they were not asked yet: what was Ready stays so") {
    nodes.looked = false;
    CHECK(nodes.Waits() == Reason::kAskingNodes);
    nodes.cr()["status"]["conditions"] = Arr({Obj({{"type", "Ready"}, {"status", "True"}})});
    nodes.cr()["status"]["observedGeneration"] = 3;
    CHECK(!nodes.Plan().wait);
  }
  SUBCASE("provisioning is none of the operator's business") {
    nodes.spec().Erase("cluster");
    CHECK(!NodesNeeded(nodes.See()));
    CHECK(ReadyOf(nodes.Report()) == "True Reconciled");
  }
}

TEST_CASE("a cluster is not Ready while a node of it has never joined, although no other one misses it") {
  Nodes nodes;
  nodes.Provisioned();
  for (const std::uint32_t id : {1, 2}) nodes.State().nodes[id].alive = true;
  CHECK(ReadyOf(nodes.Report()) == "False NodesNotHealthy");
  CHECK(nodes.Plan().wait->message ==
        "Restate says: 1 of 3 nodes has never joined the cluster, see the logs of the pods");
  nodes.State().nodes[2].alive = false;
  CHECK(absl::StrContains(nodes.Plan().wait->message, "see the logs of the pods; node N2 is dead"));
  nodes.State().nodes[2].alive = true;
  nodes.State().nodes[7].alive = true;  // whatever its number
  CHECK(ReadyOf(nodes.Report()) == "True Reconciled");
}

TEST_CASE("a wait names the pods that it is for") {
  Nodes nodes;
  nodes.Provisioned();
  nodes.StatefulSet()["status"]["readyReplicas"] = 1;
  nodes.PodAt(1)["status"] =
      Obj({{"phase", "Pending"},
           {"conditions",
            Arr({Obj({{"type", "PodScheduled"}, {"status", "False"}, {"message", "0/3 nodes are available"}})})}});
  const json::Value waiting = Obj({{"reason", "CrashLoopBackOff"}, {"message", "back-off 40s"}});
  const json::Value killed = Obj({{"exitCode", 137}, {"reason", "OOMKilled"}});
  nodes.PodAt(2)["status"] = Obj({{"phase", "Running"},
                                  {"containerStatuses", Arr({Obj({{"name", "restate"},
                                                                  {"state", Obj({{"waiting", waiting}})},
                                                                  {"lastState", Obj({{"terminated", killed}})}})})}});
  CHECK(nodes.Plan().wait->message ==
        "StatefulSet has 1 ready replicas instead of the expected 3: restate-1 (Pending: 0/3 nodes are available), "
        "restate-2 (container restate: CrashLoopBackOff: back-off 40s, after exit code 137 (OOMKilled)), "
        "see kubectl describe pod -n east restate-1");
}

TEST_CASE("a wait for pods that nobody can make says where the reason is") {
  Nodes nodes;
  nodes.Provisioned();
  nodes.StatefulSet()["status"]["replicas"] = 0;
  for (int i = 0; i < 3; ++i) nodes.Remove(kube::kPods, "restate-" + std::to_string(i));
  CHECK(nodes.Plan().wait->message ==
        "StatefulSet has 0 replicas instead of the expected 3, see kubectl describe statefulset -n east restate");
}

TEST_CASE("no nodes, no provisioning, and no asking for it") {
  Nodes nodes;
  nodes.compute()["replicas"] = 0;
  nodes.StatefulSet()["spec"]["replicas"] = 0;
  nodes.StatefulSet()["status"]["replicas"] = 0;
  for (int i = 0; i < 3; ++i) nodes.Remove(kube::kPods, "restate-" + std::to_string(i));
  CHECK(nodes.Waits() == Reason::kScaledToZero);
  CHECK(nodes.Plan().look_again >= absl::Minutes(1));
}

}  // namespace
}  // namespace restate::cluster
