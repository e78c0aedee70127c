"""The operator is away for a while, or comes back. Moments that last no longer than a write are in kill_test.py."""
from labkit import restate_operator

from .service import REMOVE_AT, Service
from .waiting import Quiet, eventually


def restart(the_operator):
    the_operator.start()
    eventually("the operator is ready again", the_operator.ready)


def test_g2_killed_in_a_rollout_and_in_a_drain(service, the_operator):
    service.apply("v1")
    first = service.until_ready()
    service.apply("v2")
    eventually("version 2 has begun", lambda: service.version("v2"))
    the_operator.kill()
    assert service.greet() == "v1"
    restart(the_operator)
    second = service.until_ready()
    assert service.greet() == "v2"

    eventually("version 1 has a removal time", lambda: service.annotation("v1", REMOVE_AT))
    the_operator.kill()
    restart(the_operator)
    eventually("version 1 is scaled to zero", lambda: service.version("v1")["status"]["replicas"] == 0)
    assert sorted(service.registered()) == sorted([first, second])
    assert service.revision() == 2  # neither version was registered twice
    assert [item["spec"]["replicas"] for item in service.replica_sets()].count(1) == 1


def test_g2_killed_in_a_deletion(service, the_operator):
    service.apply("v1")
    service.until_ready()
    held = service.hold()
    service.delete()
    service.until_condition("False", "DeploymentInUse")
    the_operator.kill()
    restart(the_operator)
    assert held.release() == "v1"
    service.until_gone()
    assert service.registered() == []


def test_a_restart_writes_nothing(lab, namespace, the_operator):
    services = [Service(lab, namespace, f"quiet-{number}").apply("v1") for number in range(3)]
    for service in services:
        service.until_ready()
    Quiet(lab, restate_operator.AGENT).until_quiet()
    before = [service.object()["metadata"]["resourceVersion"] for service in services]
    assert the_operator.end() == 0
    quiet = Quiet(lab, restate_operator.AGENT)
    restart(the_operator)
    eventually("every object had its pass", lambda: passes(the_operator) >= len(services))
    quiet.until_quiet()
    assert quiet.requests() and not quiet.writes()
    assert [service.object()["metadata"]["resourceVersion"] for service in services] == before


def passes(the_operator):
    return sum(the_operator.metric("restate_operator_reconciliations_total").values())
