"""The process: start-up, probes, metrics, its end, what it says about bad settings. Needs the control plane only."""
import json
import os
import time
from datetime import datetime

import pytest
from labkit import Lab, restate_operator

from .waiting import eventually

CRDS = ("restatedeployments.restate.dev", "restateclusters.restate.dev", "restatecloudenvironments.restate.dev")
ERRORS = "restate_operator_reconciliation_errors_total"
KIND = "RestateDeployment"
KINDS = [KIND, "RestateCluster", "RestateCloudEnvironment"]


@pytest.fixture(scope="module")
def plain_lab():
    found = Lab(f"{(os.environ.get('LAB_NAME') or 'e2e')[:12]}-process", say=lambda text: None)
    found.down()
    try:
        found.up()
        yield found
    finally:
        found.down()


@pytest.fixture
def fresh(plain_lab, request):
    """An operator that the test starts."""
    made = restate_operator.Operator(plain_lab, plain_lab.directory / f"log/{request.node.name[:40]}.log", 8090,
                             env={"KUBECONFIG": str(plain_lab.kubeconfig)})
    yield made
    if made.process:
        made.kill()


def test_crds_that_come_later(plain_lab, fresh):
    fresh.start()
    eventually("it serves", fresh.serves)
    assert fresh.get("/health") == (200, "healthy")
    eventually("it has looked for the CRDs", lambda: missing(fresh) == dict.fromkeys(CRDS, 1), told=lambda: missing(fresh))
    assert fresh.get("/ready") == (503, {"ready": False, "pendingControllers": KINDS})

    restate_operator.install_crds(plain_lab)
    eventually("it is ready", fresh.ready, 20)
    assert fresh.get("/ready") == (200, {"ready": True, "pendingControllers": []})
    assert missing(fresh) == dict.fromkeys(CRDS, 0)
    assert fresh.get("/health")[0] == 200


def missing(operator):
    """Definition -> 1 while it is missing."""
    return {labels.split('"')[1]: value for labels, value in operator.metric("restate_operator_crd_missing").items()}


def test_metrics_and_diagnostics(plain_lab, fresh):
    restate_operator.install_crds(plain_lab)
    register = {"url": "http://restate.example:9070"}
    plain_lab.apply({"apiVersion": "restate.dev/v1beta1", "kind": KIND,
                     "metadata": {"name": "broken", "namespace": "default"},
                     "spec": {"template": {"spec": {}}, "restate": {"register": register}}})
    fresh.start()
    eventually("it is ready", fresh.ready, 20)
    eventually("the object had its pass", lambda: fresh.get("/")[1]["waiting"])
    eventually("everything is followed", lambda: not any(item["trouble"] for item in fresh.get("/")[1]["controllers"]))
    page = fresh.get("/")[1]
    assert datetime.fromisoformat(page["last_event"].replace("Z", "+00:00"))
    assert page["version"] and page["controllers"] == [{"name": kind, "ready": True, "trouble": ""} for kind in KINDS]
    waiting = [(item["namespace"], item["name"], item["reason"]) for item in page["waiting"]]
    assert waiting == [("default", "broken", "InvalidSpec")]
    said = eventually("the log says so too", lambda: [  # the page is the first to know
        line.split(maxsplit=1)[1] for line in fresh.log.read_text().splitlines() if "default/broken" in line])
    assert len(said) == 1 and said[0].startswith(f"warning {KIND} default/broken: InvalidSpec: "), said

    eventually("the error is counted", lambda: fresh.metric(ERRORS))
    series, = fresh.metric(ERRORS)
    for label in (f'kind="{KIND}"', 'instance="default/broken"', 'error="InvalidSpec"'):
        assert label in series
    assert sum(fresh.metric("restate_operator_reconciliations_total").values()) >= 1
    durations = fresh.metric("restate_operator_reconcile_duration_seconds_bucket")
    buckets = [key.split('le="')[1].split('"')[0] for key in durations if f'kind="{KIND}"' in key]
    assert [float(bucket) for bucket in buckets[:-1]] == [0.01, 0.1, 0.25, 0.5, 1, 5, 15, 60] and buckets[-1] == "+Inf"
    for name in ("workqueue_depth", "api_requests_total", "cache_objects"):
        assert fresh.metric(f"restate_operator_{name}"), name

    plain_lab.kubectl("delete", "rsd", "broken")
    eventually("its series is gone", lambda: not fresh.metric(ERRORS))


def test_each_line_of_the_log_is_json_whatever_it_quotes(plain_lab):
    """The API server says in quotation marks what it does not take."""
    restate_operator.install_crds(plain_lab)
    labels = {"app": "quoted"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "Not Valid", "image": "none:1"}]}}
    plain_lab.apply({"apiVersion": "restate.dev/v1beta1", "kind": KIND,
                     "metadata": {"name": "quoted", "namespace": "default"},
                     "spec": {"selector": {"matchLabels": labels}, "template": template,
                              "restate": {"register": {"url": "http://restate.example:9070"}}}})
    talker = restate_operator.Operator(plain_lab, plain_lab.directory / "log/json.log", 8090, "--log-format", "json",
                                       env={"KUBECONFIG": str(plain_lab.kubeconfig)}).start()
    try:
        eventually("it says what was refused", lambda: "default/quoted" in talker.log.read_text(), 20)
        plain_lab.kubectl("delete", "rsd", "quoted")
    finally:
        talker.end()
    lines = [json.loads(line) for line in talker.log.read_text().splitlines()]
    assert all(line.keys() == {"time", "level", "message"} for line in lines)
    told = [line for line in lines if "default/quoted" in line["message"]]
    assert told[0]["level"] == "warning" and 'Invalid value: "Not Valid"' in told[0]["message"], told


@pytest.mark.parametrize("when", ["at-work", "waiting-for-crds"])
def test_sigterm_ends_it_in_time(plain_lab, fresh, when):
    if when == "at-work":
        restate_operator.install_crds(plain_lab)
        fresh.start()
        eventually("it is ready", fresh.ready, 20)
    else:
        plain_lab.kubectl("delete", "-f", str(restate_operator.CRDS))
        fresh.start()
        eventually("it serves", fresh.serves)
        eventually("it waits", lambda: fresh.metric("restate_operator_crd_missing"))
    began = time.monotonic()
    assert fresh.end() == 0
    assert time.monotonic() - began < 5


def test_it_starts_before_the_api_server(plain_lab, fresh):
    plain_lab.stop("kube-apiserver")
    fresh.start()
    eventually("it serves", fresh.serves)
    assert fresh.get("/ready")[0] == 503
    plain_lab.up()
    restate_operator.install_crds(plain_lab)
    eventually("it is ready", fresh.ready, 40)


SETTINGS = {  # arguments, environment -> text in the complaint
    "no-namespace": ([], {}, "--operator-namespace"),
    "workers": (["--operator-namespace", "x", "--workers", "0"], {}, "--workers"),
    "port": (["--operator-namespace", "x"], {"OPERATOR_HTTP_PORT": "http"}, "OPERATOR_HTTP_PORT"),
    "dns": (["--operator-namespace", "x", "--cluster-dns", "a/b"], {}, "--cluster-dns"),
    "unknown-flag": (["--operator-namespace", "x", "--no-such-flag"], {}, "--no-such-flag"),
    "no-cluster": (["--operator-namespace", "x"], {"KUBECONFIG": "/nowhere", "HOME": "/nowhere"}, "/nowhere"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings_are_one_clear_sentence(plain_lab, name):
    arguments, environment, text = SETTINGS[name]
    done = plain_lab.exec([restate_operator.program(), *arguments], env=environment, capture_output=True, text=True,
                          timeout=20)
    complaint = [line for line in done.stderr.splitlines() if line.startswith("restate-operator: ")]
    assert done.returncode == 1 and len(complaint) == 1 and text in complaint[0], (done.returncode, done.stderr)


def test_a_taken_port_is_one_clear_sentence(plain_lab, fresh):
    fresh.start()
    eventually("it serves", fresh.serves)
    second = restate_operator.command("--http-port", fresh.port)
    done = plain_lab.exec(second, capture_output=True, text=True, timeout=20)
    complaint = done.stderr.splitlines()[-1]
    assert done.returncode == 1, done.stderr
    assert complaint.startswith("restate-operator: ") and str(fresh.port) in complaint
    done = plain_lab.exec([*second, "--log-format", "json"], capture_output=True, text=True, timeout=20)
    complaint = json.loads(done.stderr.splitlines()[-1])
    assert done.returncode == 1 and complaint["level"] == "error" and str(fresh.port) in complaint["message"], done.stderr
