"""RestateClusters that cannot work: each says why, none disturbs another, and a mended one goes on. Odd ones may work.

There and back: after its answer one of each sort is made a good one, and comes to the same end as one that never was
anything else. Those of them that we refuse are then made bad once more, and nothing of what is there is touched.
"""
import json
import re

import pytest

from labkit import Lab, cloud_apis, clusters, restate_operator

from .bad_clusters import INVALID, NAMES, QUOTA, REFUSED, REJECTED, UNSTARTED, WAITING, named
from .cluster import KINDS, Cluster
from .conftest import living
from .end_state import child_state, differences, metadata_state
from .odd_cluster import (PATIENCE, TABLES, changed, create, has_policies, manifest, replace, until_answered, until_good,
                          until_says)
from .odd_clusters import FINE
from .optional_apis_test import CLOUDS, more_rights
from .own_lab import operator_on
from .waiting import SETTLED, Quiet, eventually

pytestmark = pytest.mark.busy
MADE = [kind for kind in KINDS if kind not in ("pods", "persistentvolumeclaims", "events", "controllerrevisions")]
FOREIGN = [named(row) for row in ("name-of-somebody", "replicas-1000")]  # namespaces that are there before
GOOD, GOOD_WITH_POLICIES = "no-replicas", "policies-off"  # once they are mended
# A name cannot be mended; of rows that differ in a value only, one is.
MENDED = [row for row in TABLES if row not in NAMES and not re.search("-[1-9][0-9]*$", row)]
BAD_AGAIN = [row for row in INVALID if row in MENDED]


@pytest.fixture(scope="module")
def operator():
    """Of a lab that goes with all of them: to remove what they are made of takes longer than to start one."""
    with operator_on(Lab.node, "odd", *more_rights(), *clusters.PROBE_SOON, env=CLOUDS) as started:
        cloud_apis.install(started.lab, *cloud_apis.ALL)
        yield started


@pytest.fixture(scope="module")
def lab(operator):
    return operator.lab


@pytest.fixture
def the_operator(operator):
    """It, with a look at whether it lived through the test."""
    with living(operator):
        yield operator


def kinds_of(row):
    return [kind for kind in MADE if kind != "networkpolicies" or has_policies(row)]


@pytest.fixture(scope="module")
def odd(lab, operator):
    """All of them at once, and a good neighbour in their midst."""
    lab.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in FOREIGN), QUOTA)
    found = {row: Cluster(lab, named(row)) for row in (*UNSTARTED, *TABLES)}  # pods take their time
    pid = operator.process.pid
    for number, row in enumerate(found):
        if number == len(found) // 2:
            neighbour = Cluster(lab, "odd-neighbour").apply()
        status, said = create(lab, changed(row, TABLES[row]))
        assert status == 201, (row, said)
    yield {**found, "neighbour": neighbour}
    assert operator.alive() and operator.process.pid == pid  # nobody had to start it again


@pytest.fixture(scope="module")
def neighbour(odd):
    """It, its status, and what is written about it from the moment on at which it is Ready and all is said of it."""
    def quiet():
        return Quiet(cluster.lab, restate_operator.AGENT, about=cluster.name)
    cluster = odd["neighbour"].until_ready(PATIENCE)
    quiet().until_quiet(SETTLED)
    return cluster, cluster.status(), quiet()


def test_a_neighbour_converges(neighbour, the_operator):
    assert neighbour[0].name not in {item["name"] for item in the_operator.get("/")[1]["waiting"]}
    assert neighbour[0].status()["provisioned"] is True


def assert_says(cluster, row):
    message = until_answered(cluster, row)
    assert len(message.encode()) <= 1024
    return message


@pytest.mark.parametrize("row", INVALID)
def test_we_say_what_is_wrong_and_make_nothing(odd, the_operator, row):
    cluster = odd[row]
    message, reason = assert_says(cluster, row), cluster.condition()[1]
    assert cluster.condition("Stalled")[0] == "True"
    eventually("a Warning event says the same", lambda: message in cluster.events(reason), told=cluster.status)
    assert not [name for kind in MADE for name in cluster.list(kind)]
    assert "finalizers" not in cluster.object()["metadata"]


@pytest.mark.parametrize("row", REJECTED)
def test_we_say_what_the_api_server_said_and_make_the_rest(odd, the_operator, row):
    cluster, refused = odd[row], REJECTED[row][1]
    assert_says(cluster, row)
    assert cluster.condition("Stalled")[0] == "True"
    rest = [kind for kind in MADE if cluster.list(kind) and kind != refused]
    assert rest == ([] if refused == "namespaces" else [kind for kind in kinds_of(row) if kind != refused])
    if refused == "networkpolicies":
        assert len(cluster.list(refused)) == 6 and "deny-all" in cluster.list(refused)


@pytest.mark.parametrize("row", REFUSED)
def test_the_schema_refuses_it(lab, odd, the_operator, row):
    change, text = REFUSED[row]
    status, said = create(lab, changed(row, change))
    assert status in (400, 413, 422, 500) and text in said["message"], (status, said)


@pytest.mark.parametrize("row", FINE)
def test_it_works(odd, the_operator, row):
    assert_says(odd[row], row)
    assert odd[row].condition("Stalled")[0] is None
    assert all(odd[row].list(kind) for kind in kinds_of(row) if (row, kind) != ("policies-off", "networkpolicies"))


@pytest.mark.parametrize("row", UNSTARTED)
def test_we_say_why_its_pods_do_not_start(odd, the_operator, row):
    assert_says(odd[row], row)
    assert all(odd[row].list(kind) for kind in kinds_of(row))


@pytest.mark.parametrize("row", WAITING)
def test_we_say_what_a_cloud_says(lab, odd, the_operator, row):
    cluster, text = odd[row], WAITING[row][2]
    until_says(cluster, "False", WAITING[row][1])
    if row.startswith("google"):
        cloud_apis.report(lab, cloud_apis.IAM_POLICY_MEMBERS, cluster.name, "restate-workload-identity",
                          conditions=[cloud_apis.condition("Ready", "False", "Refused", text)])
    else:
        cloud_apis.report(lab, cloud_apis.POD_IDENTITY_ASSOCIATIONS, cluster.name, "restate",
                          conditions=[cloud_apis.condition("ACK.Terminal", "True", "Refused", text)])
    assert_says(cluster, row)


def written(quiet, odd, rows):
    """The operator's writes of what the clusters of these rows are made of."""
    writes = quiet.writes()

    def about(cluster):
        within = f"/namespaces/{cluster.name}"
        return [write for write in writes if f"{within}/" in write[1] or f"{within}?" in write[1]]
    return {row: found for row in rows if (found := about(odd[row]))}


def test_what_is_odd_but_works_is_left_alone(odd, the_operator):
    """As the API server keeps it, it may be spelled differently."""
    for row in FINE:
        until_answered(odd[row], row)
    quiet = Quiet(odd[GOOD].lab, restate_operator.AGENT)
    odd["resources-2"].patch({"spec": {"compute": {"resources": {"requests": {"memory": "1Gi", "cpu": 1}}}}})
    until_answered(odd["resources-2"], "resources-2")
    assert written(quiet, odd, FINE) == {}


@pytest.fixture(scope="module")
def mended(odd):
    for row in MENDED:
        until_answered(odd[row], row)
    for row in MENDED:
        replace(odd[row], manifest(row))
    give_another_volume(odd["no-volume"])
    return odd


def give_another_volume(cluster):
    """A claim keeps its class for ever: its owner has to remove it. Perhaps twice: Kubernetes makes it anew, and may do
    so before the StatefulSet is replaced."""
    path = f"{KINDS['persistentvolumeclaims']}/namespaces/{cluster.name}/persistentvolumeclaims/storage-restate-0"

    def given():
        claim = cluster.get(path)
        if claim and claim["spec"].get("storageClassName") == "missing":
            cluster.lab.api.request("DELETE", path)
        return claim and claim["status"].get("phase") == "Bound"
    eventually("the claim has a volume", given, PATIENCE, cluster.status, 1)


def made_of(cluster):
    """What it is made of, as if it were called NAME and had no pods; without what earlier configurations have left."""
    config = {volume["configMap"]["name"] for volume in cluster.stateful_set()["spec"]["template"]["spec"]["volumes"]
              if "configMap" in volume}
    made = {kind: {name: child_state(item) for name, item in cluster.list(kind).items() if kind != "configmaps" or
                   name in config} for kind in MADE}
    del made["statefulsets"]["restate"]["spec"]["replicas"]
    made["namespace"] = metadata_state(cluster.get(f"/api/v1/namespaces/{cluster.name}"))
    text = json.dumps(made)
    return json.loads(text.replace(f'"{cluster.name}"', '"NAME"').replace(f'/{cluster.name}"', '/NAME"'))


@pytest.mark.parametrize("row", MENDED)
def test_a_mended_one_goes_on(mended, the_operator, row):
    cluster = mended[row]
    until_good(cluster, row)
    assert [c["type"] for c in cluster.status()["conditions"]] == ["Ready"]
    good = mended[GOOD_WITH_POLICIES if has_policies(row) else GOOD]
    assert differences(made_of(good), made_of(cluster)) == []


@pytest.fixture(scope="module")
def bad_again(mended):
    """With what is written from then on."""
    for row in MENDED:
        until_good(mended[row], row)
    quiet = Quiet(mended[GOOD].lab, restate_operator.AGENT)
    for row in BAD_AGAIN:
        replace(mended[row], changed(row, TABLES[row]))
    return quiet


def test_what_is_there_is_left_alone_while_it_is_bad(mended, bad_again, the_operator):
    for row in BAD_AGAIN:
        assert_says(mended[row], row)
    bad_again.until_quiet(5)  # nobody tries again and again
    assert written(bad_again, mended, BAD_AGAIN) == {}
    for row in BAD_AGAIN:
        replace(mended[row], manifest(row))
    for row in BAD_AGAIN:
        until_good(mended[row], row)
    assert written(bad_again, mended, BAD_AGAIN) == {}


def test_the_neighbour_is_left_alone(neighbour, bad_again, the_operator):
    cluster, said, quiet = neighbour
    assert cluster.ready()
    assert cluster.status() == said
    assert quiet.writes() == []


def test_an_owner_that_is_not_there_takes_it_away(lab, odd, the_operator):
    """As Kubernetes has it: nothing of ours stands in the way."""
    cluster = Cluster(lab, "odd-orphan")
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": "missing", "uid": "00000000-0000-0000-0000-000000000000"}
    made = manifest("orphan")
    made["metadata"]["ownerReferences"] = [owner]
    assert create(lab, made)[0] == 201
    eventually("it is gone", lambda: not cluster.object(), PATIENCE, cluster.status)


def test_an_owner_that_controls_it_changes_nothing(lab, odd, the_operator):
    cluster = Cluster(lab, "odd-owned")
    uid = lab.api.request("GET", "/api/v1/namespaces/default")[1]["metadata"]["uid"]
    made = manifest("owned")
    made["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": uid,
                                            "controller": True}]
    assert create(lab, made)[0] == 201
    until_says(cluster, "False", "ScaledToZero")
    cluster.delete("Orphan")
    eventually("it is gone", lambda: not cluster.object(), PATIENCE, cluster.status)


def test_odd_ones_can_be_deleted(lab, mended, bad_again, the_operator):
    lab.stop("kube-controller-manager")  # what they are made of goes with the lab
    for cluster in mended.values():
        cluster.delete()
    foreign = mended["finalizers-50"]
    eventually("only the others' finalizers are left", lambda: foreign.object()["metadata"]["finalizers"] == [
        f"lab.example/f{number}" for number in range(50)])
    foreign.patch({"metadata": {"finalizers": None}})
    for cluster in mended.values():
        eventually(f"RestateCluster {cluster.name} is gone", lambda cluster=cluster: not cluster.object(), PATIENCE)
