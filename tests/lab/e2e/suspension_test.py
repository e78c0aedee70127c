"""restate.dev/reconcile=disabled: the operator keeps its hands off, says so once, and makes up for it afterwards."""
import pytest
from labkit import restate_operator

from . import namespaces
from .custom_object import RECONCILE
from .service import Service
from .waiting import Quiet, eventually


@pytest.fixture
def neighbour(lab, namespace):
    """A service elsewhere: when it is Ready, the operator has had time for whatever came before it."""
    other = f"{namespace}-2"
    namespaces.make(lab, other)
    yield Service(lab, other)
    namespaces.clear(lab, other)


def test_nothing_but_one_status_is_written(lab, service, neighbour):
    service.apply("v1")
    service.until_ready()
    version = service.version("v1")["metadata"]["name"]
    Quiet(lab, restate_operator.AGENT, service.namespace).until_quiet()
    quiet = Quiet(lab, restate_operator.AGENT, service.namespace)

    service.suspend()
    status, reason, message = service.condition(about="Reconciling")
    assert (status, reason) == ("False", "Disabled") and f"{RECONCILE}=disabled" in message
    assert service.condition()[0] == "True"  # as it was
    lab.kubectl("delete", "service", version, "-n", service.namespace)
    lab.kubectl("scale", "replicaset", version, "-n", service.namespace, "--replicas=0")
    neighbour.apply("v1").until_ready()
    writes = quiet.writes()
    assert len(writes) == 1 and writes[0][1].startswith(f"{service.path}/status"), writes

    service.apply("v2")
    neighbour.apply("v2").until_ready()
    assert service.version("v2") is None
    writes = quiet.writes()  # the generation that the condition is about
    assert len(writes) <= 2 and all(uri.startswith(f"{service.path}/status") for _, uri in writes), writes
    assert service.status()["reconciliation"] == "Disabled"


def test_what_was_asked_for_meanwhile_is_done_afterwards(lab, service, neighbour):
    service.apply("v1")
    first = service.until_ready()
    service.suspend()
    service.apply("v2")
    lab.kubectl("delete", "service", service.version("v1")["metadata"]["name"], "-n", service.namespace)
    neighbour.apply("v1").until_ready()
    assert service.version("v2") is None
    with service.states() as states:
        service.resume()
        assert service.until_ready() != first
        eventually("the object says that it is in charge again",
                   lambda: service.status()["reconciliation"] == "Reconciling")
    assert service.greet() == "v2"
    assert service.condition(about="Reconciling") == (None, None, "")
    told = [found["status"]["reconciliation"] for found in states.objects()]
    assert list(dict.fromkeys(told)) == ["Disabled", "ResumingReconciliation", "Reconciling"]


def test_another_value_suspends_nothing(service):
    service.apply("v1").until_ready()
    service.annotate(RECONCILE, "Disabled")
    service.apply("v2")
    service.until_ready()
    assert service.greet() == "v2"


def test_a_new_object_may_begin_suspended(lab, service, neighbour):
    manifest = service.manifest("v1")
    manifest["metadata"]["annotations"] = {RECONCILE: "disabled"}
    quiet = Quiet(lab, restate_operator.AGENT, service.namespace)
    lab.apply(manifest)
    eventually("it says that it is suspended", lambda: service.status().get("reconciliation") == "Disabled")
    neighbour.apply("v1").until_ready()
    assert "finalizers" not in service.object()["metadata"]
    assert service.replica_sets() == []
    assert [uri.split("?")[0] for _, uri in quiet.writes()] == [f"{service.path}/status"]
    service.resume()
    service.until_ready()
    assert service.greet() == "v1"
    assert service.object()["metadata"]["finalizers"]
