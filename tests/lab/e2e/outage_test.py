"""Restate or the API server is away for a while: the operator says so, and goes on when it is back."""
import http.client

import pytest
from labkit import client, proxy, restate, tap

from .service import REMOVE_AT, Service
from .waiting import eventually, throughout


@pytest.fixture
def away(lab):
    """A namespace with a Restate of its own, which a test may stop."""
    lab.restate("away")
    tapped = tap.start(lab, tap.Log(), "away")
    yield "away"
    tapped.stop()
    lab.kubectl("delete", "namespace", "away", "--wait=false")


class Line:
    """To the admin API, and only there: calls go on while it is cut."""

    def __init__(self, lab, log):
        self.lab, self.up = lab, True
        self.proxy = proxy.Proxy(lab, "restate", self.connect, tap.counts, tap.LoggingGate(log, one_at_a_time=False))
        self.url = f"http://{self.proxy.address}:{self.proxy.port}"

    def cut(self):
        self.up = False
        self.proxy.cut()

    def connect(self):
        if not self.up:
            raise ConnectionRefusedError
        connection = http.client.HTTPConnection("restate")
        connection.sock = client.dial(self.lab.name, restate.address(self.lab), restate.PORTS["admin"], 5)
        return connection


@pytest.fixture
def line(lab, admin_log):
    """A line to Restate's admin API that a test may cut."""
    made = Line(lab, admin_log)
    yield made
    made.proxy.stop()


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


def test_restate_is_away_in_a_drain(lab, line, the_operator, namespace):
    service = Service(lab, namespace, register={"url": line.url}).apply("v1")
    first = service.until_ready()
    held = service.hold()
    service.apply("v2")
    second = service.until_ready()
    line.cut()

    def whole():
        seen = (service.pods("v1"), service.kubernetes_service("v1") is not None, first in service.registered(),
                service.annotation("v1", REMOVE_AT))
        return seen == (1, True, True, None) or seen

    with throughout("nothing of version 1 is taken away", whole):
        assert held.release() == "v1"  # nobody can know
        assert line.url in service.until_condition("False", "AdminCallFailed")
        assert eventually("a Warning event", lambda: service.events("AdminCallFailed"))
        calls = failed_queries(the_operator)
        eventually("it was tried twice more", lambda: failed_queries(the_operator) >= calls + 2)
    assert service.greet() == "v2"
    line.up = True
    service.until_scaled_to_zero("v1", 60)
    assert service.until_ready() == second
    assert sorted(service.registered()) == sorted([first, second])


def failed_queries(the_operator):
    calls = the_operator.metric("restate_operator_admin_requests_total")
    return sum(number for labels, number in calls.items() if 'call="query"' in labels and 'code="none"' in labels)


def test_the_api_server_is_away(lab, service, the_operator):
    service.apply("v1")
    service.until_ready()
    lab.stop("kube-apiserver")
    assert the_operator.get("/health") == (200, "healthy")
    lab.node()
    service.apply("v2")
    service.until_ready()
    assert service.greet() == "v2"
