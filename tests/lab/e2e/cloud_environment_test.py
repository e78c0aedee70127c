"""RestateCloudEnvironments on a real API server with its controllers and simulated pods. The operator has the rights of
a pod and no more.
"""
import base64
import hashlib
import json
import os
import re

import pytest
from labkit import Lab, restate_operator

from . import bad_environments
from .cloud import DIGEST, NAMESPACE, Environment, manifest
from .conftest import rights
from .custom_object import RECONCILE
from .waiting import Quiet, eventually, throughout

PORT = 8092
AT_ONCE = 5  # seconds in which what was waited for is acted on
NOTICED = 30  # seconds in which the status says what is wrong
DRIFT = 2  # seconds in which what somebody changed is put back
CANARY = "canary-token-"  # how every token here begins


@pytest.fixture(scope="module")
def cloud_lab():
    found = Lab(f"{os.environ.get('LAB_NAME') or 'e2e'}-cloud", say=lambda text: None)
    found.down()
    try:
        found.kwok()
        restate_operator.install_crds(found)
        found.apply(*rights())
        yield found
    finally:
        found.down()


@pytest.fixture(scope="module")
def cloud_operator(cloud_lab):
    """The one operator of all tests here. At the end nothing that it said has a token in it."""
    account = cloud_lab.service_account_kubeconfig(NAMESPACE, "restate-operator")
    made = restate_operator.Operator(cloud_lab, cloud_lab.directory / "log/operator-cloud.log", PORT, "--log-level",
                                     "trace", env={"KUBECONFIG": str(account)})
    made.start()
    try:
        eventually("the operator is ready", made.ready)
        pid = made.process.pid
        yield made
        assert made.alive() and made.process.pid == pid
        assert_no_token(said_by(cloud_lab, made))
    finally:
        made.kill()


def said_by(lab, operator):
    """Its log, its pages, its events, and all objects but the Secrets."""
    yield operator.log.read_text(errors="replace")
    yield lab.http("GET", "127.0.0.1", PORT, "/metrics")[1]
    yield lab.http("GET", "127.0.0.1", PORT, "/")[1]
    for kind in ("events", "restatecloudenvironments", "deployments,replicasets,pods,services,configmaps"):
        yield lab.kubectl("get", kind, "-A", "-o", "json")


def assert_no_token(texts):
    """Neither as it is nor as a Secret has it: 12 bytes become 16 letters."""
    encoded = base64.b64encode(CANARY[:12].encode()).decode()
    for text in texts:
        assert CANARY not in text and encoded not in text


@pytest.fixture
def environment(cloud_lab, cloud_operator, request):
    """One with a token, which is not applied yet."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))[-40:].strip("-")
    made = Environment(cloud_lab, name).set_token(CANARY + "1")
    yield made
    made.delete()
    made.remove_secret()
    made.until_gone()


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def test_a_tunnel_is_made_and_the_status_follows_its_pods(environment):
    environment.apply(replicas=2).until_up()
    assert environment.condition() == ("True", "Reconciled", "Restate Cloud environment reconciled successfully")
    eventually("the pods are counted", lambda: environment.status().get("readyReplicas") == 2, 20, environment.status)
    assert environment.status()["replicas"] == 2 and len(environment.ready_pods()) == 2
    deployment = environment.child("deployments")
    assert deployment["metadata"]["annotations"][DIGEST] == digest(CANARY + "1")
    assert DIGEST not in deployment["spec"]["template"]["metadata"].get("annotations", {})
    assert [port["name"] for port in environment.child("services")["spec"]["ports"]] == ["health"]
    environment.apply(remoteProxy=True).until_up()
    assert [port["name"] for port in environment.child("services")["spec"]["ports"]] == ["ingress", "admin", "health"]
    header, row = environment.lab.kubectl("get", "rce", environment.name).splitlines()
    assert header.split() == ["NAME", "READY", "REGION", "ENVIRONMENT", "AGE"]
    assert row.split()[:4] == [environment.name, "True", "us", "env_201kabc"]


def test_nothing_is_asked_or_written_while_nothing_changes(environment):
    environment.apply().until_up()
    quiet = Quiet(environment.lab, restate_operator.AGENT)
    quiet.until_quiet(12)
    quiet = Quiet(environment.lab, restate_operator.AGENT)
    quiet.until_quiet(8)
    assert quiet.requests() == []


def test_a_missing_secret_is_told_and_heals_itself(environment):
    environment.remove_secret()
    environment.apply()
    message = environment.until_condition("False", "SecretNotFound", NOTICED)
    assert f"{NAMESPACE}/{environment.name}" in message
    assert environment.condition("Stalled")[:2] == ("True", "SecretNotFound")
    assert eventually("a Warning event", lambda: environment.events("SecretNotFound"))
    assert environment.child("deployments") is None
    environment.set_token(CANARY + "1", key="another")
    assert "token" in environment.until_condition("False", "SecretKeyNotFound", AT_ONCE)
    environment.set_token(CANARY + "a\nb")
    environment.until_condition("False", "InvalidBearerToken", AT_ONCE)
    environment.set_token(CANARY + "1")
    environment.until_condition("True", "Reconciled", AT_ONCE)
    environment.until_up()
    pods = environment.pods()
    environment.remove_secret()
    environment.until_condition("False", "SecretNotFound", AT_ONCE)
    environment.set_token(CANARY + "1")
    environment.until_condition("True", "Reconciled", AT_ONCE)
    assert environment.up() and environment.pods() == pods


def test_another_token_rolls_the_pods_once(environment):
    environment.apply().until_up()
    for number in (2, 3):
        before = environment.pods()
        generation = environment.child("deployments")["metadata"]["generation"]
        with throughout("a pod is ready", lambda: bool(environment.ready_pods())):
            environment.set_token(f"{CANARY}{number}\n")
            eventually("the template says which token", lambda number=number: environment.template()["metadata"].get(
                "annotations", {}).get(DIGEST) == digest(f"{CANARY}{number}"), AT_ONCE)
            eventually("other pods run", lambda before=before: environment.up() and not set(
                environment.pods().values()) & set(before.values()), 60, environment.pods)
        assert environment.child("deployments")["metadata"]["generation"] == generation + 1
        assert len(environment.list("replicasets")) == number
    pods = environment.pods()
    quiet = Quiet(environment.lab, restate_operator.AGENT)
    environment.set_token(f" {CANARY}3")  # another text, and the same token
    eventually("it has looked", lambda: any("/secrets/" in uri for _, uri in quiet.requests()), AT_ONCE)
    quiet.until_quiet()
    assert [write for write in quiet.writes() if "/status" not in write[1]] == [] and environment.pods() == pods


def test_what_somebody_changes_is_put_back(environment):
    environment.apply(replicas=1).until_up()

    def put_back(kind, change, look):
        before = look()
        environment.edit(kind, change)
        eventually(f"{kind} is as it was after {change}", lambda: look() == before, DRIFT)
    put_back("deployments", {"spec": {"replicas": 4}}, lambda: environment.child("deployments")["spec"]["replicas"])
    put_back("deployments", {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}},
             lambda: environment.template()["spec"]["terminationGracePeriodSeconds"])
    put_back("deployments", {"metadata": {"annotations": {DIGEST: None}}},
             lambda: environment.child("deployments")["metadata"].get("annotations", {}).get(DIGEST))
    for kind in ("deployments", "services"):
        put_back(kind, {"metadata": {"labels": None}},
                 lambda kind=kind: environment.child(kind)["metadata"].get("labels"))
    put_back("services", {"spec": {"selector": {"app": "x"}}},
             lambda: environment.child("services")["spec"]["selector"])
    environment.edit("services", {"metadata": {"labels": {"mine": "stays"}}})
    for kind in ("services", "deployments"):
        uid = environment.child(kind)["metadata"]["uid"]
        environment.lab.api.request("DELETE", environment.child_path(kind) + "?propagationPolicy=Background")
        eventually(f"{kind} is there again", lambda kind=kind, uid=uid: (environment.child(kind) or {}).get(
            "metadata", {}).get("uid", uid) != uid, DRIFT)
    environment.until_up()


def test_suspended_it_is_left_alone(environment):
    environment.apply().until_up()
    Quiet(environment.lab, restate_operator.AGENT).until_quiet(12)
    quiet = Quiet(environment.lab, restate_operator.AGENT)
    environment.suspend()
    eventually("it says so", lambda: environment.condition("Reconciling")[:2] == ("False", "Disabled"), AT_ONCE)
    assert environment.condition()[0] == "True" and environment.status()["reconciliation"] == "Disabled"
    environment.set_token(CANARY + "2")
    environment.edit("services", {"spec": {"selector": {"app": "x"}}})
    neighbour = Environment(environment.lab, "neighbour-of-suspended").set_token(CANARY + "1").apply().until_up()
    writes = [uri for _, uri in quiet.writes() if "neighbour" not in uri and "/events" not in uri]
    assert [uri.partition("?")[0] for uri in writes] == [f"{environment.path}/status"]
    assert DIGEST not in environment.template()["metadata"].get("annotations", {})
    environment.resume()
    eventually("the selector is put back", lambda: "app" not in environment.child("services")["spec"]["selector"],
               DRIFT)
    eventually("the token is taken", lambda: DIGEST in environment.template()["metadata"].get("annotations", {}),
               DRIFT)
    eventually("it is in charge", lambda: environment.status()["reconciliation"] == "Reconciling", 20)
    neighbour.delete()
    neighbour.remove_secret()


def test_begun_suspended_it_is_not_touched(environment):
    body = manifest(environment.name)
    body["metadata"]["annotations"] = {RECONCILE: "disabled"}
    environment.lab.apply(body)
    eventually("it says so", lambda: environment.status().get("reconciliation") == "Disabled", AT_ONCE)
    assert "finalizers" not in environment.object()["metadata"] and environment.child("services") is None


def test_deleted_it_goes_with_its_tunnel(environment):
    environment.apply().until_up()
    assert environment.object()["metadata"]["finalizers"] == ["cloudenvironments.restate.dev"]
    environment.delete()
    environment.until_gone()
    eventually("the event is there", lambda: environment.events("DeleteRequested"), 10)
    assert environment.events("DeleteRequested") == [f"Delete `{environment.name}`"]


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_a_name_that_somebody_has_is_left_alone(environment, kind):
    labels = {"app": "theirs"}
    theirs = {"apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind,
              "metadata": {"name": f"tunnel-{environment.name}", "namespace": NAMESPACE},
              "spec": {"ports": [{"port": 1}]} if kind == "Service" else {
                  "replicas": 0, "selector": {"matchLabels": labels}, "template": {
                      "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}
    environment.lab.apply(theirs)
    plural = kind.lower() + "s"
    before = environment.child(plural)
    environment.apply()
    assert f"{kind} {NAMESPACE}/tunnel-{environment.name}" in environment.until_condition("False", "NameTaken", NOTICED)
    other = "services" if kind == "Deployment" else "deployments"
    assert environment.child(other) is None
    after = environment.child(plural)
    assert (after["metadata"]["uid"], after["metadata"].get("labels")) == (before["metadata"]["uid"],
                                                                          before["metadata"].get("labels"))
    environment.lab.kubectl("delete", plural, f"tunnel-{environment.name}", "-n", NAMESPACE)
    environment.patch({"metadata": {"annotations": {"look": "again"}}})  # nobody tells of objects without our labels
    environment.until_up()


# Bad input.

@pytest.fixture(scope="module")
def odd(cloud_lab, cloud_operator):
    """All of them at once, with one Secret, and a good neighbour that comes last."""
    owner = Environment(cloud_lab, "odd").set_token(CANARY + "1")
    tables = {**{row: found[0] for row, found in bad_environments.INVALID.items()},
              **{row: found[0] for row, found in bad_environments.REJECTED.items()}, **bad_environments.FINE}
    found = {}
    for row, change in tables.items():
        body = manifest(bad_environments.NAMES.get(row, f"odd-{row}"), "odd")
        change(body)
        status, answer = cloud_lab.api.request("POST", Environment(cloud_lab, "").path.rstrip("/"), body)
        assert status == 201, (row, answer)
        found[row] = Environment(cloud_lab, body["metadata"]["name"])
    found["good"] = Environment(cloud_lab, "good").set_token(CANARY + "1").apply()
    yield found
    for environment in found.values():
        environment.delete()
    owner.remove_secret()


def test_a_neighbour_of_bad_ones_converges(odd):
    odd["good"].until_up()


@pytest.mark.parametrize("row", bad_environments.REFUSED)
def test_the_schema_refuses(cloud_lab, row):
    body = manifest(bad_environments.NAMES.get(row, f"odd-{row}"), "odd")
    bad_environments.REFUSED[row](body)
    status, answer = cloud_lab.api.request("POST", Environment(cloud_lab, "").path.rstrip("/"), body)
    assert status == 422, answer


@pytest.mark.parametrize("row", bad_environments.INVALID)
def test_a_mistake_is_named_and_nothing_is_made(odd, row):
    eventually("it is stalled", lambda: odd[row].condition("Stalled")[0] == "True", NOTICED, odd[row].status)
    status, reason, message = odd[row].condition()
    assert (status, reason) == ("False", "InvalidSpec" if row == "replicas-of-int32" else "InvalidRestateConfig")
    text = bad_environments.INVALID[row][1]
    assert message.startswith(text) and len(message.encode()) <= 1024
    assert odd[row].child("deployments") is None and odd[row].child("services") is None
    assert "finalizers" not in odd[row].object()["metadata"]


@pytest.mark.parametrize("row", bad_environments.REJECTED)
def test_what_the_server_refuses_is_told_in_its_words(odd, row):
    assert bad_environments.REJECTED[row][1] in odd[row].until_condition("Unknown", "FailedReconcile", NOTICED)
    assert odd[row].condition("Stalled")[0] == "True"


@pytest.mark.parametrize("row", bad_environments.FINE)
def test_odd_ones_work(odd, row):
    odd[row].until_condition("True", "Reconciled", NOTICED)
    assert odd[row].child("deployments") and odd[row].child("services")


def test_a_mended_one_goes_on(odd):
    odd["replicas-below-0"].patch({"spec": {"tunnel": {"replicas": 1}}})
    odd["replicas-below-0"].until_up()


def test_no_mistake_is_tried_again_and_again(cloud_lab, cloud_operator, odd):
    quiet = Quiet(cloud_lab, restate_operator.AGENT)
    quiet.until_quiet(8, 90)
    waiting = {item["name"]: item for item in json.loads(cloud_lab.http("GET", "127.0.0.1", PORT, "/")[1])["waiting"]}
    assert "good" not in waiting and waiting[odd["image-empty"].name]["reason"] == "InvalidRestateConfig"
