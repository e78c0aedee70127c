"""A RestateCluster on the real node: from nothing to Ready, its nodes one cluster, and what people do with it then."""
import pytest

from labkit import clusters, restate_operator
from labkit.client import MERGE

from .cluster import ABSENCE, KINDS, Absence, Cluster
from .service import Service
from .waiting import Quiet, eventually

DRIFT = 2  # seconds in which what somebody changed is put back
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def three(lab, running):
    """Three nodes, for all tests here; each leaves it Ready."""
    cluster = Cluster(lab, f"{clusters.PATIENT}-three", 3).apply()
    yield cluster.until_ready()
    cluster.delete()
    cluster.until_gone()


@pytest.fixture
def service(lab, the_operator, namespace, three):
    return Service(lab, namespace, restate_namespace=three.name, register={"cluster": three.name})


def test_three_nodes_are_provisioned_as_one_cluster(three):
    assert three.status()["provisioned"] is True
    assert three.status()["replicas"] == three.status()["readyReplicas"] == 3
    said = [three.identity(pod) for pod in sorted(three.pods())]
    assert sorted(found["node_id"].split(":")[0] for found in said) == ["N1", "N2", "N3"]
    assert {found["cluster_name"] for found in said} == {three.name}
    assert {found["metadata_server_status"] for found in said} == {"Member"}
    assert len(eventually("its event", lambda: three.events("Provisioned"))) == 1
    assert not [c for c in three.status()["conditions"] if c["type"] in ("Reconciling", "Stalled")]


def test_a_service_registers_with_it_by_name(three, service):
    service.apply("v1").until_ready()
    assert service.greet() == "v1"
    service.delete()
    service.until_gone()


def test_nothing_is_written_while_nothing_changes(lab, three):
    quiet = Quiet(lab, restate_operator.AGENT)
    quiet.until_quiet(8)
    assert [write for write in quiet.writes() if three.name in write[1]] == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("pods", "persistentvolumeclaims", "events",
                                                                         "statefulsets", "controllerrevisions")])
def test_what_somebody_deletes_is_made_again(lab, three, kind):
    for name, uid in three.uids(kind).items():
        lab.api.request("DELETE", f"{KINDS[kind]}/namespaces/{three.name}/{kind}/{name}")
        eventually(f"{kind} {name} is there again", lambda name=name, uid=uid: (three.child(kind, name) or {}).get(
            "metadata", {}).get("uid", uid) != uid, DRIFT)
    three.until_ready()


def test_what_somebody_changes_is_put_back_and_what_nobody_declared_stays(lab, three):
    def put_back(kind, name, change, as_it_was):
        path = f"{KINDS[kind]}/namespaces/{three.name}/{kind}/{name}?fieldManager=somebody"
        before = as_it_was()
        assert lab.api.request("PATCH", path, change, content_type=MERGE)[0] == 200
        eventually(f"{kind} {name} is as it was", lambda: as_it_was() == before, DRIFT)
    put_back("services", "restate", {"spec": {"selector": {"app.kubernetes.io/name": "other"}}},
             lambda: three.child("services", "restate")["spec"]["selector"])
    put_back("networkpolicies", "deny-all", {"spec": {"policyTypes": ["Ingress"]}},
             lambda: three.child("networkpolicies", "deny-all")["spec"]["policyTypes"])
    put_back("poddisruptionbudgets", "restate", {"spec": {"maxUnavailable": 3}},
             lambda: three.child("poddisruptionbudgets", "restate")["spec"]["maxUnavailable"])
    put_back("serviceaccounts", "restate", {"metadata": {"labels": {"app.kubernetes.io/name": "other"}}},
             lambda: three.child("serviceaccounts", "restate")["metadata"]["labels"])
    mine = {"metadata": {"annotations": {"somebody/note": "mine"}}}
    assert lab.api.request("PATCH", f"/api/v1/namespaces/{three.name}/services/restate?fieldManager=somebody", mine,
                           content_type=MERGE)[0] == 200
    three.patch({"spec": {"security": {"serviceAnnotations": {"example.com/team": "a"}}}})
    annotations = eventually("the annotation is there", lambda: three.child("services", "restate")["metadata"].get(
        "annotations", {}))
    eventually("both are there", lambda: {"somebody/note", "example.com/team"} <= set(
        three.child("services", "restate")["metadata"]["annotations"]), told=lambda: annotations)


def test_volumes_grow_while_the_pods_run_on(lab, three):
    pods, claims, stateful_set = three.uids(), three.uids("persistentvolumeclaims"), three.stateful_set()
    revision = stateful_set["status"]["updateRevision"]
    with Absence(three) as absence:
        three.apply(size=2 * clusters.SIZE)
        eventually("the StatefulSet is another one", lambda: (three.stateful_set() or stateful_set)["metadata"]["uid"]
                   != stateful_set["metadata"]["uid"], told=three.status)
        three.until_ready()
    assert absence.longest < ABSENCE
    assert three.uids() == pods and three.uids("persistentvolumeclaims") == claims
    assert three.stateful_set()["status"]["updateRevision"] == revision
    for claim in three.list("persistentvolumeclaims").values():
        assert claim["status"]["capacity"]["storage"] == str(2 * clusters.SIZE)


def test_another_configuration_rolls_the_nodes_and_loses_no_call(lab, three, service):
    service.apply("v1").until_ready()
    held = service.hold()
    before = three.uids()
    config, revisions = three.list("configmaps"), three.list("controllerrevisions")
    three.apply(config="\n[worker]\ncleanup-interval = \"30m\"\n")
    eventually("every node was made anew", lambda: len(three.uids()) == 3 and not set(before.values()) & set(
        three.uids().values()), 300, three.status, 0.5)
    three.until_ready()
    assert held.release() == "v1"
    assert set(config) < set(three.list("configmaps"))  # a rollback of the StatefulSet would need it
    for name in revisions:
        lab.api.request("DELETE", f"{KINDS['controllerrevisions']}/namespaces/{three.name}/controllerrevisions/{name}")
    eventually("the old configuration is gone", lambda: not set(config) & set(three.list("configmaps")), 30)
    assert len(three.list("configmaps")) == 1
    service.delete()
    service.until_gone()


def test_each_node_may_be_lost_while_the_operator_is(three, the_operator, service):
    service.apply("v1").until_ready()
    held = service.hold()
    for number in range(3):
        the_operator.kill()
        name = f"restate-{number}"
        before = three.pods()[name]["metadata"]["uid"]
        three.lab.kubectl("delete", "pod", name, "-n", three.name, "--wait=false")
        eventually(f"{name} is another pod", lambda: three.uids().get(name, before) != before, 60)
        the_operator.start()
        eventually("the operator is ready", the_operator.ready)
        eventually("the status tells of it", lambda: three.ready() and three.pods()[name]["status"].get(
            "containerStatuses", [{}])[0].get("ready"), 120, three.status, 0.5)
    assert three.status()["provisioned"] is True and len(three.events("Provisioned")) == 1
    assert held.release() == "v1"
    service.delete()
    service.until_gone()
