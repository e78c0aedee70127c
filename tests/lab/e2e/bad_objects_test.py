"""Objects that cannot work: each says why, none disturbs another, and a mended one goes on. Odd ones may work as well.
"""
import json
import re

import pytest

from labkit.client import MERGE

from . import namespaces
from .bad_objects import FINE, INVALID, KUBECTL, NAMES, OURS, REFUSED, REJECTED, RESERVED, SERVING
from .service import DEPLOYMENT_ID, Service
from .waiting import eventually

NAMESPACE = "bad-objects"
MENDED = "no-selector"
PATIENCE = 120  # seconds: many pods begin at once
OUR_LABELS = {"app.kubernetes.io/managed-by": "restate-operator"}
TABLES = {**{name: row[0] for table in (INVALID, REJECTED, SERVING) for name, row in table.items()}, **FINE}


def made_of(service):
    """The ReplicaSet and the Service of the only version."""
    version, = service.replica_sets()
    return version, service.get(f"/api/v1/namespaces/{NAMESPACE}/services/{version['metadata']['name']}")


def changed(service, row, change):
    manifest = json.loads(json.dumps(service.manifest(replicas=0 if row in FINE else 1)))  # nothing in it is shared
    change(manifest)
    return manifest


def send(service, manifest):
    """Not an apply: that would not send every null."""
    return service.lab.api.request("POST", service.path.rpartition("/")[0], manifest)


@pytest.fixture(scope="module")
def odd(lab, running):
    """All of them at once in one namespace, and a good neighbour that comes last."""
    namespaces.make(lab, NAMESPACE)
    services = {row: Service(lab, NAMESPACE, NAMES.get(row, row)) for row in TABLES}
    pid = running.process.pid
    for row, service in services.items():
        status, answer = send(service, changed(service, row, TABLES[row]))
        assert status == 201, (row, answer)
    services["good"] = Service(lab, NAMESPACE, "good").apply("v1")
    yield services
    namespaces.clear(lab, NAMESPACE)
    assert running.alive() and running.process.pid == pid  # nobody had to start it again


def test_a_neighbour_converges(odd, the_operator):
    odd["good"].until_ready(PATIENCE)
    assert odd["good"].greet() == "v1"
    waiting = {item["name"]: item["reason"] for item in the_operator.get("/")[1]["waiting"]}
    assert "good" not in waiting


def assert_says(service, status, reason, text):
    message = service.until_condition(status, reason, PATIENCE)
    assert text in message and len(message.encode()) <= 1024
    assert service.status()["observedGeneration"] == service.object()["metadata"]["generation"]
    assert eventually("a Warning event says the same", lambda: text in "".join(service.events(reason)))


@pytest.mark.parametrize("row", INVALID)
def test_we_say_what_is_wrong(odd, the_operator, row):
    assert_says(odd[row], "False", *INVALID[row][1:])
    assert odd[row].condition(about="Stalled")[0] == "True"


@pytest.mark.parametrize("row", INVALID)
def test_nothing_is_made_of_it(odd, the_operator, row):
    odd[row].until_condition("False", INVALID[row][1], PATIENCE)
    assert odd[row].replica_sets() == []


@pytest.mark.parametrize("row", REJECTED)
def test_we_say_what_another_server_said(odd, the_operator, row):
    assert_says(odd[row], *REJECTED[row][1:])


@pytest.mark.parametrize("row", REFUSED)
def test_the_schema_refuses_it(odd, the_operator, row):
    service = Service(odd["good"].lab, NAMESPACE, row)
    change, text = REFUSED[row]
    status, answer = send(service, changed(service, row, change))
    assert status in (400, 422) and text in answer["message"], (status, answer)


@pytest.mark.parametrize("row", FINE)
def test_it_works_without_pods(odd, the_operator, row):
    odd[row].until_condition("False", "ScaledToZero")
    assert odd[row].condition(about="Stalled")[0] is None
    assert all(made_of(odd[row]))


@pytest.mark.parametrize("row", SERVING)
def test_it_serves(odd, the_operator, row):
    service, answer = odd[row], SERVING[row][1]
    service.until_ready(PATIENCE)
    assert service.greet() == answer
    uri = service.deployments()[0]["uri"]
    assert re.match(f"http://{service.name}-[0-9a-z]+[.]{NAMESPACE}[.]svc[.]cluster[.]local:9080/", uri), uri


def test_labels_of_ours_win(odd, the_operator):
    for row in ("labels-of-ours", "pod-labels-of-ours"):
        service = odd[row]
        service.until_condition("False", "ScaledToZero")
        version, found = made_of(service)
        name = version["metadata"]["name"]
        labels = {**OUR_LABELS, "restate.dev/owned-by": service.name}
        assert labels.items() <= version["metadata"]["labels"].items()
        assert labels.items() <= found["metadata"]["labels"].items()
        assert version["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == name.rpartition("-")[2]
        assert OURS["pod-template-hash"] != name.rpartition("-")[2]


def test_annotations_of_tools_are_not_copied(odd, the_operator):
    for row in ("last-applied-of-200-kib", "applyset-labels"):
        odd[row].until_condition("False", "ScaledToZero")
        for made in made_of(odd[row]):
            assert KUBECTL not in made["metadata"].get("annotations", {})
            assert "applyset.kubernetes.io/part-of" not in made["metadata"]["labels"]


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_annotations_are_not_copied(odd, the_operator, name):
    odd["reserved-annotations"].until_condition("False", "ScaledToZero")
    for made in made_of(odd["reserved-annotations"]):
        assert made["metadata"].get("annotations", {}).get(name) != RESERVED[name]


def test_the_mode_cannot_be_changed(lab, the_operator, namespace):
    service = Service(lab, namespace)
    manifest = service.manifest(replicas=0)
    manifest["spec"]["deploymentMode"] = "replicaset"
    assert send(service, manifest)[0] == 201
    change = {"spec": {"deploymentMode": "knative"}}
    status, answer = lab.api.request("PATCH", service.path, change, content_type=MERGE)
    assert status == 422 and "deploymentMode is immutable" in answer["message"]


def test_a_number_beyond_all_floats(lab, the_operator, namespace):
    """Python would not write it. The server refuses it."""
    service = Service(lab, namespace)
    manifest = service.manifest(replicas=0)
    manifest["spec"]["template"]["spec"]["unknown"] = "HERE"
    with pytest.raises(RuntimeError, match="1e400"):
        lab.kubectl("create", "--raw", service.path.rpartition("/")[0], "-f", "-",
                    input=json.dumps(manifest).replace('"HERE"', "1e400"))


def test_a_mended_one_goes_on(odd, the_operator):
    odd[MENDED].apply("v1")
    odd[MENDED].until_ready(30)
    assert odd[MENDED].greet() == "v1"
    assert DEPLOYMENT_ID in odd[MENDED].version("v1")["metadata"]["annotations"]


def test_odd_ones_can_be_deleted(odd, the_operator):
    services = [service for row, service in odd.items() if row != "good"]
    # A deletion waits for a Restate that cannot be reached: it may know the version.
    for row in ("namespace-missing", "path-of-nothing", "path-with-slashes"):
        odd[row].patch({"spec": {"restate": {"register": {"service": {"namespace": "restate", "path": None}}}}})
    for service in services:
        service.delete()
    for service in services:
        finalizers = (service.object() or {"metadata": {}})["metadata"].get("finalizers", [])
        if "lab.example/f0" in finalizers:
            eventually("only the others' finalizers are left", lambda: len(
                service.object()["metadata"]["finalizers"]) == 50)
            service.patch({"metadata": {"finalizers": None}})
        service.until_gone(60)
