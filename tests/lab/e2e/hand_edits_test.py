"""Somebody edits what only the operator writes: it is put right, and nothing that works is lost."""
import pytest

from labkit.client import MERGE

from .service import DEPLOYMENT_ID, REMOVE_AT, Service
from .waiting import eventually, throughout

TEMPLATE = "restate.dev/pod-template"
NEVER_REGISTERED = ["../query", "x?force=", "dp_1", "x" * 10000]
DATES = ["", "now", "2024-13-01", "+97093-01-01T00:00:00Z", "2020-01-01T00:00:00z", "2020-01-01T00:00:00+05:30",
         "2020-01-01T00:00:00Z"]


def annotate_version(service, greeting, name, value):
    path = f"/apis/apps/v1/namespaces/{service.namespace}/replicasets/{service.version(greeting)['metadata']['name']}"
    change = {"metadata": {"annotations": {name: value}}}
    status, answer = service.lab.api.request("PATCH", path, change, content_type=MERGE)
    assert status == 200, answer


def test_a_deployment_id_that_restate_does_not_know(service):
    service.apply("v1")
    deployment = service.until_ready()
    for written in NEVER_REGISTERED:
        annotate_version(service, "v1", DEPLOYMENT_ID, written)
        eventually(f"the id is put right after {written[:10]}",
                   lambda: service.annotation("v1", DEPLOYMENT_ID) == deployment, told=service.status)
        assert service.until_ready() == deployment
    assert service.greet() == "v1"
    service.delete()
    service.until_gone()
    assert service.registered() == []


def test_the_deployment_id_of_another_object(service):
    other = Service(service.lab, service.namespace, "other").apply("other")
    theirs = other.until_ready()
    service.apply("v1")
    deployment = service.until_ready()
    annotate_version(service, "v1", DEPLOYMENT_ID, theirs)
    eventually("the id is put right", lambda: service.annotation("v1", DEPLOYMENT_ID) == deployment, 30)
    assert service.until_ready() == deployment


def deleted_with_the_id_of(service, other):
    theirs = other.apply("other").until_ready()
    service.apply("v1").until_ready()
    annotate_version(service, "v1", DEPLOYMENT_ID, theirs)
    service.delete()
    service.until_gone()
    return theirs


def test_another_object_outlives_the_deletion_of_one_that_bears_its_id(service):
    other = Service(service.lab, service.namespace, "other")
    theirs = deleted_with_the_id_of(service, other)
    assert other.registered() == [theirs]
    assert other.greet() == "other"


def test_an_object_that_bears_the_id_of_another_leaves_nothing_behind(service):
    deleted_with_the_id_of(service, Service(service.lab, service.namespace, "other"))
    assert service.registered() == []


def test_removal_times_of_a_version_that_works(service):
    service.apply("v1").until_ready()
    held = service.hold()
    service.apply("v2").until_ready()
    with throughout("version 1 stays whole", lambda: service.pods("v1") == 1):
        for written in DATES:
            annotate_version(service, "v1", REMOVE_AT, written)
            service.annotate("lab/touched", written)
            eventually("the pass that this calls for is over",
                       lambda: service.annotation("v2", "lab/touched") == written)
        assert held.release() == "v1"
    service.until_scaled_to_zero("v1")
    assert service.greet() == "v2"


def test_a_template_that_was_cut(service):
    service.apply("v1").until_ready()
    held = service.hold()
    with throughout("the invocation keeps its version", lambda: service.pods("v1") in (0, 1)):
        annotate_version(service, "v1", TEMPLATE, service.annotation("v1", TEMPLATE)[:50])
        eventually("there is another version of that template", lambda: len(service.replica_sets()) == 2)
        service.until_ready()
        assert service.greet() == "v1"
        assert held.release() == "v1"


@pytest.mark.parametrize("collisions", [-1, 2 ** 31 - 1])
def test_a_status_that_somebody_wrote(lab, service, collisions):
    service.apply("v1")
    service.until_ready()
    written = {"collisionCount": collisions, "labelSelector": "!!", "deploymentId": "dp_1", "readyReplicas": -5,
               "conditions": [], "versions": []}
    status, answer = lab.api.request("PATCH", f"{service.path}/status", {"status": written}, content_type=MERGE)
    assert status == 200, answer
    service.annotate("lab/touched", "1")  # nobody watches the status
    eventually("the status is put right", lambda: service.status()["labelSelector"].startswith("app="),
               told=service.status)
    deployment = service.until_ready()
    assert service.latest()["deployment_id"] == deployment
    assert service.greet() == "v1"
    assert service.status()["readyReplicas"] == 1


def test_no_finalizer_in_a_deletion(lab, service):
    """Somebody else's holds the object; ours was taken away."""
    service.apply("v1").until_ready()
    service.patch({"metadata": {"finalizers": ["lab.example/held"]}})
    eventually("ours is put back", lambda: len(service.object()["metadata"]["finalizers"]) == 2)
    service.delete()
    eventually("only theirs is left", lambda: service.object()["metadata"]["finalizers"] == ["lab.example/held"])
    service.patch({"metadata": {"finalizers": None}})
    service.until_gone()
    assert service.registered() == []


def test_an_owner_that_does_not_exist(service):
    """The garbage collector deletes the object, and we do not mind."""
    manifest = service.manifest("v1")
    manifest["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "missing", "uid": "00000000-0000-0000-0000-000000000000"}]
    service.lab.apply(manifest)
    service.until_gone()
    assert service.registered() == []


def test_an_owner_that_controls(lab, service):
    lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner", "namespace": service.namespace}})
    owner = service.get(f"/api/v1/namespaces/{service.namespace}/configmaps/owner")["metadata"]
    manifest = service.manifest("v1")
    manifest["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"], "controller": True}]
    lab.apply(manifest)
    service.until_ready()
    assert service.greet() == "v1"
