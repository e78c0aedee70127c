"""Others work on Restate's registry as well: a stranger takes a service over, somebody removes what we registered."""
import pytest

from labkit import greeter, restate_operator

from .service import REMOVE_AT, Service
from .waiting import Quiet, eventually, throughout

pytestmark = pytest.mark.long


class Stranger:
    """A plain Deployment of the same SDK service, which somebody registers by hand."""

    def __init__(self, lab, service):
        self.lab, self.service = lab, service
        lab.apply(*greeter.objects(service.namespace, "stranger", "stranger", service.handlers))
        lab.kubectl("rollout", "status", "deployment/stranger", "-n", service.namespace, "--timeout=60s")

    def take_over(self):
        """As soon as its Service leads to its pod, which may be a moment after that is ready."""
        uri = f"http://stranger.{self.service.namespace}.svc.cluster.local:{greeter.PORT}/"
        answer = {}

        def registered():
            answer.update(self.service.admin("/deployments", "POST", {"uri": uri, "force": True}))
            return "id" in answer
        eventually("the stranger is registered", registered, told=lambda: answer)
        assert self.service.latest()["deployment_id"] == answer["id"]
        return answer["id"]


def look_now(service):
    """Restate is looked at every five minutes while nothing drains. The registration of another object needs a look at
    once, which serves all; and an annotation calls for a pass."""
    Service(service.lab, service.namespace, "neighbour").apply("v1").until_ready()
    service.annotate("lab/look", "now")


def test_a_stranger_takes_the_service_over_and_goes(lab, service, admin_log):
    service.apply("v1")
    first = service.until_ready()
    held = service.hold()
    service.apply("v2")
    second = service.until_ready()
    stranger = Stranger(lab, service)
    quiet, admin_writes = Quiet(lab, restate_operator.AGENT, service.namespace), len(admin_log.writes)
    takeover = stranger.take_over()
    message = service.until_condition("False", "ForeignDeployment")
    assert second in message
    assert service.condition(about="Stalled")[:2] == ("True", "ForeignDeployment")
    assert service.condition(about="Reconciling") == (None, None, "")

    def untouched():
        seen = (service.pods("v1"), service.pods("v2"), service.annotation("v1", REMOVE_AT))
        return seen == (1, 1, None) or seen

    with throughout("both versions stay as they are", untouched):
        assert held.release() == "v1"
        eventually("the status says that version 1 has no work any more",
                   lambda: service.told("v1").get("phase") == "Drained", told=service.status)
    assert sorted(service.registered()) == sorted([first, second])
    assert service.latest()["deployment_id"] == takeover and service.greet() == "stranger"
    assert [write.path for write in admin_log.writes[admin_writes:]] == []
    assert [uri for _, uri in quiet.writes() if "/status" not in uri and "/events" not in uri] == []

    service.deregister(takeover)
    assert service.until_ready() == second
    assert service.greet() == "v2"
    assert service.condition(about="Stalled") == (None, None, "")
    service.until_scaled_to_zero("v1")


def test_a_stranger_takes_the_only_version_over_and_goes(lab, service):
    service.apply("v1")
    deployment = service.until_ready()
    takeover = Stranger(lab, service).take_over()
    look_now(service)
    service.until_condition("False", "ForeignDeployment")
    service.deregister(takeover)
    assert service.until_ready(60) == deployment
    assert service.greet() == "v1"


def test_somebody_deregisters_the_only_version(service):
    service.apply("v1")
    service.deregister(service.until_ready())
    assert service.latest() == {}
    look_now(service)
    eventually("it is registered again", service.registered, told=service.status)
    assert [service.until_ready()] == service.registered()
    assert service.latest()["deployment_id"] == service.id_of("v1")
    assert service.greet() == "v1"


def test_somebody_deregisters_the_latest_of_two_versions(service):
    service.apply("v1")
    first = service.until_ready()
    held = service.hold()
    service.apply("v2")
    second = service.until_ready()
    service.deregister(second)
    assert service.latest()["deployment_id"] == first  # Restate falls back
    eventually("version 2 gets new work again", lambda: service.latest()["deployment_id"] != first,
               told=service.status)
    assert service.until_ready() == service.latest()["deployment_id"]
    assert service.greet() == "v2"
    assert held.pinned_to() == first
    assert held.release() == "v1"
    service.until_scaled_to_zero("v1")
    assert len(service.registered()) == 2
