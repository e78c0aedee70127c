"""Kinds that only some installations have: made and waited for where they are there, told where they are not, noticed
when they come, done without when they go. Nodes are simulated; the tests play the clouds' controllers.
"""
from dataclasses import dataclass
from typing import Callable

import pytest

from labkit import cloud_apis, restate_operator, storage
from labkit.client import MERGE

from .cluster import Cluster
from .own_lab import operator_on
from .waiting import Quiet, eventually

pytestmark = pytest.mark.long
NODE = "kwok-0"
EKS = "my-eks"
CLOUDS = {"AWS_POD_IDENTITY_ASSOCIATION_CLUSTER": EKS, "GCP_WORKLOAD_IDENTITY": "true"}
ROLE = "arn:aws:iam::123456789012:role/restate"
ACCOUNT = "restate@my-project.iam.gserviceaccount.com"
NOTICED = 5  # seconds after an API is served
BUSY = 60  # requests of the operator after all of them have gone: its passes, and looks whether they are back
LISTS = "restate_operator_lists_total"
SYNCED = cloud_apis.condition("ACK.ResourceSynced", "True")
BOUND = cloud_apis.condition("Ready", "True", "UpToDate")
SIGNING = {"requestSigningPrivateKey": {"version": "v1", "secretProvider": {
    "provider": "aws", "path": "private.pem", "parameters": {"objects": "- objectName: key\n"}}}}
POD_IDENTITY = {"awsPodIdentityAssociationRoleArn": ROLE}
WORKLOAD_IDENTITY = {"serviceAccountAnnotations": {"iam.gke.io/gcp-service-account": ACCOUNT}}


def groups(*names):
    return {"awsPodSecurityGroups": list(names)}


@pytest.fixture(scope="module")
def cloud():
    """A lab with an operator that works for both clouds, and none of their APIs."""
    with operator_on(kwok_with_volumes, "apis", *more_rights(), env=CLOUDS) as operator:
        yield operator


def kwok_with_volumes(lab):
    lab.kwok()
    lab.apply(storage.CLASS)
    lab.start("storage", storage.command(lab))


def more_rights():
    name = "restate-operator-clouds"
    subject = {"kind": "ServiceAccount", "name": "restate-operator", "namespace": restate_operator.NAMESPACE}
    group = "rbac.authorization.k8s.io"
    return [{"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name},
             "rules": cloud_apis.rules()},
            {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
             "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name}, "subjects": [subject]}]


@pytest.fixture
def lab(cloud):
    """With an operator that lives through the test, and without the APIs afterwards."""
    yield cloud.lab
    alive = cloud.alive()
    if not alive:
        cloud.start()
    cloud.lab.kubectl("uncordon", NODE)
    cloud_apis.remove(cloud.lab, *cloud_apis.ALL)
    assert alive, "the operator ended during the test"


@pytest.fixture
def install(cloud, lab):
    """Installs an API and waits until the operator follows it: what is made then is made with it."""
    def until_followed(crd):
        label = '{resource="%s"}' % cloud_apis.name_of(crd)
        before = cloud.metric(LISTS).get(label, 0)
        cloud_apis.install(lab, crd)
        eventually("the operator follows it", lambda: cloud.metric(LISTS).get(label, 0) > before, NOTICED,
                   lambda: cloud.metric(LISTS))
    return until_followed


@pytest.fixture
def cluster(lab, request):
    """One that asks for nothing special yet."""
    made = Cluster(lab, request.node.name.removeprefix("test_")[:30].translate(str.maketrans("_[]", "---")).strip("-"),
                   cluster={"autoProvision": False})
    yield made
    made.leave()


def get(cluster, crd, name="restate"):
    return cluster.get(cloud_apis.path(crd, cluster.name, name))


def job(cluster, name):
    return cluster.get(f"/apis/batch/v1/namespaces/{cluster.name}/jobs/{name}")


def template(cluster):
    return (cluster.stateful_set() or {"spec": {"template": {}}})["spec"]["template"]


def annotations(cluster):
    return template(cluster).get("metadata", {}).get("annotations", {})


def volumes(cluster):
    return [volume["name"] for volume in template(cluster).get("spec", {}).get("volumes", [])]


def told(cluster, about, reason, *texts):
    """Whether a condition has this reason and these words."""
    _, found, message = cluster.condition(about)
    return found == reason and all(text in message for text in texts)


def until_told(cluster, about, reason, *texts, timeout=30):
    eventually(f"{about} is {reason} with {texts}", lambda: told(cluster, about, reason, *texts), timeout, cluster.status)


def test_pod_identity_at_aws(lab, install, cluster):
    crd = cloud_apis.POD_IDENTITY_ASSOCIATIONS
    install(crd)
    lab.kubectl("cordon", NODE)
    cluster.apply(security=POD_IDENTITY)
    cluster.until_condition("False", "PodIdentityAssociationNotSynced")
    assert get(cluster, crd)["spec"] == {"clusterName": EKS, "namespace": cluster.name, "serviceAccount": "restate",
                                         "roleARN": ROLE}
    cloud_apis.report(lab, crd, cluster.name, "restate", conditions=[
        cloud_apis.condition("ACK.Terminal", "True", "AccessDenied", "no such role")])
    until_told(cluster, "Ready", "PodIdentityAssociationNotSynced", "no such role")
    assert not job(cluster, "restate-pia-canary") and not cluster.stateful_set()

    cloud_apis.report(lab, crd, cluster.name, "restate", conditions=[SYNCED])
    cluster.until_condition("False", "PodIdentityAssociationCanaryPending")
    assert job(cluster, "restate-pia-canary") and not cluster.stateful_set()
    lab.kubectl("uncordon", NODE)
    cluster.until_ready()
    assert annotations(cluster) == {"restate.dev/aws-pod-identity-association-cluster": EKS,
                                    "restate.dev/aws-pod-identity-association-role-arn": ROLE}
    assert cluster.child("networkpolicies", "allow-restate-egress-to-aws-pod-identity")

    cluster.apply(security={})
    eventually("nothing of it is left", lambda: not get(cluster, crd) and not job(cluster, "restate-pia-canary")
               and not annotations(cluster), told=cluster.status)


def test_canary_without_credentials(lab, install, cluster):
    crd = cloud_apis.POD_IDENTITY_ASSOCIATIONS
    install(crd)
    lab.kubectl("cordon", NODE)
    cluster.apply(security=POD_IDENTITY)
    eventually("the association is there", lambda: get(cluster, crd))
    cloud_apis.report(lab, crd, cluster.name, "restate", conditions=[SYNCED])
    first = eventually("the canary is there", lambda: job(cluster, "restate-pia-canary"))["metadata"]["uid"]
    eventually("both tries have failed", lambda: fail_pods(cluster) or told(
        cluster, "Ready", "PodIdentityAssociationCanaryFailed", "AWS credentials"), told=cluster.status)
    cluster.patch({"metadata": {"annotations": {"a": "b"}}})  # wakes it, and brings no next one
    assert job(cluster, "restate-pia-canary")["metadata"]["uid"] == first  # to be looked at, for a minute
    lab.kubectl("uncordon", NODE)
    eventually("there is another one", lambda: (job(cluster, "restate-pia-canary") or {"metadata": {"uid": first}})
               ["metadata"]["uid"] != first, 90)
    cluster.until_ready()


def fail_pods(cluster):
    """What kubelet says of a program that ends with 1. None, to go on with."""
    for item in cluster.get(f"/api/v1/namespaces/{cluster.name}/pods")["items"]:
        if item["status"]["phase"] == "Pending":
            path = f"/api/v1/namespaces/{cluster.name}/pods/{item['metadata']['name']}/status"
            cluster.lab.api.request("PATCH", path, {"status": {"phase": "Failed"}}, content_type=MERGE)


def test_workload_identity_at_google(lab, install, cluster):
    crd = cloud_apis.IAM_POLICY_MEMBERS
    install(crd)
    lab.kubectl("cordon", NODE)
    cluster.apply(security=WORKLOAD_IDENTITY)
    cluster.until_condition("False", "IAMPolicyMemberNotReady")
    made = get(cluster, crd, "restate-workload-identity")
    assert made["spec"] == {
        "member": f"serviceAccount:my-project.svc.id.goog[{cluster.name}/restate]",
        "role": "roles/iam.workloadIdentityUser",
        "resourceRef": {"apiVersion": "iam.cnrm.cloud.google.com/v1beta1", "kind": "IAMServiceAccount",
                        "external": f"projects/my-project/serviceAccounts/{ACCOUNT}"}}
    assert made["metadata"]["annotations"] == {"cnrm.cloud.google.com/project-id": "my-project"}
    cloud_apis.report(lab, crd, cluster.name, "restate-workload-identity", observedGeneration=1, conditions=[
        cloud_apis.condition("Ready", "False", "UpdateFailed", "permission denied")])
    until_told(cluster, "Ready", "IAMPolicyMemberNotReady", "permission denied")

    cloud_apis.report(lab, crd, cluster.name, "restate-workload-identity", observedGeneration=1, conditions=[BOUND])
    cluster.until_condition("False", "WorkloadIdentityCanaryPending")
    assert not cluster.stateful_set()
    lab.kubectl("uncordon", NODE)
    cluster.until_ready()
    assert annotations(cluster) == {"restate.dev/gcp-service-account": ACCOUNT}
    account = cluster.child("serviceaccounts", "restate")
    assert account["metadata"]["annotations"]["iam.gke.io/gcp-service-account"] == ACCOUNT


def test_signing_key_by_csi(install, cluster):
    install(cloud_apis.SECRET_PROVIDER_CLASSES)
    cluster.apply(security=SIGNING).until_ready()
    made = get(cluster, cloud_apis.SECRET_PROVIDER_CLASSES, "request-signing-key-v1")
    assert made["spec"] == {"provider": "aws", "parameters": {"objects": "- objectName: key\n"}}
    assert "request-signing-private-key-secret-provider" in volumes(cluster)
    assert cluster.condition("Warning")[0] is None
    cluster.apply(security={})
    eventually("the class is gone", lambda: not get(cluster, cloud_apis.SECRET_PROVIDER_CLASSES,
                                                    "request-signing-key-v1"))
    eventually("the volume is gone", lambda: "request-signing-private-key-secret-provider" not in volumes(cluster))


def test_security_groups(install, cluster):
    crd = cloud_apis.SECURITY_GROUP_POLICIES
    install(crd)
    cluster.apply(security=groups("sg-1", "sg-2")).until_ready()
    assert get(cluster, crd)["spec"]["securityGroups"] == {"groupIds": ["sg-1", "sg-2"]}
    assert annotations(cluster) == {"restate.dev/aws-security-groups": "sg-1,sg-2"}
    assert len(cluster.list("controllerrevisions")) == 1  # no pod was made without them

    before = cluster.uids()
    cluster.apply(security=groups(*(f"sg-{number}" for number in range(6))))
    until_told(cluster, "Warning", "SecurityGroupPolicyRefused", "spec.security.awsPodSecurityGroups", "groupIds",
               "at most 5")
    cluster.until_ready()
    assert cluster.uids() == before and get(cluster, crd)["spec"]["securityGroups"]["groupIds"] == ["sg-1", "sg-2"]
    cluster.apply(compute={"labels": {"team": "a"}})  # the rest goes on
    eventually("the pods are made anew", lambda: set(cluster.uids().values()) - set(before.values()), told=cluster.status)
    cluster.until_ready()
    assert annotations(cluster) == {"restate.dev/aws-security-groups": "sg-1,sg-2"}
    assert cluster.events("SecurityGroupPolicyRefused")

    cluster.apply(security=groups("sg-3"))
    eventually("the pods get the others", lambda: annotations(cluster) == {"restate.dev/aws-security-groups": "sg-3"},
               told=cluster.status)
    eventually("the warning is gone", lambda: cluster.condition("Warning")[0] is None, told=cluster.status)
    cluster.until_ready()
    cluster.apply(security={})
    eventually("the policy is gone", lambda: not get(cluster, crd), told=cluster.status)


def test_security_groups_that_are_refused_at_first(install, cluster):
    install(cloud_apis.SECURITY_GROUP_POLICIES)
    cluster.apply(security=groups(*(f"sg-{number}" for number in range(6)))).until_ready()
    until_told(cluster, "Warning", "SecurityGroupPolicyRefused", "at most 5")
    assert annotations(cluster) == {}
    before = cluster.uids()
    cluster.apply(security=groups("sg-1"))
    eventually("the pods are made anew, in the group", lambda: annotations(cluster) == {
        "restate.dev/aws-security-groups": "sg-1"} and set(cluster.uids().values()) - set(before.values()),
               told=cluster.status)
    cluster.until_ready()


@dataclass
class Api:
    crd: dict
    security: dict
    about: str  # condition and reason by which its absence is told
    reason: str
    status: str  # of Ready meanwhile
    uses: Callable  # takes the cluster: whether it goes on with the API


APIS = {
    "csi": Api(cloud_apis.SECRET_PROVIDER_CLASSES, SIGNING, "Warning", "SecretProviderClassesNotInstalled", "True",
               lambda cluster: get(cluster, cloud_apis.SECRET_PROVIDER_CLASSES, "request-signing-key-v1") and
               "request-signing-private-key-secret-provider" in volumes(cluster)),
    "groups": Api(cloud_apis.SECURITY_GROUP_POLICIES, groups("sg-1"), "Warning", "SecurityGroupPoliciesNotInstalled",
                  "True", lambda cluster: get(cluster, cloud_apis.SECURITY_GROUP_POLICIES) and
                  annotations(cluster) == {"restate.dev/aws-security-groups": "sg-1"}),
    "ack": Api(cloud_apis.POD_IDENTITY_ASSOCIATIONS, POD_IDENTITY, "Ready", "PodIdentityAssociationNotSynced", "False",
               lambda cluster: get(cluster, cloud_apis.POD_IDENTITY_ASSOCIATIONS)),
    "cnrm": Api(cloud_apis.IAM_POLICY_MEMBERS, WORKLOAD_IDENTITY, "Ready", "IAMPolicyMemberCRDNotFound", "False",
                lambda cluster: get(cluster, cloud_apis.IAM_POLICY_MEMBERS, "restate-workload-identity")),
}


@pytest.fixture
def askers(lab):
    """For each API a cluster that asks for it."""
    made = {name: Cluster(lab, f"later-{name}", cluster={"autoProvision": False}) for name in APIS}
    yield made
    for cluster in made.values():
        cluster.leave()


def test_later(lab, askers):
    """Absent, installed one by one while the operator runs, all removed, and installed once more."""
    for name, api in APIS.items():
        askers[name].apply(security=api.security)
    until_all_are_told(askers)
    for name, api in APIS.items():
        cluster = askers[name]
        eventually(f"Ready is {api.status}", lambda: cluster.condition()[0] == api.status, told=cluster.status)
        assert bool(cluster.stateful_set()) == (api.status == "True")  # no pod starts without its identity
    for _ in range(2):
        quiet = Quiet(lab, restate_operator.AGENT)
        for name, api in APIS.items():
            cloud_apis.install(lab, api.crd)
            eventually(f"{name}: the cluster goes on with it", lambda: api.uses(askers[name]), NOTICED,
                       askers[name].status)
        for name, api in APIS.items():
            eventually(f"{name}: nobody says that it is missing", lambda: not told(
                askers[name], api.about, api.reason, "not installed"), told=askers[name].status)
        quiet.until_quiet()
        before, pods = Quiet(lab, restate_operator.AGENT), {name: askers[name].uids() for name in APIS}
        cloud_apis.remove(lab, *(api.crd for api in APIS.values()))
        until_all_are_told(askers)
        before.until_quiet()
        assert len(before.requests()) < BUSY, before.requests()
        assert {name: askers[name].uids() for name in APIS} == pods  # those that have it keep it


def until_all_are_told(askers):
    for name, api in APIS.items():
        until_told(askers[name], api.about, api.reason, cloud_apis.name_of(api.crd))
