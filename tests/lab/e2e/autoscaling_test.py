"""spec.autoscaling: an old version that still has work is scaled by an autoscaler of its own."""
import pytest

from labkit.client import JSON_PATCH

from .waiting import eventually, throughout

WANTED = {"minReplicas": 2, "maxReplicas": 3,
          "scaleTargetRef": {"apiVersion": "v1", "kind": "X", "name": "somebody-else"}}
REFUSED = [  # what, and a text in the API server's answer; 422
    ({}, "maxReplicas"),
    ({"maxReplicas": 3, "metrics": [{"type": "Unknown"}]}, "metrics[0]"),
    ({"maxReplicas": 3, "behavior": {"scaleUp": {"selectPolicy": "Some"}}}, "selectPolicy"),
]
UNREADABLE = [  # 500
    ({"maxReplicas": 3, "minReplicas": "1"}, ".spec.minReplicas"),
    ({"maxReplicas": 3, "behavior": "garbage"}, ".spec.behavior"),
]


@pytest.fixture
def held(service):
    """Version 1 has a call; version 2 is wanted."""
    service.apply("v1").until_ready()
    started = service.hold()
    service.apply("v2").until_ready()
    yield started
    started.end()


def set_autoscaling(service, value):
    change = [{"op": "add", "path": "/spec/autoscaling", "value": value}]
    status, answer = service.lab.api.request("PATCH", service.path, change, content_type=JSON_PATCH)
    assert status == 200, answer


def path(service, greeting):
    name = service.version(greeting)["metadata"]["name"]
    return f"/apis/autoscaling/v2/namespaces/{service.namespace}/horizontalpodautoscalers/{name}"


def autoscaler(service, greeting):
    return service.get(path(service, greeting))


def test_an_old_version_is_scaled_until_it_leaves(service, held):
    set_autoscaling(service, WANTED)
    found = eventually("version 1 has an autoscaler", lambda: autoscaler(service, "v1"))
    version = service.version("v1")["metadata"]
    assert found["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": version["name"]}
    assert (found["spec"]["minReplicas"], found["spec"]["maxReplicas"]) == (2, 3)
    labels, owners = found["metadata"]["labels"], found["metadata"]["ownerReferences"]
    assert labels["app.kubernetes.io/managed-by"] == "restate-operator"
    assert labels["restate.dev/owned-by"] == service.name
    assert [(o["kind"], o["name"], o["controller"]) for o in owners] == [("RestateDeployment", service.name, True)]

    eventually("it makes them two pods", lambda: service.pods("v1") == 2, 90)  # the operator does not mind
    with throughout("version 2 has no autoscaler", lambda: autoscaler(service, "v2") is None):
        assert service.until_ready() == service.id_of("v2")
        assert held.release() == "v1"
        service.until_scaled_to_zero("v1")
    assert autoscaler(service, "v1") is None


def test_an_autoscaler_that_is_no_longer_wanted_leaves(service, held):
    set_autoscaling(service, WANTED)
    eventually("version 1 has two pods", lambda: service.pods("v1") == 2, 90)
    service.patch({"spec": {"autoscaling": None}})
    eventually("the autoscaler is gone", lambda: autoscaler(service, "v1") is None)
    eventually("the pods are those of spec.replicas", lambda: service.version("v1")["status"]["replicas"] == 1)
    assert held.release() == "v1"


def test_a_version_that_is_wanted_again_loses_it(service, held):
    set_autoscaling(service, WANTED)
    eventually("version 1 has an autoscaler", lambda: autoscaler(service, "v1"))
    service.apply("v1").until_ready()
    assert autoscaler(service, "v1") is None
    assert service.greet() == "v1"
    assert held.release() == "v1"


def test_a_refused_one_holds_nothing_up(service, held):
    assert_holds_nothing_up(service, held, REFUSED)


def test_an_unreadable_one_holds_nothing_up(service, held):
    assert_holds_nothing_up(service, held, UNREADABLE)


def assert_holds_nothing_up(service, held, values):
    for value, text in values:
        set_autoscaling(service, value)
        eventually(f"a Warning event about {value}",
                   lambda: any(text in note for note in service.events("AutoscalingApplyFailed")))
        assert service.until_ready(20) == service.id_of("v2")
    service.apply("v3").until_ready()
    assert service.greet() == "v3"
    assert autoscaler(service, "v1") is None
    assert held.release() == "v1"
    eventually("version 1, the third one back, is gone", lambda: service.version("v1") is None)


def test_a_strangers_autoscaler_is_left_alone(lab, service, held):
    stranger = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": service.version("v1")["metadata"]["name"], "namespace": service.namespace},
                "spec": {"maxReplicas": 1,
                         "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "theirs"}}}
    lab.apply(stranger)
    before = autoscaler(service, "v1")["metadata"]
    set_autoscaling(service, WANTED)
    eventually("a Warning event", lambda: service.events("AutoscalingApplyFailed"))
    assert held.release() == "v1"
    service.until_scaled_to_zero("v1")
    after = autoscaler(service, "v1")["metadata"]
    assert (after["uid"], after.get("labels")) == (before["uid"], before.get("labels"))
    assert autoscaler(service, "v1")["spec"]["maxReplicas"] == 1
