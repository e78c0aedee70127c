"""examples/gitops: what Argo CD and Flux make of our objects by the health checks there. Real Lua and Flux's own code, no
cluster; e2e/examples_test.py asks the same of objects that live.
"""
import copy
import sys

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout

from labkit import examples, gitops  # noqa: E402: the bytecode first

API = {"RestateCluster": "restate.dev/v1", "RestateDeployment": "restate.dev/v1beta1",
       "RestateCloudEnvironment": "restate.dev/v1beta1"}
NEW = {"metadata": {"name": "a", "generation": 2}, "spec": {}}


def condition(kind, status, reason, message="words: \"quoted\" \\ and\nü"):
    return {"type": kind, "status": status, "reason": reason, "message": message}


def with_status(*conditions, observed=2, **more):
    return {**NEW, "status": {"observedGeneration": observed, "conditions": list(conditions), **more}}


# What the operator writes, and how Argo CD and Flux judge that.
CASES = {
    "new": (NEW, "Progressing", "Unknown"),
    "ready": (with_status(condition("Ready", "True", "Deployed")), "Healthy", "Current"),
    "changed since": (with_status(condition("Ready", "True", "Deployed"), observed=1), "Progressing", "InProgress"),
    "waits": (with_status(condition("Ready", "False", "ReplicaSetPodNotReady"),
                          condition("Reconciling", "True", "ReplicaSetPodNotReady")), "Progressing", "InProgress"),
    "unknown": (with_status(condition("Ready", "Unknown", "KubernetesUnavailable"),
                            condition("Reconciling", "True", "KubernetesUnavailable")), "Progressing", "InProgress"),
    "stalled": (with_status(condition("Ready", "False", "InvalidSpec"), condition("Stalled", "True", "InvalidSpec")),
                "Degraded", "Failed"),
    "held off": (with_status(condition("Ready", "True", "Deployed"), condition("Reconciling", "False", "Disabled"),
                             reconciliation="Disabled"), "Suspended", "Current"),
    "no conditions": ({**NEW, "status": {"replicas": 0}}, "Progressing", "InProgress"),
}
SCALED = with_status(condition("Ready", "False", "ScaledToZero"))


def of(kind, item):
    return {**copy.deepcopy(item), "apiVersion": API[kind], "kind": kind}


@pytest.mark.parametrize("kind", API)
@pytest.mark.parametrize("case", CASES)
def test_argo_cd(kind, case):
    item, health, _ = CASES[case]
    status, message = gitops.argo_health(of(kind, item))
    assert status == health
    conditions = item.get("status", {}).get("conditions", [])
    if status in ("Degraded", "Healthy"):  # says why, in the operator's words
        assert message.startswith(conditions[-1]["reason"] + ": words: \"quoted\" \\ and")


@pytest.mark.parametrize("kind", API)
@pytest.mark.parametrize("case", CASES)
def test_flux(kind, case):
    item, _, status = CASES[case]
    assert gitops.flux_status(of(kind, item)).split()[0] == status


@pytest.mark.parametrize("kind", ["RestateCluster", "RestateDeployment"])
def test_scaled_to_zero_on_purpose_is_no_failure(kind):
    assert gitops.argo_health(of(kind, SCALED))[0] == "Suspended"
    assert gitops.flux_status(of(kind, SCALED)) == "Current"


def test_all_kinds_have_a_check():
    assert set(gitops.argo_scripts()) == set(gitops.flux_expressions()) == set(API)


def test_flux_knows_the_kinds_and_fields():
    assert len(gitops.flux_objects()) == 4
    gitops.flux("check", gitops.flux_objects())


def test_a_field_that_flux_does_not_know_is_seen():
    wrong = copy.deepcopy(gitops.flux_objects())
    wrong[-1]["spec"]["dependOn"] = []
    with pytest.raises(RuntimeError, match="dependOn"):
        gitops.flux("check", wrong)


def test_what_flux_waits_for_is_there():
    names = {item["metadata"]["name"] for item in gitops.flux_objects() if item["kind"] == "Kustomization"}
    waited = {found["name"] for item in gitops.flux_objects() for found in item["spec"].get("dependsOn", [])}
    assert waited - names == {"infrastructure"}  # the reader's own, as the comment says


def test_argo_cd_applications_name_what_is_here():
    found = examples.files()["gitops/argocd/application.yaml"]
    assert [item["kind"] for item in found] == ["Application", "Application"]
    charts = {item["spec"]["source"]["path"] for item in found if item["spec"]["source"]["path"].startswith("charts/")}
    assert charts and all((examples.DIRECTORY.parent / chart / "Chart.yaml").exists() for chart in charts)
