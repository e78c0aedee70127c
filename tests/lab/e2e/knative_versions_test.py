"""Versions in Knative mode come and go: by tag and by hash, with work and without, forth and back, and with their object."""
import pytest

from .knative_service import KnativeService
from .service import REMOVE_AT
from .waiting import eventually, throughout


@pytest.fixture
def service(knative, the_operator, namespace):
    return KnativeService(knative, namespace)


def test_a_new_tag_leaves_pinned_work_where_it_is(service):
    service.apply("v1", knative={"tag": "blue"})
    first = service.until_ready()
    held = service.hold()
    assert held.pinned_to() == first

    def intact():
        found = service.tagged("blue")
        return bool(found and "deletionTimestamp" not in found["metadata"] and service.route("greeter-blue")
                    and service.uris().get(service.uri("greeter-blue")) == first) and held.pinned_to() == first

    with throughout("version 1 has its Configuration, Route and registration", intact):
        service.apply("v2", knative={"tag": "green"})
        second = service.until_ready()
        assert second != first and service.greet() == "v2"
        assert service.status()["knative"]["configurationName"] == "greeter-green"
        eventually("the status says that version 1 drains", lambda: service.told("v1").get("phase") == "Draining",
                   told=service.status)
        assert service.told("v2")["phase"] == "Current"
    assert held.release() == "v1"
    service.until_gone_from_knative("greeter-blue")
    assert service.uris() == {service.uri("greeter-green"): second}
    assert service.greet() == "v2"


def test_as_many_old_versions_stay_as_the_history_may_have(service):
    """Without work and without pods, but registered, and a way back."""
    service.apply("v1", knative={"tag": "blue"}, limit=1)
    first = service.until_ready()
    service.apply("v2", knative={"tag": "green"}, limit=1)
    second = service.until_ready()
    eventually("the status says that version 1 is drained", lambda: service.told("v1").get("phase") == "Drained",
               told=service.status)
    service.apply("v3", knative={"tag": "red"}, limit=1)
    third = service.until_ready()
    service.until_gone_from_knative("greeter-blue")
    assert sorted(service.registered()) == sorted([second, third])
    assert sorted(service.configurations()) == ["greeter-green", "greeter-red"]
    assert first not in (second, third)


def test_without_a_tag_each_template_is_a_version(service):
    service.apply("v1")
    first = service.until_ready()
    old = service.version("v1")["metadata"]["name"]
    held = service.hold()
    service.apply("v2")
    second = service.until_ready()
    assert second != first and service.greet() == "v2"
    assert sorted(service.configurations()) == sorted([old, service.version("v2")["metadata"]["name"]])
    assert held.pinned_to() == first
    assert held.release() == "v1"
    service.until_gone_from_knative(old)
    assert service.registered() == [second]


def test_back_to_a_tag_that_is_still_there(service, admin_log):
    service.apply("v1", knative={"tag": "blue"}, drainDelaySeconds=600)
    first = service.until_ready()
    uid = service.tagged("blue")["metadata"]["uid"]
    service.apply("v2", knative={"tag": "green"}, drainDelaySeconds=600)
    second = service.until_ready()
    eventually("version 1 has a removal time", lambda: service.annotation("v1", REMOVE_AT))

    service.apply("v1", knative={"tag": "blue"}, drainDelaySeconds=600)
    assert service.until_ready() == first
    assert service.latest()["deployment_id"] == first and service.greet() == "v1"
    assert service.tagged("blue")["metadata"]["uid"] == uid
    assert len(service.revisions("greeter-blue")) == 1
    assert service.annotation("v1", REMOVE_AT) is None
    promoted = eventually("an event says so", lambda: service.events("Promoted"))
    assert first in promoted[0] and second in promoted[0]
    eventually("version 2 has a removal time instead", lambda: service.annotation("v2", REMOVE_AT))


def test_back_while_the_newer_one_works(service):
    service.apply("v1", knative={"tag": "blue"}, drainDelaySeconds=600)
    service.until_ready()
    service.apply("v2", knative={"tag": "green"}, drainDelaySeconds=600)
    second = service.until_ready()
    held = service.hold()
    service.apply("v1", knative={"tag": "blue"})
    service.until_ready()
    assert service.greet() == "v1"
    assert held.pinned_to() == second
    assert held.release() == "v2"
    service.until_gone_from_knative("greeter-green")
    assert service.greet() == "v1"


def test_a_deletion_waits_for_pinned_work(service):
    service.apply("v1", knative={"tag": "blue"})
    deployment = service.until_ready()
    held = service.hold()
    service.delete()
    message = service.until_condition("False", "DeploymentInUse")
    assert "greeter-blue" in message and "1 pinned" in message
    deletion = service.status()["deletion"]
    assert deletion["pendingInvocations"] == [
        {"version": "greeter-blue", "deploymentId": deployment, "pinned": 1, "unpinned": 0}]

    def whole():
        return "deletionTimestamp" not in service.tagged("blue")["metadata"] and service.registered() == [deployment]

    with throughout("the version stays whole", whole):
        assert service.greet() == "v1"
    assert held.release() == "v1"
    service.until_gone()
    assert service.registered() == []
    service.until_gone_from_knative("greeter-blue")


def test_a_forced_deletion_does_not_wait(service):
    service.apply("v1", knative={"tag": "blue"}, deletePolicy="force")
    service.until_ready()
    service.hold()
    service.delete()
    service.until_gone(30)
    assert service.registered() == []
    service.until_gone_from_knative("greeter-blue")
