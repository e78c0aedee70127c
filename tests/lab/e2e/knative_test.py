"""Knative mode on Knative's real controllers: a version is a Configuration with a Route, whose pods come and go."""
import pytest

from labkit import knative as knative_level, restate_operator
from labkit.client import MERGE

from .knative_service import TAG, KnativeService, greeting_of
from .rollout_test import columns
from .service import DEPLOYMENT_ID
from .waiting import Quiet, eventually, throughout

pytestmark = pytest.mark.long
MANAGED = "app.kubernetes.io/managed-by"
SCALE = "autoscaling.knative.dev"
QUIET, MINUTE = 5, 60  # seconds
IDLE = 60  # seconds until Knative has taken the last pod of an idle Revision away; mostly its own delays


@pytest.fixture
def service(knative, the_operator, namespace):
    return KnativeService(knative, namespace)


def reads(service, name):
    """What the object's status says of Knative's objects is what there is."""
    route = service.route(name)
    revision = service.list("configurations")[name]["status"]["latestReadyRevisionName"]
    return service.status()["knative"] == {"configurationName": name, "routeName": name, "url": route["status"]["url"],
                                           "latestRevision": revision}


def test_a_service_without_any_setting_of_knative(lab, service):
    service.apply("v1")
    deployment = service.until_ready()
    assert service.greet() == "v1"
    (name, configuration), = service.configurations().items()
    hashed = name.removeprefix(f"{service.name}-")
    assert service.uris() == {service.uri(name): deployment}

    metadata = configuration["metadata"]
    assert metadata["annotations"][DEPLOYMENT_ID] == deployment
    assert metadata["annotations"][TAG] == hashed and "restate.dev/pod-template" in metadata["annotations"]
    assert metadata["annotations"]["restate.dev/registered-at"]
    assert metadata["labels"][MANAGED] == "restate-operator"
    assert [(owner["kind"], owner["controller"]) for owner in metadata["ownerReferences"]] == [
        ("RestateDeployment", True)]
    template = configuration["spec"]["template"]
    assert template["metadata"]["annotations"][f"{SCALE}/min-scale"] == "0"
    assert not {f"{SCALE}/max-scale", f"{SCALE}/target"} & set(template["metadata"]["annotations"])
    route = service.route(name)
    assert route["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"
    assert [owner["kind"] for owner in route["metadata"]["ownerReferences"]] == ["Configuration"]
    assert reads(service, name)

    shown = columns(lab, service.namespace)
    assert (shown["DEPLOYMENT ID"], shown["IMAGES"]) == (deployment, "docker.io/lab/greeter:1")
    assert service.condition()[1] == "Deployed"
    eventually("an event says that it was registered", lambda: service.events("VersionRegistered"))


def test_scaled_to_zero_and_back(service):
    """Knative's own business: the object stays Ready, and a call, too, finds its way."""
    service.apply("v1")
    deployment = service.until_ready()
    name, = service.configurations()
    held = service.hold()
    generation = service.object()["metadata"]["generation"]
    eventually("no pod is left", lambda: not service.pods_of(service.status()["knative"]["latestRevision"]), IDLE)
    assert service.ready() == deployment
    assert held.pinned_to() == deployment
    assert service.greet() == "v1"
    assert held.release() == "v1"
    assert service.object()["metadata"]["generation"] == generation and reads(service, name)


def test_settings_of_a_tagged_version(service):
    service.apply("v1", servicePath="sub/path",
                  knative={"tag": "stable", "minScale": 1, "maxScale": 3, "target": 10})
    eventually("the Configuration is there", lambda: service.tagged("stable"))
    annotations = service.tagged("stable")["spec"]["template"]["metadata"]["annotations"]
    wanted = {f"{SCALE}/min-scale": "1", f"{SCALE}/max-scale": "3", f"{SCALE}/target": "10",
              "restate.dev/deployment": service.name}
    assert wanted.items() <= annotations.items()
    assert service.tagged("stable")["metadata"]["annotations"][TAG] == "stable"
    service.until_ready()
    assert list(service.uris()) == [service.uri("greeter-stable", "sub/path")]
    assert service.greet() == "v1"
    status = service.status()
    counters = [status.get(counter) for counter in ("desiredReplicas", "replicas", "readyReplicas")]
    assert counters == [1, 1, 1]


def test_what_it_waits_for_is_told(lab, service):
    parts = ["knative-controller", f"knative-{knative_level.GATEWAY}"]
    for part in parts:
        lab.pause(part)
    try:
        service.apply("v1", knative={"tag": "one"})
        assert "greeter-one" in service.until_condition("False", "ConfigurationNotReady")
        lab.resume(parts[0])
        assert "greeter-one" in service.until_condition("False", "RouteNotReady")
    finally:
        for part in parts:
            lab.resume(part)
    service.until_ready()
    assert service.greet() == "v1"


def test_a_revision_that_cannot_start_says_why(service):
    """Knative says nothing before the deadline for progress, which is 10 minutes if nobody asks for another."""
    manifest = service.manifest("v1", knative={"tag": "one"})
    template = manifest["spec"]["template"]
    template["metadata"]["annotations"] = {"serving.knative.dev/progress-deadline": "20s"}
    template["spec"]["containers"][0]["image"] = "docker.io/lab/missing:1"
    status, answer = service.lab.api.request("POST", service.path.rpartition("/")[0], manifest)
    assert status == 201, answer
    eventually("it says why", lambda: "docker.io/lab/missing:1" in service.condition()[2], told=service.status)
    assert service.condition()[:2] == ("False", "ConfigurationNotReady")
    service.apply("v1", knative={"tag": "one"})
    service.until_ready()
    assert service.greet() == "v1"


def test_a_new_template_under_the_same_tag(service):
    """In place: another Revision behind the same address and the same deployment."""
    service.apply("v1", knative={"tag": "live"})
    deployment = service.until_ready()
    service.apply("v2", knative={"tag": "live"})
    assert service.until_ready() == deployment
    eventually("version 2 answers", lambda: service.greet() == "v2")
    assert list(service.configurations()) == ["greeter-live"]
    first, second = service.revisions("greeter-live")
    assert service.status()["knative"]["latestRevision"] == second["metadata"]["name"]
    assert [greeting(first), greeting(second)] == ["v1", "v2"]
    assert list(service.uris()) == [service.uri("greeter-live")]


def greeting(revision):
    return greeting_of({"spec": {"template": {"spec": revision["spec"]}}})


def test_edits_by_hand_are_put_right(lab, service):
    service.apply("v1", knative={"tag": "blue"})
    service.until_ready()
    path = f"{knative_level.API}/namespaces/{service.namespace}/routes/greeter-blue"
    lab.api.request("PATCH", path, {"metadata": {"labels": {"networking.knative.dev/visibility": None}}},
                    content_type=MERGE)
    eventually("the Route is private again", lambda: service.route("greeter-blue")["metadata"]["labels"].get(
        "networking.knative.dev/visibility") == "cluster-local")
    lab.kubectl("delete", "routes.serving.knative.dev/greeter-blue", "-n", service.namespace)
    eventually("a deleted Route comes back", lambda: service.route("greeter-blue"))
    service.until_ready()
    eventually("calls find their way", lambda: service.greet() == "v1")


def test_suspended(service):
    service.apply("v1", knative={"tag": "blue"})
    service.until_ready()
    service.suspend()
    service.apply("v2", knative={"tag": "green"})
    with throughout("nothing is made", lambda: list(service.configurations()) == ["greeter-blue"]):
        assert service.greet() == "v1"
    service.resume()
    service.until_ready()
    assert service.greet() == "v2"


def test_nothing_is_written_while_nothing_happens(knative, lab, running, the_operator, namespace):
    """Three that are up and three whose pods have gone: not as time goes by, and not after a restart."""
    names = [f"{kind}-{number}" for kind in ("kept", "idle") for number in range(3)]
    services = [KnativeService(knative, namespace, name) for name in names]
    for service in services:
        service.apply("v1", knative={"minScale": 1 if service.name.startswith("kept") else 0})
    for service in services:
        service.until_ready(120)
    for service in services[3:]:
        eventually("no pod is left", lambda: not service.pods_of(service.status()["knative"]["latestRevision"]), IDLE)
        eventually("the status says so", lambda: service.status()["readyReplicas"] == 0, told=service.status)
    Quiet(lab, restate_operator.AGENT, namespace).until_quiet(QUIET)
    before = Quiet(lab, restate_operator.AGENT, namespace)
    running.end()
    running.start()
    eventually("the operator is ready again", running.ready)
    before.until_quiet(MINUTE, 2 * MINUTE + QUIET)
    assert before.writes() == []
    for service in services:
        service.delete()
    for service in services:
        service.until_gone()
