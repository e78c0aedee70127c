"""The judgement of labkit/safety.py on made-up records: what is a violation and what is not."""
import json
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import audit, proxy, restate_operator, safety, tap  # noqa: E402: the path first

OURS, SOMEBODY = restate_operator.AGENT + "1", "kubectl/1"
ID = "dp_1"
NAME = "greeter-abc"


def at(second):
    return f"2026-01-01T00:00:{second:02}.000000Z"


def event(second, verb, resource, found=None, agent=OURS, name=NAME, subresource=None, code=200):
    return {"requestReceivedTimestamp": at(second), "verb": verb, "userAgent": agent, "responseStatus": {"code": code},
            "objectRef": {"namespace": "ns", "name": name, "resource": resource,
                          **({"subresource": subresource} if subresource else {})},
            **({"responseObject": found} if found else {})}


def replica_set(replicas=1, annotations=None):
    return {"kind": "ReplicaSet", "spec": {"replicas": replicas},
            "metadata": {"name": NAME, "namespace": "ns", "annotations": annotations or {},
                         "ownerReferences": [{"kind": "RestateDeployment", "name": "greeter"}]}}


def owner(second, agent=SOMEBODY, deleted=None, finalizers=(safety.FINALIZER,), replicas=1, **restate):
    metadata = {"name": "greeter", "namespace": "ns", "finalizers": list(finalizers),
                **({"deletionTimestamp": at(deleted)} if deleted else {})}
    return event(second, "patch", "restatedeployments", agent=agent, name="greeter",
                 found={"kind": "RestateDeployment", "metadata": metadata,
                        "spec": {"replicas": replicas, "restate": restate}})


def scale(second, to, agent=OURS, code=200):
    found = {"kind": "Scale", "metadata": {"name": NAME, "namespace": "ns"}, "spec": {"replicas": to} if to else {}}
    return event(second, "patch", "replicasets", found, agent, subresource="scale", code=code)


def delete(second, resource, name=NAME, agent=OURS):
    return event(second, "delete", resource, name=name, agent=agent)


def invocation(began=10, ended=50, deployment=ID):
    return {"id": "inv_1", "target": "Greeter/hold", "pinned_deployment_id": deployment, "created_at": at(began),
            **({"status": "completed", "completed_at": at(ended)} if ended else {"status": "suspended"})}


CREATED = [owner(1), event(2, "create", "replicasets", replica_set(), name=None),
           event(3, "patch", "replicasets", replica_set(annotations={safety.DEPLOYMENT_ID: ID}))]


def judge(*events, rows=None, registrations=(), removals=()):
    history = safety.History()
    history.replay([*CREATED, *events], registrations, removals)
    return safety.violations(history.removals, [invocation()] if rows is None else rows)


TAKEN = {
    "scaled-to-zero": [scale(20, 0)],
    "scaled-below-what-is-wanted": [owner(15, replicas=3), scale(16, 3), scale(20, 2)],
    "scaled-through-the-object": [event(20, "patch", "replicasets", replica_set(0))],
    "replica-set": [delete(20, "replicasets")],
    "service": [delete(20, "services")],
    "pod": [delete(20, "pods", f"{NAME}-x1y2z")],
    "everything-in-the-namespace": [event(20, "deletecollection", "pods", name=None)],
    "released": [owner(18, deleted=18), owner(20, OURS, deleted=18, finalizers=())],
    "in-a-deletion-without-force": [owner(18, deleted=18, deletePolicy="drain"), scale(20, 0)],
    "before-the-deadline": [owner(18, deleted=18, drain={"onTimeout": "force", "timeoutSeconds": 5}), scale(20, 0)],
    "force-without-a-deletion": [owner(18, deletePolicy="force"), scale(20, 0)],
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken_from_a_version_at_work(name):
    found, = judge(*TAKEN[name])
    assert "inv_1" in found and ID in found and at(20)[:19] in found


@pytest.mark.parametrize("rows, expected", [
    ([invocation(ended=None)], 1), ([invocation(ended=21)], 1), ([invocation(ended=19)], 0),
    ([invocation(began=21)], 0), ([invocation(deployment="dp_2")], 0),
    ([invocation(), invocation(ended=19), invocation(ended=None)], 2)])
def test_what_counts_is_the_time_of_the_removal(rows, expected):
    assert len(judge(scale(20, 0), rows=rows)) == expected
    assert len(judge(removals=[(audit.seconds(at(20)), ID)], rows=rows)) == expected


@pytest.mark.parametrize("kind", safety.VERSIONS[1:] + safety.PARTS[2:])
def test_taken_from_a_configuration(kind):
    found = {**replica_set(annotations={safety.DEPLOYMENT_ID: ID}), "kind": "Configuration", "spec": {"template": {}}}
    history = safety.History()
    history.replay([owner(1), event(2, "patch", "configurations", found), delete(20, kind)])
    assert len(safety.violations(history.removals, [invocation()])) == 1


FINE = {
    "somebody-else": [scale(20, 0, SOMEBODY), delete(21, "replicasets", agent=SOMEBODY)],
    "refused": [scale(20, 0, code=409)],
    "a-user-wants-fewer": [owner(15, replicas=3), scale(16, 3), owner(18, replicas=2), scale(20, 2)],
    "more": [scale(20, 2)],
    "another-annotation": [event(20, "patch", "replicasets", replica_set(annotations={"a": "b"}))],
    "another-service": [delete(20, "services", "greeter-other")],
    "forced": [owner(18, deleted=18, deletePolicy="force"), scale(20, 0), delete(21, "replicasets"),
               owner(22, OURS, deleted=18, finalizers=())],
    "after-the-deadline": [owner(14, deleted=14, drain={"onTimeout": "force", "timeoutSeconds": 5}), scale(20, 0)],
    "released-with-its-namespace": [event(15, "deletecollection", "replicasets", agent=SOMEBODY, name=None),
                                    owner(18, deleted=18), owner(20, OURS, deleted=18, finalizers=())],
    "released-without-versions": [delete(15, "replicasets", agent=SOMEBODY), owner(18, deleted=18),
                                  owner(20, OURS, deleted=18, finalizers=())],
}


@pytest.mark.parametrize("name", FINE)
def test_no_violation(name):
    assert judge(*FINE[name]) == []


def test_a_registration_that_nobody_wrote_down_counts():
    history = safety.History()
    registered = (audit.seconds(at(5)), f"http://{NAME}.ns.svc.cluster.local:9080/", ID)
    history.replay([*CREATED[:2], scale(20, 0)], [registered])
    assert len(safety.violations(history.removals, [invocation()])) == 1


def test_a_forced_deletion_may_deregister():
    registered = (audit.seconds(at(5)), f"http://{NAME}.ns.svc.cluster.local:9080/", ID)
    removed = (audit.seconds(at(20)), ID)
    forced = owner(18, deleted=18, deletePolicy="force")
    assert len(judge(registrations=[registered], removals=[removed])) == 1
    assert judge(forced, registrations=[registered], removals=[removed]) == []


def test_an_audit_log_without_bodies_is_an_error():
    with pytest.raises(RuntimeError, match="safety.AUDIT"):
        judge(event(20, "patch", "replicasets"))


def test_what_the_tap_tells():
    def write(method, path, body, status, answer):
        body, answer = json.dumps(body).encode(), json.dumps(answer).encode()
        return proxy.Write("restate", 1.0, 2.0, method, path, body, status, answer)
    log = tap.Log([write("POST", "/deployments", {"uri": "http://a:1"}, 201, {"id": "dp_a"}),
                   write("POST", "/deployments", {"uri": "http://b:1"}, 500, {"message": "no"}),
                   write("DELETE", "/deployments/dp_a?force=true", None, 202, None),
                   write("DELETE", "/deployments/dp_b?force=true", None, 404, None)])
    assert list(log.registrations()) == [(2.0, "http://a:1", "dp_a")]
    assert list(log.removals()) == [(1.0, "dp_a")]
