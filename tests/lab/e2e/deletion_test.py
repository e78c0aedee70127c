"""Deletion waits for unfinished work, says so, and ends."""
from labkit import restate

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


def test_f5_a_finalizer_taken_away_by_hand_lets_everything_go(service, the_operator):
    """Nobody waits any more: what the cluster has goes with its owner, and Restate is left as it is."""
    service.apply("v1")
    deployment = service.until_ready()
    held = service.hold()
    service.delete()
    service.until_condition("False", "DeploymentInUse")
    service.lab.kubectl("patch", "rsd", service.name, "-n", service.namespace, "--type=merge",
                        "-p", '{"metadata":{"finalizers":null}}')
    service.until_gone()
    eventually("its ReplicaSets go with it", lambda: not service.replica_sets())
    instance = f'instance="{service.namespace}/{service.name}"'
    eventually("no error of it is told", lambda: not any(
        instance in series for series in the_operator.metric("restate_operator_reconciliation_errors_total")))
    eventually("the log says what stays", lambda: f"{service.namespace}/{service.name}: its finalizer was taken away"
               in the_operator.log.read_text(errors="replace"))
    assert service.registered() == [deployment]
    assert held.pinned_to() == deployment
    address = restate.address(service.lab, service.restate_namespace)
    service.lab.http("PATCH", address, restate.PORTS["admin"], f"/invocations/{held.invocation}/kill")
