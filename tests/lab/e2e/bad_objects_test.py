"""Objects that cannot work: each says why, none disturbs another, and a mended one goes on."""
import copy

import pytest

from .service import Service
from .waiting import eventually


def without(manifest, *path):
    del at(manifest, *path[:-1])[path[-1]]


def at(value, *path):
    for key in path:
        value = value[key]
    return value


def put(manifest, value, *path):
    at(manifest, *path[:-1])[path[-1]] = value


# name -> (what is done to a good manifest, status, reason, text in the message)
BAD = {
    "no-containers": (lambda m: without(m, "spec", "template", "spec", "containers"),
                      "False", "InvalidSpec", "spec.template.spec.containers"),
    "no-selector": (lambda m: without(m, "spec", "selector"), "False", "InvalidSpec", "spec.selector"),
    "selector-mismatch": (lambda m: put(m, {"app": "other"}, "spec", "selector", "matchLabels"),
                          "False", "InvalidSpec", "spec.selector.matchLabels: app=other"),
    "n" * 60: (lambda m: None, "False", "InvalidSpec", "metadata.name"),
    "knative": (lambda m: put(m, "knative", "spec", "deploymentMode"),
                "False", "NotSupported", "spec.deploymentMode knative"),
    "autoscaling": (lambda m: put(m, {"maxReplicas": 3}, "spec", "autoscaling"),
                    "False", "NotSupported", "spec.autoscaling"),
    "cluster": (lambda m: put(m, {"cluster": "main"}, "spec", "restate", "register"),
                "False", "NotSupported", "spec.restate.register.cluster"),
    "cloud": (lambda m: put(m, {"cloud": "env"}, "spec", "restate", "register"),
              "False", "NotSupported", "spec.restate.register.cloud"),
    "tunnel": (lambda m: put(m, "in-process", "spec", "restate", "tunnelMode"), "False", "NotSupported", "tunnelMode"),
    "force": (lambda m: put(m, "force", "spec", "restate", "deletePolicy"), "False", "NotSupported", "deletePolicy"),
    "no-url": (lambda m: put(m, {"url": "restate"}, "spec", "restate", "register"),
               "False", "InvalidRestateConfig", "spec.restate.register.url"),
    "no-image": (lambda m: put(m, [{"name": "UPPER CASE"}], "spec", "template", "spec", "containers"),
                 "Unknown", "FailedReconcile", "containers[0].name"),
}


@pytest.fixture(scope="module")
def bad(lab, running):
    """All of them at once in one namespace, and a good neighbour that is applied last."""
    namespace = "bad-objects"
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    services = {name: Service(lab, namespace, name) for name in BAD}
    pid = running.process.pid
    for name, service in services.items():
        manifest = copy.deepcopy(service.manifest())
        BAD[name][0](manifest)
        lab.apply(manifest)
    services["good"] = Service(lab, namespace, "good").apply("v1")
    yield services
    lab.kubectl("delete", "namespace", namespace, "--wait=false")
    assert running.alive() and running.process.pid == pid  # nobody had to start it again


@pytest.mark.parametrize("name", BAD, ids=lambda name: name[:20])
def test_it_says_what_is_wrong(bad, the_operator, name):
    _, status, reason, text = BAD[name]
    message = bad[name].until_condition(status, reason, 30)
    assert text in message and len(message.encode()) <= 1024
    assert bad[name].status()["observedGeneration"] == 1
    assert eventually("a Warning event says the same", lambda: text in "".join(bad[name].events(reason)))


def test_a_neighbour_converges(bad, the_operator):
    bad["good"].until_ready(30)
    assert bad["good"].greet() == "v1"
    waiting = {item["name"]: item["reason"] for item in the_operator.get("/")[1]["waiting"]}
    assert waiting["no-selector"] == "InvalidSpec"
    assert "good" not in waiting


def test_a_mended_one_goes_on(bad, the_operator):
    bad["no-selector"].apply("v1")
    bad["no-selector"].until_ready(30)
    assert bad["no-selector"].greet() == "v1"


def test_bad_ones_can_be_deleted(bad, the_operator):
    for name in set(BAD) - {"no-selector"}:
        bad[name].delete()
    for name in set(BAD) - {"no-selector"}:
        bad[name].until_gone(30)
