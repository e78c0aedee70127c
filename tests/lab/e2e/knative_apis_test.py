"""Knative's kinds that are not there, come, go, and come again. A control plane of its own without Knative's
controllers: what an object is waiting for is told, and what can be made is made.
"""
import pytest

from labkit import Lab, knative as knative_level, restate_operator

from .knative_service import KnativeService
from .own_lab import operator_on
from .service import Service
from .waiting import Quiet, eventually

NOTICED = 5  # seconds after the kinds are served
BUSY = 60  # requests of the operator after they have gone: its passes, and looks whether they are back
REGISTER = {"url": "http://restate.example:9070/"}  # nothing comes so far
ABSENT = ("False", "KnativeNotInstalled")


@pytest.fixture(scope="module")
def operator():
    with operator_on(Lab.up, "kinds") as started:
        yield started


@pytest.fixture
def lab(operator):
    """With an operator that lives through the test, and without the kinds."""
    yield operator.lab
    alive = operator.alive()
    knative_level.remove_crds(operator.lab)
    assert alive, "the operator ended during the test"


@pytest.fixture
def service(lab, namespace):
    made = KnativeService(lab, namespace, register=REGISTER)
    yield made
    if made.object():
        made.patch({"metadata": {"finalizers": None}})
        lab.api.request("DELETE", made.path)


def configurations(service):
    status, found = service.lab.api.request("GET", f"{knative_level.API}/namespaces/{service.namespace}/configurations")
    return [item["metadata"]["name"] for item in found["items"]] if status == 200 else None


def test_absent_installed_removed_and_installed_again(lab, service):
    service.apply("v1", knative={"tag": "blue"})
    message = service.until_condition(*ABSENT)
    assert "serving.knative.dev" in message
    for _ in range(2):
        knative_level.install_crds(lab)
        eventually("it is used", lambda: configurations(service) == ["greeter-blue"], NOTICED, service.status)
        service.until_condition("False", "ConfigurationNotReady")
        busy = Quiet(lab, restate_operator.AGENT)
        busy.until_quiet()
        before = Quiet(lab, restate_operator.AGENT)
        knative_level.remove_crds(lab)
        service.until_condition(*ABSENT)
        before.until_quiet()
        assert len(before.requests()) < BUSY, before.requests()


def test_other_modes_do_not_mind(lab, namespace):
    plain = Service(lab, namespace, register=REGISTER).apply("v1")
    eventually("it has a ReplicaSet", plain.replica_sets)
    assert plain.condition()[1] != ABSENT[1]
    plain.patch({"metadata": {"finalizers": None}})
    plain.delete()


def test_a_new_object_can_be_deleted_without_them(lab, service):
    """Nothing was made, so nothing is waited for."""
    service.apply("v1")
    service.until_condition(*ABSENT)
    service.delete()
    service.until_gone(20)


def test_started_where_they_are_not(lab, operator, service):
    operator.end()
    operator.start()
    eventually("the operator is ready", operator.ready)
    service.apply("v1", knative={"tag": "blue"})
    service.until_condition(*ABSENT)
