"""Versions come and go: registration, what a user sees of it, draining, the history limit, drift."""
import json

from . import namespaces
from .service import DEPLOYMENT_ID, REMOVE_AT, Service
from .waiting import eventually, throughout


def columns(lab, namespace):
    """The table of `kubectl get rsd -o wide`, as a dictionary."""
    head, row = lab.kubectl("get", "rsd", "-n", namespace, "-o", "wide").splitlines()
    names = ["NAME", "DESIRED", "UP-TO-DATE", "READY", "AVAILABLE", "AGE", "DEPLOYMENT ID", "CONTAINERS", "IMAGES",
             "SELECTOR", "DELETION", "PENDING INVOCATIONS"]
    starts = [head.index(name) for name in names]
    cut = list(zip(starts, starts[1:] + [max(len(head), len(row))]))
    return {head[a:b].strip(): row[a:b].strip() for a, b in cut}


def test_a_first_version_is_registered_and_shown(lab, service):
    service.apply("v1", replicas=2)
    deployment = service.until_ready()
    assert service.greet() == "v1"
    assert service.registered() == [deployment]
    assert service.annotation("v1", DEPLOYMENT_ID) == deployment
    assert service.kubernetes_service("v1")["metadata"]["annotations"][DEPLOYMENT_ID] == deployment

    status = service.status()
    version = service.version("v1")
    pod_hash = version["metadata"]["labels"]["pod-template-hash"]
    assert service.condition()[1] == "Deployed"
    counters = [status[name] for name in ("desiredReplicas", "replicas", "readyReplicas", "availableReplicas")]
    assert counters == [2, 2, 2, 2] and status["unavailableReplicas"] == 0
    assert status["labelSelector"] == f"app=greeter,pod-template-hash={pod_hash}"
    assert version["metadata"]["name"] == f"greeter-{pod_hash}"

    shown = columns(lab, service.namespace)
    assert shown.pop("AGE")
    assert shown == {"NAME": "greeter", "DESIRED": "2", "UP-TO-DATE": "2", "READY": "2", "AVAILABLE": "2",
                     "DEPLOYMENT ID": deployment, "CONTAINERS": "greeter", "IMAGES": "docker.io/lab/greeter:1",
                     "SELECTOR": status["labelSelector"], "DELETION": "", "PENDING INVOCATIONS": ""}
    eventually("an event says that it was registered", lambda: service.events("VersionRegistered"))


def test_scale_changes_pods_and_no_version(lab, service):
    service.apply("v1")
    deployment = service.until_ready()
    lab.kubectl("scale", "rsd", service.name, "-n", service.namespace, "--replicas=2")
    eventually("two pods are ready", lambda: service.pods("v1") == 2)
    assert service.until_ready() == deployment
    eventually("the status counts them", lambda: service.status()["readyReplicas"] == 2, told=service.status)
    scale = service.get(f"{service.path}/scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (2, 2)
    pods = lab.kubectl("get", "pods", "-n", service.namespace, "-l", scale["status"]["selector"], "-o", "name")
    assert len(pods.split()) == 2
    assert service.revision() == 1


def test_a_pinned_version_keeps_its_pods_until_its_work_ends(service, the_operator):
    service.apply("v1", replicas=2)
    first = service.until_ready()
    held = service.hold()
    assert held.pinned_to() == first

    def intact():
        """Everything a pinned invocation needs is there."""
        found = service.version("v1")
        seen = (found["spec"]["replicas"], found["status"].get("readyReplicas"),
                service.kubernetes_service("v1") is not None, first in service.registered(),
                service.annotation("v1", REMOVE_AT))
        return seen == (2, 2, True, True, None) or seen

    with throughout("version 1 has its pods, Service and registration", intact):
        service.apply("v2", replicas=2)
        second = service.until_ready()
        assert second != first
        assert service.greet() == "v2"
        looks = looks_at_restate(the_operator)
        eventually("the operator has looked twice more", lambda: looks_at_restate(the_operator) >= looks + 2)
        assert held.pinned_to() == first
    assert held.release() == "v1"

    eventually("a removal time is set", lambda: service.annotation("v1", REMOVE_AT), told=service.status)
    eventually("version 1 is scaled to zero", lambda: service.version("v1")["status"]["replicas"] == 0)
    assert sorted(service.registered()) == sorted([first, second])
    assert service.events("VersionDrained") and eventually("its event", lambda: service.events("VersionScaledDown"))

    service.apply("v3", replicas=2)
    third = service.until_ready()
    eventually("the oldest version is gone", lambda: service.version("v1") is None)
    eventually("version 2 is scaled to zero", lambda: service.version("v2")["status"]["replicas"] == 0)
    assert sorted(service.registered()) == sorted([second, third])
    assert service.greet() == "v3"
    assert service.revision() == 3


def looks_at_restate(the_operator):
    """How often the operator asked Restate which versions are in use."""
    calls = the_operator.metric("restate_operator_admin_requests_total")
    return sum(number for labels, number in calls.items() if 'call="query"' in labels)


def test_drift_is_repaired(lab, service):
    service.apply("v1")
    deployment = service.until_ready()
    name = service.version("v1")["metadata"]["name"]

    def spec():
        found = service.kubernetes_service("v1")
        ports = [(port["name"], port["port"], port["targetPort"]) for port in found["spec"]["ports"]] if found else None
        return found and (found["spec"]["selector"], ports)
    good = spec()

    lab.kubectl("delete", "service", name, "-n", service.namespace)
    eventually("a deleted Service comes back", lambda: spec() == good, told=spec)
    lab.kubectl("patch", "service", name, "-n", service.namespace, "--type=json", "-p", json.dumps(
        [{"op": "replace", "path": "/spec/selector", "value": {"app": "nobody"}},
         {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 1}]))
    eventually("an edited Service is put right", lambda: spec() == good, told=spec)
    lab.kubectl("scale", "replicaset", name, "-n", service.namespace, "--replicas=3")
    eventually("a scaled ReplicaSet is put back", lambda: service.version("v1")["spec"]["replicas"] == 1)
    eventually("its surplus pods are gone", lambda: service.version("v1")["status"]["replicas"] == 1)
    assert service.until_ready() == deployment
    assert service.greet() == "v1"


def test_a_deleted_replica_set_comes_back_as_the_same_version(lab, service):
    service.apply("v1")
    deployment = service.until_ready()
    before = service.version("v1")["metadata"]
    lab.kubectl("delete", "replicaset", before["name"], "-n", service.namespace)
    eventually("there is another one of that name",
               lambda: (service.version("v1") or {"metadata": before})["metadata"]["uid"] != before["uid"])
    eventually("it is registered again", lambda: service.annotation("v1", DEPLOYMENT_ID) == deployment)
    eventually("it has a Service", lambda: service.kubernetes_service("v1"))
    assert service.until_ready() == deployment
    assert service.greet() == "v1"
    assert service.registered() == [deployment]


def test_the_same_name_in_two_namespaces(lab, the_operator, namespace):
    other = f"{namespace}-2"
    namespaces.make(lab, other)
    services = [Service(lab, namespace).apply("here"), Service(lab, other).apply("there")]
    ids = [service.until_ready() for service in services]
    assert len(set(ids)) == 2
    assert [service.greet() for service in services] == ["here", "there"]
    services[0].delete()
    services[0].until_gone()
    assert services[0].registered() == []
    assert services[1].registered() == [ids[1]]
    assert services[1].greet() == "there"
    namespaces.clear(lab, other)


def test_a_namespace_goes_with_its_services_and_comes_back(lab, the_operator):
    idle, pinned = services = [Service(lab, name) for name in ("goes-idle", "goes-pinned")]
    for service in services:
        namespaces.make(lab, service.namespace)
        service.apply("v1").until_ready()
    held = pinned.hold()
    lab.kubectl("delete", "namespace", idle.namespace, pinned.namespace, "--wait=false")
    for service in services:
        path = f"/api/v1/namespaces/{service.namespace}"
        eventually("the namespace is gone", lambda: lab.api.request("GET", path)[0] == 404, 90,
                   lambda: lab.api.request("GET", path)[1].get("status"))
    assert idle.registered() == []
    assert len(pinned.registered()) == 1  # its invocation would be lost

    for service in services:
        namespaces.make(lab, service.namespace)
        service.apply("v1").until_ready()
        assert service.greet() == "v1"
        assert service.registered() == [service.latest()["deployment_id"]]
    assert held.release() == "v1"  # it goes on where it stopped
    for service in services:
        namespaces.clear(lab, service.namespace)
