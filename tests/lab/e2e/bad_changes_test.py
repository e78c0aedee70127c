"""Mistakes in a RestateCluster that is at work: its nodes go on as they are, and it goes on when they are mended."""
import json

import pytest

from labkit import clusters, restate_operator, storage
from labkit.client import MERGE

from .cluster import Cluster
from .waiting import Quiet, eventually

RIGID = "rigid"  # a class whose volumes cannot grow
OTHER = clusters.SIZE // 2

MISTAKES = {  # name -> (merge patch of the spec, text in the message)
    "another-name": ({"clusterName": "other"}, "spec.clusterName: the data of the nodes belongs"),
    "less-storage": ({"storage": {"storageRequestBytes": OTHER}}, "spec.storage.storageRequestBytes: volumes cannot"),
    "no-config": ({"config": None}, "spec.config: must have the line `auto-provision = false`"),
    "no-image": ({"compute": {"image": ""}}, "spec.compute.image: must not be empty"),
    "below-0": ({"compute": {"replicas": -1}}, "spec.compute.replicas: must be 0 or more"),
    "volume-of-ours": ({"storage": {"storageRequestBytes": 2 * clusters.SIZE},  # the StatefulSet would be replaced
                        "compute": {"extraVolumes": [{"name": "storage", "emptyDir": {}}]}},
                       "spec.compute.extraVolumes[0]: the name storage"),
}


@pytest.fixture(scope="module")
def live(lab, running):
    lab.apply({**storage.CLASS, "metadata": {"name": RIGID}, "allowVolumeExpansion": False})
    cluster = Cluster(lab, "odd-live").apply(
        storage={"storageRequestBytes": clusters.SIZE, "storageClassName": RIGID})
    told = Cluster(lab, "odd-told").apply()
    tell(told, True)
    yield cluster.until_ready(), told
    for found in (cluster, told):
        found.delete()
    for found in (cluster, told):
        found.until_gone()
    lab.kubectl("delete", "storageclass", RIGID)


def tell(cluster, provisioned):
    """Somebody writes it into the status."""
    status, said = cluster.lab.api.request("PATCH", f"{cluster.path}/status", {"status": {"provisioned": provisioned}},
                                           content_type=MERGE)
    assert status == 200, said


def spec_of(cluster):
    return json.loads(json.dumps(cluster.object()["spec"]))


def put_back(cluster, spec):
    def done():
        body = {**cluster.object(), "spec": spec}
        return cluster.lab.api.request("PUT", cluster.path, body)[0] == 200
    eventually("the spec is as it was", done)


def until_says(cluster, status, reason, *texts):
    def says():
        found = cluster.condition()
        return found[:2] == (status, reason) and all(text in found[2] for text in texts)
    eventually(f"Ready is {status} with {reason} and {texts}", says, 60, cluster.status)


@pytest.mark.parametrize("row", MISTAKES)
def test_nodes_go_on_while_there_is_a_mistake(lab, live, the_operator, row):
    cluster, (change, text) = live[0], MISTAKES[row]
    good, pods, version = spec_of(cluster), cluster.uids(), cluster.stateful_set()["metadata"]["resourceVersion"]
    quiet = Quiet(lab, restate_operator.AGENT)
    cluster.patch({"spec": change})
    until_says(cluster, "False", "InvalidRestateConfig", text)
    put_back(cluster, good)
    cluster.until_ready(60)
    assert cluster.stateful_set()["metadata"]["resourceVersion"] == version and cluster.uids() == pods
    assert [write for write in quiet.writes() if f"/namespaces/{cluster.name}" in write[1]] == []


def test_a_volume_that_cannot_grow_keeps_nothing_else_back(live, the_operator):
    cluster = live[0]
    good, pods, version = spec_of(cluster), cluster.uids(), cluster.stateful_set()["metadata"]["uid"]
    cluster.patch({"spec": {"storage": {"storageRequestBytes": 2 * clusters.SIZE},
                            "security": {"serviceAnnotations": {"example.com/a": "b"}}}})
    until_says(cluster, "Unknown", "FailedReconcile", f"{cluster.name}/storage-restate-0", "resize")
    assert cluster.child("services", "restate")["metadata"]["annotations"] == {"example.com/a": "b"}
    put_back(cluster, good)
    cluster.until_ready(60)
    assert cluster.stateful_set()["metadata"]["uid"] == version and cluster.uids() == pods


def test_what_nodes_know_is_not_provisioned_again(live, the_operator):
    cluster = live[0]
    before = cluster.identity("restate-0")
    tell(cluster, False)
    cluster.patch({"spec": {"security": {"serviceAnnotations": {"example.com/a": "c"}}}})  # for a pass
    eventually("the status says so again", lambda: cluster.status().get("provisioned") is True, 30, cluster.status)
    cluster.until_ready(60)
    assert cluster.identity("restate-0")["node_id"] == before["node_id"]


def test_who_is_told_that_it_is_provisioned_does_not_provision(live, the_operator):
    """A status that came with a backup: only its author knows."""
    cluster = live[1]
    eventually("its node runs", lambda: cluster.pods().get("restate-0", {}).get("status", {}).get("phase") == "Running")
    until_says(cluster, "False", "StatefulSetPodNotReady", "restate-0")
    assert cluster.status()["provisioned"] is True
    assert cluster.identity("restate-0") is None or cluster.identity("restate-0")["metadata_server_status"] != "Member"
