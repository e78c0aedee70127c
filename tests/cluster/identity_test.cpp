// Identities at a cloud: made and proven before pods rely on them.
#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "cluster/scene.h"
#include "restate/cluster/objects.h"
#include "restate/json/text.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

const Steps kNothing;

std::string MessageOfWait(const Scene& scene) { return scene.Plan().wait ? scene.Plan().wait->message : "none"; }

json::Value Condition(std::string_view type, std::string_view status, std::string_view reason = "R",
                      std::string_view message = "") {
  return Obj(
      {{"conditions", Arr({Obj({{"type", type}, {"status", status}, {"reason", reason}, {"message", message}})})}});
}

bool RollsPods(const Scene& scene) { return !Applied(scene.Plan(), kube::kStatefulSets, "restate").is_null(); }

// A running cluster that is given a role at AWS.
struct Aws : Scene {
  Aws() {
    config.aws_pod_identity_association_cluster = "eks";
    listed = {kPodIdentityAssociations, kJobs, kube::kPods};
    Run();
    security()["awsPodIdentityAssociationRoleArn"] = "arn:aws:iam::1:role/r";
  }
  json::Value& Association() { return At(kPodIdentityAssociations, "restate"); }
  json::Value& Canary() { return At(kJobs, "restate-pia-canary"); }
  void Synced() {
    Add(kPodIdentityAssociations, PodIdentityAssociationFor(See()));
    Association()["status"] = Condition("ACK.ResourceSynced", "True");
  }
  void Tried() {
    Synced();
    Add(kJobs, PodIdentityCanaryFor(See()));
  }
  void AddPod(std::string_view job_uid, std::string_view volume) {
    const json::Value labels = Obj({{"app.kubernetes.io/name", "restate-pia-canary"},
                                    {"app.kubernetes.io/instance", "east"},
                                    {"batch.kubernetes.io/job-name", "restate-pia-canary"},
                                    {"batch.kubernetes.io/controller-uid", job_uid}});
    Add(kube::kPods,
        Obj({{"kind", "Pod"},
             {"metadata", Obj({{"name", "restate-pia-canary-x"}, {"namespace", "east"}, {"labels", labels}})},
             {"spec", Obj({{"volumes", Arr({Obj({{"name", "other"}}), Obj({{"name", volume}})})}})}}));
  }
};

const std::string kAssociation = "podidentityassociations east/restate";
const std::string kPiaJob = "jobs east/restate-pia-canary";

TEST_CASE("AWS: no pod is rolled before the association is made at AWS") {
  Aws scene;
  CHECK(scene.Steps() ==
        Steps{"apply networkpolicies east/allow-restate-egress-to-aws-pod-identity as restate-operator",
              "apply " + kAssociation + " as restate-operator"});
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationNotSynced");
  CHECK(scene.Plan().look_again == absl::Minutes(1));
  scene.Synced();
  scene.Association()["status"] = Condition("ACK.Terminal", "True", "Refused", "role does not exist");
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationNotSynced");
  CHECK(absl::StrContains(MessageOfWait(scene), "Refused: role does not exist"));
  CHECK(!RollsPods(scene));
}

TEST_CASE("AWS: then a canary has to find the credentials") {
  Aws scene;
  scene.Synced();
  CHECK(scene.Steps().back() == "apply " + kPiaJob + " as restate-operator");
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationCanaryPending");
  const json::Value job = Applied(scene.Plan(), kJobs, "restate-pia-canary");
  CHECK(job.IntAt({"spec", "activeDeadlineSeconds"}) == 300);
  CHECK(job.StringAt({"metadata", "labels", "app.kubernetes.io/name"}) == "restate-pia-canary");
  scene.Tried();
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationCanaryPending");
  CHECK(!RollsPods(scene));
  scene.Canary()["status"] = Condition("Complete", "True");
  CHECK(RollsPods(scene));
  CHECK(!scene.Plan().wait);
  const json::Value set = Applied(scene.Plan(), kube::kStatefulSets, "restate");
  CHECK(set.StringAt({"spec", "template", "metadata", "annotations",
                      "restate.dev/aws-pod-identity-association-role-arn"}) == "arn:aws:iam::1:role/r");
}

TEST_CASE("AWS: a canary that succeeded is not run again, whatever it was made with") {
  Aws scene;
  scene.Tried();
  scene.Canary()["status"] = Condition("Complete", "True");
  scene.compute()["tolerations"] = Arr({Obj({{"operator", "Exists"}})});
  scene.config.canary_image = "another";
  for (const std::string& step : scene.Steps()) CHECK(!absl::StrContains(step, kPiaJob));
}

TEST_CASE("AWS: a canary that failed can be looked at for a minute, and then the next one comes") {
  Aws scene;
  scene.Tried();
  scene.Canary()["status"] = Condition("Failed", "True", "DeadlineExceeded", "active longer than its deadline");
  json::Value& failed = (*scene.Canary()["status"]["conditions"].array())[0];
  failed["lastTransitionTime"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", scene.now, absl::UTCTimeZone());
  scene.now += absl::Seconds(20);
  for (const std::string& step : scene.Steps()) CHECK(!absl::StrContains(step, kPiaJob));
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationCanaryFailed");
  CHECK(absl::StrContains(MessageOfWait(scene), "DeadlineExceeded: active longer"));
  CHECK(scene.Plan().look_again == absl::Seconds(40));
  CHECK(!RollsPods(scene));
  SUBCASE("the minute is over") { scene.now += absl::Seconds(40); }
  SUBCASE("a clock is wrong") { scene.now -= absl::Hours(2); }
  SUBCASE("nobody says since when") { failed.Erase("lastTransitionTime"); }
  CHECK(scene.Steps().back() == "delete " + kPiaJob + " uid jobs-restate-pia-canary");
  CHECK(scene.Plan().again);
  CHECK(!RollsPods(scene));
  const auto plan = scene.Plan();
  CHECK(std::get<plan::Delete>(plan.steps.back()).propagation == "Background");
}

TEST_CASE("AWS: the volume in a pod of this canary is proof enough") {
  Aws scene;
  scene.Tried();
  scene.AddPod("jobs-restate-pia-canary", "data");
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationCanaryPending");
  scene.AddPod("an earlier job", "eks-pod-identity-token");
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationCanaryPending");
  scene.AddPod("jobs-restate-pia-canary", "eks-pod-identity-token");
  CHECK(RollsPods(scene));
  CHECK(!scene.Plan().wait);
}

TEST_CASE("AWS: a canary that cannot be changed is replaced") {
  Aws scene;
  scene.Tried();
  scene.config.canary_image = "another";
  const auto plan = scene.Plan();
  CHECK(std::get<plan::Apply>(plan.steps.back()).replace_if_immutable);
  scene.Canary()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  for (const std::string& step : scene.Steps()) CHECK(!absl::StrContains(step, kPiaJob));
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationCanaryPending");
}

TEST_CASE("AWS: without a role nothing of it stays, but what is somebody else's") {
  Aws scene;
  scene.Tried();
  scene.security().Erase("awsPodIdentityAssociationRoleArn");
  CHECK(scene.Steps() == Steps{"delete " + kAssociation + " uid podidentityassociations-restate",
                               "delete " + kPiaJob + " uid jobs-restate-pia-canary"});
  scene.Association()["metadata"].Erase("ownerReferences");
  scene.Canary()["metadata"].Erase("ownerReferences");
  CHECK(scene.Steps() == kNothing);
  scene.security()["awsPodIdentityAssociationRoleArn"] = "arn";
  CHECK(ReadyOf(scene.Report()) == "False NameTaken");
}

TEST_CASE("AWS: an operator that knows no EKS cluster warns and goes on") {
  Aws scene;
  scene.config.aws_pod_identity_association_cluster.clear();
  CHECK(RollsPods(scene));
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
  CHECK(ConditionOf(scene.Report(), "Warning") == "True PodIdentityNotConfigured");
  CHECK(!absl::StrContains(json::Dump(Applied(scene.Plan(), kube::kStatefulSets, "restate")), "role-arn"));
}

TEST_CASE("AWS: without the controller's API the cluster waits") {
  Aws scene;
  scene.listed = {kJobs, kube::kPods};
  CHECK(ReadyOf(scene.Report()) == "False PodIdentityAssociationNotSynced");
  CHECK(absl::StrContains(MessageOfWait(scene), "not installed"));
}

TEST_CASE("AWS: security groups come and go with the list") {
  Scene scene;
  scene.listed = {kSecurityGroupPolicies};
  scene.Run();
  scene.security()["awsPodSecurityGroups"] = Arr({"sg-1", "sg-2"});
  const auto groups = [&] {
    return std::string(
        Applied(scene.Plan(), kube::kStatefulSets, "restate")
            .StringAt({"spec", "template", "metadata", "annotations", "restate.dev/aws-security-groups"}));
  };
  const std::string policy = "securitygrouppolicies east/restate";
  CHECK(scene.Steps() == Steps{"apply " + policy + " as restate-operator"});
  json::Value made = SecurityGroupPolicyFor(scene.See());
  made["metadata"]["uid"] = "made";
  scene.Add(kSecurityGroupPolicies, made);
  CHECK(groups() == "sg-1,sg-2");
  scene.security()["awsPodSecurityGroups"] = json::Array();
  CHECK(scene.Steps() == Steps{"delete " + policy + " uid made"});
  scene.listed.clear();
  scene.Remove(kSecurityGroupPolicies, "restate");
  scene.security()["awsPodSecurityGroups"] = Arr({"sg-1"});
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
  CHECK(ConditionOf(scene.Report(), "Warning") == "True SecurityGroupPoliciesNotInstalled");
  CHECK(groups().empty());
  // Pods are not rolled because an API is away.
  scene.StatefulSet()["spec"]["template"]["metadata"]["annotations"]["restate.dev/aws-security-groups"] = "sg-1";
  CHECK(groups() == "sg-1");
}

TEST_CASE("AWS: pods are rolled for security groups that are in force, and for no others") {
  Scene scene;
  scene.listed = {kSecurityGroupPolicies};
  scene.Run();
  scene.security()["awsPodSecurityGroups"] = Arr({"sg-1"});
  const auto groups = [&] {
    return std::string(
        Applied(scene.Plan(), kube::kStatefulSets, "restate")
            .StringAt({"spec", "template", "metadata", "annotations", "restate.dev/aws-security-groups"}));
  };
  const auto step = [&] {
    const auto plan = scene.Plan();
    for (const plan::Step& one : plan.steps) {
      const auto* apply = std::get_if<plan::Apply>(&one);
      if (apply && apply->resource == kSecurityGroupPolicies) return *apply;
    }
    FAIL("no policy is applied");
    return plan::Apply();
  };
  // Should it be made, the next plan is the one with pods in its groups; should it be refused, this one goes on.
  CHECK(step().ends_plan);
  REQUIRE(step().if_refused);
  CHECK(step().if_refused->reason == "SecurityGroupPolicyRefused");
  CHECK(absl::StartsWith(step().if_refused->note, "spec.security.awsPodSecurityGroups: "));
  CHECK(groups().empty());
  scene.Add(kSecurityGroupPolicies, SecurityGroupPolicyFor(scene.See()));
  CHECK(!step().ends_plan);
  CHECK(groups() == "sg-1");
  scene.StatefulSet()["spec"]["template"]["metadata"]["annotations"]["restate.dev/aws-security-groups"] = "sg-1";
  scene.security()["awsPodSecurityGroups"] = Arr({"sg-1", "sg-2"});
  CHECK(step().ends_plan);
  CHECK(groups() == "sg-1");
  scene.Remove(kSecurityGroupPolicies, "restate");
  CHECK(groups() == "sg-1");
}

TEST_CASE("what was refused and can be done without is a warning beside Ready, and told once") {
  Scene scene;
  scene.Run();
  const plan::Outcome outcome{
      .refused = {{.warning = true, .reason = "SecurityGroupPolicyRefused", .note = "no: 422"}}};
  const auto report = scene.Report(outcome);
  CHECK(ReadyOf(report) == "True Reconciled");
  CHECK(ConditionOf(report, "Warning") == "True SecurityGroupPolicyRefused");
  scene.cr()["status"] = report.status->wanted;
  CHECK(ConditionOf(scene.Report(), "Warning") == "none");
  CHECK(scene.Steps() == kNothing);
}

// A running cluster whose ServiceAccount is to act as one of Google's.
struct Gcp : Scene {
  Gcp() {
    config.gcp_workload_identity = true;
    listed = {kPolicyMembers, kJobs};
    Run();
    Email("app@proj-1.iam.gserviceaccount.com");
  }
  void Email(std::string_view email) {
    security()["serviceAccountAnnotations"] = Obj({{"iam.gke.io/gcp-service-account", email}});
  }
  json::Value& Member() { return At(kPolicyMembers, "restate-workload-identity"); }
  json::Value& Canary() { return At(kJobs, "restate-wi-canary"); }
  void Bound() {
    Add(kPolicyMembers, PolicyMemberFor(See()));
    Member()["status"] = Condition("Ready", "True");
  }
};

TEST_CASE("GCP: bound, then proven by a canary, then used") {
  Gcp scene;
  CHECK(scene.Steps() == Steps{"apply serviceaccounts east/restate as restate-operator",
                               "apply iampolicymembers east/restate-workload-identity as restate-operator"});
  CHECK(ReadyOf(scene.Report()) == "False IAMPolicyMemberNotReady");
  const json::Value member = Applied(scene.Plan(), kPolicyMembers, "restate-workload-identity");
  CHECK(member.StringAt({"spec", "member"}) == "serviceAccount:proj-1.svc.id.goog[east/restate]");
  CHECK(member.StringAt({"spec", "resourceRef", "apiVersion"}) == "iam.cnrm.cloud.google.com/v1beta1");
  CHECK(member.StringAt({"metadata", "annotations", "cnrm.cloud.google.com/project-id"}) == "proj-1");
  scene.Bound();
  CHECK(ReadyOf(scene.Report()) == "False WorkloadIdentityCanaryPending");
  CHECK(!RollsPods(scene));
  scene.Add(kJobs, WorkloadIdentityCanaryFor(scene.See()));
  scene.Canary()["status"] = Condition("Complete", "True");
  CHECK(Applied(scene.Plan(), kube::kStatefulSets, "restate")
            .StringAt({"spec", "template", "metadata", "annotations", "restate.dev/gcp-service-account"}) ==
        "app@proj-1.iam.gserviceaccount.com");
  scene.Canary()["status"] = Condition("Failed", "True");
  CHECK(ReadyOf(scene.Report()) == "False WorkloadIdentityCanaryFailed");
}

TEST_CASE("GCP: Config Connector's words are told, and what it says of an older binding does not count") {
  Gcp scene;
  scene.Bound();
  scene.Member()["status"] = Condition("Ready", "False", "UpdateFailed", "permission denied");
  CHECK(ReadyOf(scene.Report()) == "False IAMPolicyMemberNotReady");
  CHECK(absl::StrContains(MessageOfWait(scene), "UpdateFailed: permission denied"));
  scene.Member()["status"] = Condition("Ready", "True");
  scene.Member()["status"]["observedGeneration"] = 1;
  scene.Member()["metadata"]["generation"] = 2;
  CHECK(ReadyOf(scene.Report()) == "False IAMPolicyMemberNotReady");
  scene.Member()["status"]["observedGeneration"] = 2;
  CHECK(ReadyOf(scene.Report()) == "False WorkloadIdentityCanaryPending");
}

TEST_CASE("GCP: without Config Connector the cluster waits") {
  Gcp scene;
  scene.listed = {kJobs};
  CHECK(ReadyOf(scene.Report()) == "False IAMPolicyMemberCRDNotFound");
  CHECK(scene.Plan().look_again == absl::Minutes(1));
  CHECK(!RollsPods(scene));
}

TEST_CASE("GCP: without the annotation nothing of it stays, and without the switch nothing is done") {
  Gcp scene;
  scene.Bound();
  scene.security().Erase("serviceAccountAnnotations");
  CHECK(scene.Steps() == Steps{"delete iampolicymembers east/restate-workload-identity uid "
                               "iampolicymembers-restate-workload-identity"});
  scene.Email("whatever");
  scene.config.gcp_workload_identity = false;
  CHECK(scene.Steps() == Steps{"apply serviceaccounts east/restate as restate-operator"});
}

TEST_CASE("GCP: addresses of another shape are mistakes that name their field") {
  for (const char* email :
       {"a", "a@b", "@p.iam.gserviceaccount.com", "a@.iam.gserviceaccount.com", "a@b@c.iam.gserviceaccount.com",
        "a@p].iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com.evil.example", "a@iam.gserviceaccount.com",
        "a@p/q.iam.gserviceaccount.com", "p@appspot.gserviceaccount.com"}) {
    CAPTURE(email);
    Gcp scene;
    scene.Email(email);
    CHECK(ReasonOf(scene.Plan().failure) == Reason::kInvalidRestateConfig);
    CHECK(absl::StartsWith(std::string(MessageOf(scene.Plan().failure)), "spec.security.serviceAccountAnnotations["));
    CHECK(scene.Plan().steps.empty());
  }
  Gcp scene;
  scene.security().Erase("serviceAccountAnnotations");
  scene.cr()["metadata"]["annotations"] = Obj({{"iam.gke.io/gcp-service-account", "a"}});
  CHECK(absl::StartsWith(std::string(MessageOf(scene.Plan().failure)), "metadata.annotations["));
}

TEST_CASE("canary pods satisfy the restricted Pod Security Standard and meet no selector of the cluster") {
  Scene scene;
  for (const json::Value& job : {PodIdentityCanaryFor(scene.See()), WorkloadIdentityCanaryFor(scene.See())}) {
    const json::Value& pod = *job.FindPath({"spec", "template", "spec"});
    CHECK(pod.BoolAt({"securityContext", "runAsNonRoot"}));
    CHECK(pod.IntAt({"securityContext", "runAsUser"}) == 1000);
    CHECK(pod.StringAt({"securityContext", "seccompProfile", "type"}) == "RuntimeDefault");
    const json::Value& container = pod.Find("containers")->array()->front();
    CHECK(!container.BoolAt({"securityContext", "allowPrivilegeEscalation"}, true));
    CHECK(json::Dump(*container.FindPath({"securityContext", "capabilities", "drop"})) == R"(["ALL"])");
    CHECK(job.StringAt({"spec", "template", "metadata", "labels", "app.kubernetes.io/name"}) != "restate");
  }
}

}  // namespace
}  // namespace restate::cluster
