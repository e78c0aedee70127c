#!/usr/bin/python3
"""The lab's Knative, without an operator: a Configuration with a Route serves, goes to zero and comes back."""
import json
import os
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab, greeter, knative, restate  # noqa: E402
from lab_test import traces, until  # noqa: E402

NAME = "greeter"
LABELS = {"app": NAME}
PATH = f"{knative.API}/namespaces/restate"


@pytest.fixture(scope="module")
def lab():
    found = Lab(f"{(os.environ.get('LAB_NAME') or 'test')[:12]}-knative", say=lambda text: None)
    found.down()
    try:
        found.knative().restate()
        yield found
        found.stop("knative-webhook")  # an accident: `down` is expected to find the rest
    finally:
        found.down()
    assert traces(found) == []


def serving(kind, spec):
    return {"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": {"name": NAME, "namespace": "restate",
            "labels": {"networking.knative.dev/visibility": "cluster-local"} if kind == "Route" else {}}, "spec": spec}


@pytest.fixture(scope="module")
def registered(lab):
    """The uri under which Restate reaches it."""
    template = greeter.knative_template(LABELS, **{"autoscaling.knative.dev/min-scale": "0"})
    lab.apply(serving("Configuration", {"template": template}),
              serving("Route", {"traffic": [{"configurationName": NAME, "latestRevision": True, "percent": 100}]}))
    until(lambda: ready(get(lab, "routes")), 60)
    uri = get(lab, "routes")["status"]["url"]
    status, text = lab.http("POST", restate.address(lab), restate.PORTS["admin"], "/deployments",
                            json.dumps({"uri": uri}), restate.JSON)
    assert status == 201, text
    return uri


def get(lab, kind):
    return lab.api.request("GET", f"{PATH}/{kind}/{NAME}")[1]


def ready(found):
    return {c["type"]: c["status"] for c in found.get("status", {}).get("conditions", [])}.get("Ready") == "True"


def pods(lab):
    """Those that end as well, which takes 5 s: they still answer."""
    return lab.api.request("GET", f"/api/v1/namespaces/restate/pods?labelSelector=app={NAME}")[1]["items"]


def test_a_route_is_registered_and_called(lab, registered):
    assert registered == f"http://{NAME}.restate.svc.cluster.local"
    assert restate.call(lab, "Greeter/greet", "lab") == "Hello, lab"


def test_nobody_calls_and_the_pods_go_until_somebody_does(lab, registered):
    until(lambda: not pods(lab), 90)
    assert ready(get(lab, "routes"))
    assert restate.call(lab, "Greeter/greet", "lab", timeout=60) == "Hello, lab"
    assert pods(lab)


def test_the_webhook_refuses_what_cannot_work(lab, registered):
    bad = serving("Configuration", {"template": {"spec": {"containers": []}}})
    status, answer = lab.api.request("POST", f"{PATH}/configurations", bad)
    assert status == 400 and "admission webhook" in answer["message"], answer


def test_a_part_that_ends_is_brought_back(lab, registered):
    before = {part: lab.pid(part) for part in lab.parts()}
    lab.stop("knative-activator")
    lab.knative()
    changed = [part for part in lab.parts() if lab.pid(part) != before[part]]
    assert changed == ["knative-activator"]
    assert restate.call(lab, "Greeter/greet", "lab", timeout=60) == "Hello, lab"


def test_the_kinds_go_and_come(lab, registered):
    knative.remove_crds(lab)
    assert not knative.served(lab)
    lab.knative()
    assert knative.served(lab)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__]))
