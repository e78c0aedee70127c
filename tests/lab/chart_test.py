#!/usr/bin/python3
"""The Helm charts: what they make of a table of values, what they refuse and in which words, and a real API server with them.

The table is tests/golden/charts: NAME.values.yaml and what comes of it, NAME.yaml; `chart_test.py --write` writes the latter.
"""
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from e2e.conftest import rights  # noqa: E402: the path first
from labkit import Lab, cloud_apis, helm, restate_operator  # noqa: E402
from labkit.helm import CRDS, OPERATOR  # noqa: E402
from labkit.rights import of_roles, of_rules  # noqa: E402

ROOT = restate_operator.ROOT
GOLDEN = ROOT / "tests/golden/charts"
CASES = sorted(path.name.removesuffix(".values.yaml") for path in GOLDEN.glob("*.values.yaml"))
NAMESPACE = "operators"
NAME = "restate-operator"
PORT = 18093
RUNBOOKS = ROOT / "docs/runbooks.md"
KEEP = {"helm.sh/resource-policy": "keep"}


@functools.cache
def charts():
    return helm.charts(tempfile.mkdtemp(prefix="charts-"))


def run(*arguments, check=True):
    done = helm.run(charts(), *arguments)
    assert not check or done.returncode == 0, done.stderr
    return done


def values_of(case):
    return ["--values", str(GOLDEN / f"{case}.values.yaml")]


@functools.cache
def rendered(case, chart=OPERATOR):
    """The objects; of the operator's chart without the CRDs, which it makes for `installCrds` only."""
    text = run("template", NAME, charts() / chart, "--namespace", NAMESPACE, *(values_of(case) if case else [])).stdout
    return [found for found in yaml.safe_load_all(text) if found]


def own(case):
    return [item for item in rendered(case) if item["kind"] != "CustomResourceDefinition"]


def the(kind, case="defaults"):
    found, = (item for item in own(case) if item["kind"] == kind)
    return found


def text_of(objects):
    ordered = sorted(objects, key=lambda item: (item["kind"], item["metadata"]["name"]))
    ordered = [{**item, "data": list(item["data"])} if item["kind"] == "ConfigMap" else item for item in ordered]
    return yaml.safe_dump_all(ordered, sort_keys=True, width=120)


@pytest.fixture(scope="module", autouse=True)
def cleaned_up():
    yield
    shutil.rmtree(charts())
    charts.cache_clear()


# What is rendered.

@pytest.mark.parametrize("case", CASES)
def test_lint(case):
    run("lint", "--strict", charts() / OPERATOR, *values_of(case))


def test_lint_of_the_definitions():
    run("lint", "--strict", charts() / CRDS)


@pytest.mark.parametrize("case", CASES)
def test_rendered_as_written_down(case):
    assert text_of(own(case)) == (GOLDEN / f"{case}.yaml").read_text()


def test_the_definitions_are_those_of_the_code():
    wanted = {path.name: path.read_text() for path in (ROOT / "crds").glob("*.yaml")}
    assert {path.name: path.read_text() for path in (ROOT / "charts" / CRDS / "files").glob("*")} == wanted
    made = rendered(None, CRDS)
    assert all(item["metadata"].pop("annotations") == KEEP for item in made)
    assert {item["metadata"]["name"]: item for item in made} == {
        item["metadata"]["name"]: item for item in map(yaml.safe_load, wanted.values())}


@pytest.mark.parametrize("case, there", [("defaults", True), ("least", False)])
def test_the_operators_chart_brings_the_definitions_if_asked_to(case, there):
    assert any(item["kind"] == "CustomResourceDefinition" for item in rendered(case)) == there


def test_a_release_of_the_references_chart_can_be_upgraded():
    """A Deployment's selector cannot be changed, and network policies of RestateClusters let in by this label."""
    deployment = the("Deployment")
    assert deployment["metadata"]["name"] == NAME
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": NAME}}
    variables = {variable["name"]: variable for variable in container()["env"]}
    assert variables["OPERATOR_LABEL_NAME"]["value"] == "app"
    assert variables["OPERATOR_LABEL_VALUE"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['app']"


def container(case="defaults"):
    return the("Deployment", case)["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("case", ["defaults", "reference", "one-namespace"])
def test_the_operator_knows_the_variables(case):
    shown = subprocess.run([restate_operator.program(), "--help"], capture_output=True, text=True, check=True).stdout
    known = {*re.findall(r"\[([A-Z_]+)\]", shown), "RUST_LOG", "SSL_CERT_FILE"}
    assert {variable["name"] for variable in container(case)["env"]} <= known


def test_pods_are_the_deployments_whatever_labels_they_get():
    labels = the("Deployment", "more")["spec"]["template"]["metadata"]["labels"]
    assert (labels["app"], labels["example.com/team"]) == (NAME, "a")


def test_one_version_everywhere():
    version = re.search(r"version : '([^']+)'", (ROOT / "meson.build").read_text())[1]
    for name in (CRDS, OPERATOR):
        chart = yaml.safe_load((ROOT / "charts" / name / "Chart.yaml").read_text())
        assert (chart["version"], chart["appVersion"]) == (version, version)
        assert [found["version"] for found in chart.get("dependencies", [])] in ([], [version])
    assert container()["image"].endswith(f":{version}")


# Rights.

LEASES = {("coordination.k8s.io", "leases", verb) for verb in ("create", "get", "watch", "update")}


def test_the_rights_are_those_that_the_other_tests_give():
    """Which fail when one is missing. That none is too much is seen after all of them: `rights_check`."""
    everything = own("reference")
    assert of_roles(everything, "ClusterRole") == of_roles(rights(), "ClusterRole") | of_rules(cloud_apis.rules())
    assert of_roles(everything, "Role") == of_roles(rights(), "Role") | LEASES


def test_rights_for_clouds_are_given_where_there_is_one():
    kinds = {resource for _, resource, _ in of_roles(own("defaults"), "ClusterRole")}
    assert kinds.isdisjoint({"podidentityassociations", "iampolicymembers", "jobs"})
    assert "iampolicymembers" not in {resource for _, resource, _ in of_roles(own("one-namespace"), "Role")}


def test_one_namespace_needs_no_rights_in_others():
    everywhere = {resource for _, resource, _ in of_roles(own("one-namespace"), "ClusterRole")}
    kinds = ("restateclusters", "restatecloudenvironments")
    assert everywhere == {"namespaces", "events", "customresourcedefinitions",
                          *(f"{kind}{part}" for kind in kinds for part in ("", "/status", "/finalizers"))}
    assert ("", "namespaces", "create") not in of_roles(own("one-namespace"), "ClusterRole")
    assert {item["metadata"]["namespace"] for item in own("one-namespace") if item["kind"] == "Role"} == {
        NAMESPACE, "team-a"}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_granted_by_a_wildcard(case):
    for kind in ("ClusterRole", "Role"):
        assert not [grant for grant in of_roles(own(case), kind) if "*" in grant or grant[2] in ("escalate", "bind")]


@pytest.mark.parametrize("case", CASES)
def test_the_account_of_the_pods_is_the_one_with_the_rights(case):
    pod = the("Deployment", case)["spec"]["template"]["spec"]
    subjects = [subject for item in own(case) if item["kind"].endswith("RoleBinding") for subject in item["subjects"]]
    assert {(found["name"], found["namespace"]) for found in subjects} == {(pod["serviceAccountName"], NAMESPACE)}
    assert pod["automountServiceAccountToken"] is True


# Alerts and the dashboard.

def metrics():
    """The names of all series of the operator."""
    source = (ROOT / "src/app/metrics.cpp").read_text()
    found = set()
    for kind, name in re.findall(r'\b(Counters|Gauges|Histograms)\(\s*"(\w+)"', source):
        found |= {f"restate_operator_{name}{suffix}" for suffix in (("_bucket", "_sum", "_count") if kind == "Histograms"
                                                                    else ("",))}
    return found


def alerts():
    return [rule for group in the("PrometheusRule", "more")["spec"]["groups"] for rule in group["rules"]]


def test_alerts_and_panels_are_about_series_that_exist():
    text = the("ConfigMap", "more")["data"]["restate-operator.json"]
    assert text == (ROOT / "charts" / OPERATOR / "dashboards/restate-operator.json").read_text()
    dashboard = json.loads(text)
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [rule["expr"] for rule in alerts()]
    used = {name for expression in expressions for name in re.findall(r"restate_operator_\w+", expression)}
    assert len(used) > 10 and used <= metrics()


def test_each_alert_has_its_runbook():
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.M)
    assert [rule["alert"] for rule in alerts()] == sorted(rule["alert"] for rule in alerts())
    assert {rule["annotations"]["runbook_url"] for rule in alerts()} == {
        f"https://docs.example/runbooks.html#{heading.lower()}" for heading in headings}


# What is refused.

REFUSED = {
    "unknown": ({"replicas": 3}, "additional properties 'replicas' not allowed"),
    "text-for-a-number": ({"replicaCount": "two"}, "at '/replicaCount': got string, want integer"),
    "version-as-a-number": ({"version": 3.1}, "at '/version': got number, want null or string"),
    "tag-in-the-repository": ({"image": {"repository": "registry.example:5000/operator:1"}},
                              "image.repository must not have a tag, as \"registry.example:5000/operator:1\" has: set `version`"),
    "cluster-dns": ({"clusterDns": "http://cluster.local"}, "clusterDns must be a domain name of letters, digits"),
    "name": ({"nameOverride": "Restate_Operator"}, "nameOverride must be a name of small letters, digits and inner dashes"),
    "two-namespaces": ({"watchNamespace": "a,b"}, "watchNamespace must be the name of one namespace, and not \"a,b\""),
    "service-type": ({"service": {"type": "External"}}, "at '/service/type': value must be one of 'ClusterIP', 'NodePort'"),
    "port": ({"service": {"port": 0}}, "at '/service/port': minimum: got 0, want 1"),
    "env-as-an-object": ({"env": {"A": "b"}}, "at '/env': got object, want null or array"),
    "env-with-a-number": ({"env": [{"name": "OPERATOR_WORKERS", "value": 8}]}, "at '/env/0/value': got number, want string"),
    "resources": ({"resources": {"limit": {"cpu": 1}}}, "additional properties 'limit' not allowed"),
    "pull-policy": ({"image": {"pullPolicy": "Sometimes"}}, "at '/image/pullPolicy': value must be one of 'Always'"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_mistake_is_told(row, tmp_path):
    values, text = REFUSED[row]
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    done = run("template", NAME, charts() / OPERATOR, "--values", tmp_path / "values.yaml", check=False)
    assert done.returncode and text in done.stderr, done.stderr


# A real API server.

@pytest.fixture(scope="module")
def lab():
    """Simulated nodes, and a namespace that takes restricted pods only."""
    found = Lab(f"{(os.environ.get('LAB_NAME') or 'e2e')[:13]}-charts", say=lambda text: None)
    found.down()
    try:
        found.kwok(nodes=2)
        found.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {
            "pod-security.kubernetes.io/enforce": "restricted"}}})
        yield found
    finally:
        found.down()


def helm_in(lab, *arguments):
    return helm.in_lab(lab, NAMESPACE, *arguments)


def listed(lab, kind, namespace=NAMESPACE):
    return json.loads(lab.kubectl("get", kind, "-n", namespace, "-o", "json"))["items"]


@pytest.fixture(scope="module")
def installed(lab):
    """What Helm said."""
    said = helm_in(lab, "install", NAME, charts() / OPERATOR, "--wait", "--timeout=60s")
    assert restate_operator.crds_are_established(lab)
    return said


def test_two_restricted_pods_on_two_nodes(lab, installed):
    pods = [pod for pod in listed(lab, "pods") if pod["metadata"]["labels"]["app"] == NAME]
    assert len(pods) == 2 and len({pod["spec"]["nodeName"] for pod in pods}) == 2


def test_it_says_what_to_do_next(installed):
    assert f"kubectl rollout status deployment/{NAME} -n {NAMESPACE}" in installed
    assert "kubectl explain restatedeployment.spec" in installed


def test_nodes_are_drained_one_at_a_time(lab, installed):
    budget, = listed(lab, "poddisruptionbudgets")
    lab.wait_for(lambda: listed(lab, "poddisruptionbudgets")[0].get("status", {}).get("disruptionsAllowed") == 1,
                 "kube-controller-manager", timeout=30)
    assert budget["spec"]["maxUnavailable"] == 1


def test_the_operator_starts_with_the_charts_account(lab, installed, tmp_path):
    """And leads, and asks for nothing that it may not."""
    account = lab.service_account_kubeconfig(NAMESPACE, NAME)
    program = restate_operator.Operator(lab, tmp_path / "operator.log", PORT, "--operator-namespace", NAMESPACE,
                                        "--leader-elect", env={"KUBECONFIG": str(account)}).start()
    try:
        lab.wait_for(program.ready, timeout=30)
        lab.wait_for(lambda: [lease["metadata"]["name"] for lease in listed(lab, "leases")] == [NAME], timeout=30)
        lab.wait_for(lambda: program.metric("restate_operator_leader") == {"": 1}, timeout=30)
        assert [event["requestURI"] for event in lab.audit(restate_operator.AGENT)
                if event["responseStatus"]["code"] in (401, 403)] == []
    finally:
        program.kill()


def test_values_can_be_changed_and_the_definitions_stay(lab, installed):
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    helm_in(lab, "upgrade", NAME, charts() / OPERATOR, "--wait", "--timeout=60s", *values_of("one-namespace"))
    assert [role["metadata"]["name"] for role in listed(lab, "roles", "team-a")] == [f"{NAME}-watched"]
    helm_in(lab, "uninstall", NAME, "--wait")
    assert listed(lab, "deployments") == []
    assert len([item for item in listed(lab, "crd") if item["spec"]["group"] == "restate.dev"]) == 3
    helm_in(lab, "install", NAME, charts() / OPERATOR, "--wait", "--timeout=60s")  # and takes the definitions over


def write():
    for case in CASES:
        (GOLDEN / f"{case}.yaml").write_text(text_of(own(case)))


if __name__ == "__main__":
    sys.exit(write() if "--write" in sys.argv else pytest.main(["-p", "no:cacheprovider", __file__, *sys.argv[1:]]))
