"""Deletions that do not wait for ever: deletePolicy force, and what happens at the deadline of a drain."""
import pytest

from labkit.audit import seconds

from .waiting import eventually, throughout


@pytest.fixture
def held(service):
    """A call that would hold the deletion up. It is ended afterwards, for Restate would go on trying."""
    started = []

    def start(**options):
        service.apply("v1", **options).until_ready()
        started.append(service.hold())
        return started[0]
    yield start
    started[0].end()


def assert_forced(service, deployment, version):
    assert deployment not in service.registered()
    eventually("nothing of it is left", lambda: not service.replica_sets())
    note = eventually("an event tells what was lost", lambda: service.events("ForcedDeletion"))
    assert len(note) == 1 and f"{version} (1 pinned" in note[0]


def test_force_waits_for_nothing_and_says_so(service, held):
    deployment = held(deletePolicy="force").pinned_to()
    version = service.version("v1")["metadata"]["name"]
    with service.states() as states:
        service.delete()
        service.until_gone(15)
    assert states.phases() == ["Forcing"]
    told = states.deletions()[0]
    assert told["policy"] == "force" and "deadline" not in told and "onTimeout" not in told
    assert_forced(service, deployment, version)


def test_a_drain_that_is_overdue_holds_on(service, held):
    invocation = held(drain={"timeoutSeconds": 2, "onTimeout": "hold"})
    deployment = invocation.pinned_to()
    service.delete()
    message = service.until_condition("False", "DeletionDrainOverdue", 30)
    assert service.version("v1")["metadata"]["name"] in message and "2s drain timeout" in message
    deletion = service.status()["deletion"]
    assert (deletion["phase"], deletion["onTimeout"], deletion["totalPendingInvocations"]) == ("Overdue", "hold", 1)
    assert seconds(deletion["deadline"]) - seconds(deletion["startedAt"]) == 2

    with throughout("the version stays", lambda: service.pods("v1") == 1 and service.registered() == [deployment]):
        assert eventually("a Warning event", lambda: service.events("DeletionDrainOverdue"))
        assert service.greet() == "v1"
        assert invocation.release() == "v1"
    service.until_gone()
    assert service.registered() == []
    assert service.events("ForcedDeletion") == []


def test_a_drain_that_is_overdue_is_forced(service, held, admin_log):
    deployment = held(drain={"timeoutSeconds": 8, "onTimeout": "force"}).pinned_to()
    version = service.version("v1")["metadata"]["name"]
    with service.states() as states:
        service.delete()
        service.until_gone(40)
    assert states.phases() == ["Draining", "Forcing"]
    deadline = seconds(states.deletions()[0]["deadline"])
    assert states.deletions()[0]["onTimeout"] == "force"
    removed = [when for when, found in admin_log.removals() if found == deployment]
    assert len(removed) == 1 and deadline <= removed[0]
    assert states.gone_at() < deadline + 10
    assert_forced(service, deployment, version)


def test_force_asked_for_during_a_drain(service, held):
    deployment = held().pinned_to()
    version = service.version("v1")["metadata"]["name"]
    service.delete()
    service.until_condition("False", "DeploymentInUse")
    with service.states() as states:
        service.patch({"spec": {"restate": {"deletePolicy": "force"}}})
        service.until_gone(15)
    assert states.phases()[-1] == "Forcing"
    assert_forced(service, deployment, version)


def test_a_suspended_object_is_deleted(service):
    service.apply("v1").until_ready()
    service.suspend()
    service.delete()
    service.until_gone(30)
    assert service.registered() == []
    eventually("nothing of it is left", lambda: not service.replica_sets())
