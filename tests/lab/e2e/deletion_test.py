"""Deletion waits for unfinished work, says so, and ends."""
from .waiting import eventually, throughout


def test_a_pinned_call_holds_the_deletion_up(lab, service):
    service.apply("v1")
    deployment = service.until_ready()
    held = service.hold()
    name = service.version("v1")["metadata"]["name"]
    service.delete()

    message = service.until_condition("False", "DeploymentInUse")
    assert name in message and "1 pinned" in message
    deletion = service.status()["deletion"]
    assert (deletion["policy"], deletion["phase"], deletion["totalPendingInvocations"]) == ("drain", "Draining", 1)
    assert deletion["pendingInvocations"] == [{"version": name, "deploymentId": deployment, "pinned": 1, "unpinned": 0}]
    assert name in deletion["message"] and deletion["deadline"] and deletion["startedAt"]
    row = lab.kubectl("get", "rsd", service.name, "-n", service.namespace, "-o", "wide").splitlines()[1]
    assert row.split()[-2:] == ["Draining", "1"]
    assert eventually("an event about the request", lambda: service.events("DeleteRequested"))

    def whole():
        return service.pods("v1") == 1 and service.registered() == [deployment]

    with throughout("the version stays whole", whole):
        assert service.greet() == "v1"
        assert held.pinned_to() == deployment
    assert held.release() == "v1"
    service.until_gone()
    assert service.registered() == []
    eventually("nothing of it is left", lambda: not service.replica_sets())


def test_an_idle_service_goes_after_the_drain_delay(service):
    service.apply("v1")
    service.until_ready()
    service.apply("v2")
    service.until_ready()
    service.delete()
    service.until_gone()
    assert service.registered() == []
    eventually("nothing of it is left", lambda: not service.replica_sets())


def test_a_service_that_was_never_registered_goes_at_once(service):
    service.apply("v1", replicas=0)
    service.until_condition("False", "ScaledToZero")
    service.delete()
    service.until_gone(20)
