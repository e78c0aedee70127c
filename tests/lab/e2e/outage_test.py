"""Restate or the API server is away for a while: the operator says so, and goes on when it is back."""
import pytest
from labkit import tap

from .service import Service
from .waiting import eventually


@pytest.fixture
def away(lab):
    """A namespace with a Restate of its own, which a test may stop."""
    lab.restate("away")
    tapped = tap.start(lab, tap.Log(), "away")
    yield "away"
    tapped.stop()
    lab.kubectl("delete", "namespace", "away", "--wait=false")


def scale_restate(lab, namespace, replicas):
    lab.kubectl("scale", "statefulset", "restate", "-n", namespace, f"--replicas={replicas}")
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/restate"

    def pods():
        return lab.api.request("GET", path)[1]["status"].get("readyReplicas", 0)
    eventually(f"Restate has {replicas} pods", lambda: pods() == replicas)


def test_restate_is_away_while_a_version_waits_for_registration(lab, away, the_operator):
    scale_restate(lab, away, 0)
    service = Service(lab, away, restate_namespace=away).apply("v1")
    message = service.until_condition("False", "AdminCallFailed")
    assert f"{tap.NAME}.away.svc.cluster.local:9070" in message
    assert eventually("a Warning event", lambda: service.events("AdminCallFailed"))
    pid = the_operator.process.pid
    scale_restate(lab, away, 1)
    service.until_ready()
    assert service.greet() == "v1"
    assert the_operator.process.pid == pid


def test_restate_does_not_exist_yet(lab, the_operator, namespace):
    service = Service(lab, namespace, restate_namespace="nowhere").apply("v1")
    message = service.until_condition("False", "AdminCallFailed")
    assert f"{tap.NAME}.nowhere.svc.cluster.local:9070" in message
    service.patch({"spec": {"restate": {"register": {"service": {"namespace": "restate"}}}}})
    service.restate_namespace = "restate"
    service.until_ready(20)


def test_restate_refuses_a_registration(service):
    service.handlers = "RestateKeepsThisNameForItself"
    service.apply("v1")
    message = service.until_condition("False", "AdminCallRejected")
    assert "META0005" in message and "reserved name" in message
    assert eventually("a Warning event", lambda: service.events("AdminCallRejected"))
    service.handlers = "LabMended"
    service.apply("v1")
    service.until_ready()
    assert service.greet() == "v1"


def test_the_api_server_is_away(lab, service, the_operator):
    service.apply("v1")
    service.until_ready()
    lab.stop("kube-apiserver")
    assert the_operator.get("/health") == (200, "healthy")
    lab.node()
    service.apply("v2")
    service.until_ready()
    assert service.greet() == "v2"
