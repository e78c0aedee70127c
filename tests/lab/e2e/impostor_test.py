"""The check that accompanies every test here can fail: an impostor does what the operator must not do."""
from labkit import client, restate, restate_operator, safety, tap
from labkit.client import MERGE

from .waiting import eventually


def test_what_an_impostor_takes_from_a_pinned_version_is_seen(lab, service, checker):
    service.apply("v1")
    deployment = service.until_ready()
    held = service.pin("v1")
    name = service.version("v1")["metadata"]["name"]
    assert checker.check() == []

    impostor = client.ApiServer(lab.name, lab.pki, user_agent=restate_operator.IMPOSTOR)
    replica_set = f"/apis/apps/v1/namespaces/{service.namespace}/replicasets/{name}"
    assert impostor.request("PATCH", f"{replica_set}/scale", {"spec": {"replicas": 0}}, content_type=MERGE)[0] == 200
    assert_seen(checker, held, f"replicas of {service.namespace}/{name} from 1 to 0")
    assert impostor.request("DELETE", f"/api/v1/namespaces/{service.namespace}/services/{name}")[0] == 200
    assert_seen(checker, held, f"DELETE services {service.namespace}/{name}")
    admin = restate.address(lab, service=tap.NAME)
    path = f"/deployments/{deployment}?force=true"
    assert lab.http("DELETE", admin, restate.PORTS["admin"], path)[0] == 202
    assert_seen(checker, held, f"DELETE /deployments/{deployment}")
    assert impostor.request("PATCH", service.path, {"metadata": {"finalizers": None}}, content_type=MERGE)[0] == 200
    assert_seen(checker, held, f"release of {service.namespace}/{service.name} with {name}")

    service.end(held)
    assert impostor.request("DELETE", replica_set)[0] == 200
    assert checker.check() == []  # nobody needed it any more
    eventually("the real one has put the finalizer back",
               lambda: safety.FINALIZER in service.object()["metadata"].get("finalizers", []))


def assert_seen(checker, invocation, what):
    found = checker.check()
    assert len(found) == 1 and what in found[0] and invocation in found[0], found
