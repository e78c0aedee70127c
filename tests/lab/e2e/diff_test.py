"""`restate-operator diff` on a real API server: it says what an apply would do, and does nothing. And what `render`
prints without a server is what the operator makes."""
import json
import subprocess

import yaml

from labkit import clusters, restate_operator

from .cluster import Cluster
from .service import Service

AGENT = "restate-operator-diff/"
WRITES = {"create", "update", "patch", "delete", "deletecollection"}
KINDS = ["restatedeployments", "replicasets", "services", "restateclusters", "namespaces", "statefulsets", "configmaps"]


def diff(lab, *objects, kubeconfig=None):
    """(exit code, standard output, standard error)"""
    text = "\n---\n".join(map(json.dumps, objects))
    done = lab.exec([restate_operator.program(), "diff", "-f", "-"], input=text, text=True, timeout=60,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    env={"KUBECONFIG": str(kubeconfig)} if kubeconfig else None)
    return done.returncode, done.stdout, done.stderr


def rendered(lab, body):
    """The objects that `render` prints, which asks nobody."""
    done = lab.exec([restate_operator.program(), "render", "-f", "-"], input=json.dumps(body), text=True, timeout=60,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"KUBECONFIG": "/nowhere"})
    assert (done.returncode, done.stderr) == (0, "")
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def lacks(live, wanted, path=""):
    """Paths of what is wanted and is otherwise; uids are made up, and nulls and empty things are not stored."""
    if isinstance(wanted, dict):
        return [found for name, value in wanted.items() if name != "uid" and value not in (None, {}, [])
                for found in lacks((live or {}).get(name), value, f"{path}.{name}")]
    if isinstance(wanted, list) and isinstance(live, list) and len(live) == len(wanted):
        return [found for number, value in enumerate(wanted) for found in lacks(live[number], value, f"{path}[{number}]")]
    return [] if live == wanted else [f"{path}: {wanted!r}, but {live!r}"]


def assert_made_as_rendered(lab, body, kinds):
    objects = rendered(lab, body)
    assert {found["kind"] for found in objects} >= kinds
    for wanted in objects:
        where = ["-n", wanted["metadata"]["namespace"]] if "namespace" in wanted["metadata"] else []
        group, _, version = wanted["apiVersion"].rpartition("/")
        kind = f"{wanted['kind']}.{version}.{group}" if group else wanted["kind"]
        live = json.loads(lab.kubectl("get", kind, wanted["metadata"]["name"], *where, "-o", "json"))
        assert lacks(live, wanted, wanted["kind"]) == []


def versions(lab):
    """What every object is, less what the operator writes by itself, and what is left of tests before this one."""
    gone = {item["metadata"]["name"] for item in json.loads(lab.kubectl("get", "namespaces", "-o", "json"))["items"]
            if "deletionTimestamp" in item["metadata"]}
    found = {}
    for kind in KINDS:
        for item in json.loads(lab.kubectl("get", kind, "-A", "-o", "json"))["items"]:
            metadata = item["metadata"]
            if not gone & {metadata.get("namespace"), metadata["name"]}:
                found[kind, metadata.get("namespace"), metadata["name"]] = metadata["uid"], metadata.get("generation")
    return found


def heads(text):
    """The objects that a diff is about: [(before, after)], as kind and name; None where there is none."""
    def name(line):
        return None if line.endswith("/dev/null") else " ".join(line.split()[-2:])
    lines = text.splitlines()
    return [(name(line), name(lines[number + 1])) for number, line in enumerate(lines) if line.startswith("--- ")]


def assert_only_dry_runs(lab):
    requests = lab.audit(AGENT)
    assert requests, "the audit log knows nothing of it"
    written = [event["requestURI"] for event in requests if event["verb"] in WRITES]
    assert written, "it asked for no dry run"
    assert [uri for uri in written if "dryRun=All" not in uri] == []


def test_a_converged_service_has_no_difference_and_a_changed_one_has(lab, service, account):
    service.apply("v1")
    service.until_ready()
    assert diff(lab, service.manifest("v1")) == (0, "", "")
    assert diff(lab, service.manifest("v1"), kubeconfig=account) == (0, "", "")  # the operator's rights are enough

    before = versions(lab)
    code, text, errors = diff(lab, service.manifest("v2"))
    assert (code, errors) == (1, "")
    (own, _), (no_set, new_set), (no_service, new_service) = heads(text)
    assert own == f"RestateDeployment {service.namespace}/greeter"
    assert (no_set, no_service) == (None, None)
    assert new_set.startswith(f"ReplicaSet {service.namespace}/greeter-")
    assert new_service == new_set.replace("ReplicaSet", "Service")
    assert "-          value: v1\n+          value: v2\n" in text
    assert "# RestateDeployment" in text and "then waits: WaitingForUsage" in text
    assert versions(lab) == before
    assert_only_dry_runs(lab)

    assert_made_as_rendered(lab, service.manifest("v1"), {"ReplicaSet", "Service"})
    service.apply("v2")
    service.until_ready()
    name = service.version("v2")["metadata"]["name"]
    assert new_set == f"ReplicaSet {service.namespace}/{name}"
    assert diff(lab, service.manifest("v2")) == (0, "", "")


def test_a_change_in_place_shows_on_what_is_there(lab, service):
    service.apply("v1")
    service.until_ready()
    code, text, _ = diff(lab, service.manifest("v1", replicas=2))
    assert code == 1
    assert [after.split()[0] for _, after in heads(text)] == ["RestateDeployment", "ReplicaSet"]
    assert text.count("-  replicas: 1\n+  replicas: 2\n") == 2


def test_what_is_not_there_yet_is_shown_whole(lab, the_operator, namespace):
    body = Service(lab, namespace).manifest("v1")
    code, text, errors = diff(lab, body, clusters.restate_cluster("not-there-yet"))
    assert (code, errors) == (1, "")
    assert {before for before, _ in heads(text)} == {None}
    made = [after for _, after in heads(text)]
    assert made[0] == f"RestateDeployment {namespace}/greeter"
    assert "RestateCluster not-there-yet" in made and "Namespace not-there-yet" in made
    assert "StatefulSet not-there-yet/restate" in made  # in a namespace that the server does not know
    assert lab.api.request("GET", f"{clusters.PATH}/not-there-yet")[0] == 404
    assert lab.api.request("GET", "/api/v1/namespaces/not-there-yet")[0] == 404
    assert_only_dry_runs(lab)


def test_objects_of_one_file_may_name_each_other(lab, the_operator):
    service = Service(lab, "also-not-there", register={"cluster": "not-there-yet"})
    code, text, errors = diff(lab, service.manifest("v1"), clusters.restate_cluster("not-there-yet"),
                              {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "also-not-there"}})
    assert (code, errors) == (1, "")
    made = [after for _, after in heads(text)]
    assert made[0] == "RestateDeployment also-not-there/greeter"
    assert [name.split("-")[0] for name in made[1:3]] == ["ReplicaSet also", "Service also"]
    assert "StatefulSet not-there-yet/restate" in made
    assert "then waits: ClusterNotReady" in text
    assert_only_dry_runs(lab)


def test_a_field_that_kubectl_applied_and_the_file_has_no_more_is_removed(lab, the_operator, namespace):
    service = Service(lab, namespace)
    body = service.manifest("v1")
    body["spec"]["minReadySeconds"] = 1
    lab.kubectl("apply", "-f", "-", input=json.dumps(body))
    service.until_ready()
    assert diff(lab, body) == (0, "", "")
    code, text, _ = diff(lab, service.manifest("v1"))
    assert code == 1 and "-  minReadySeconds: 1\n" in text


def test_a_converged_cluster_has_no_difference(lab, the_operator):
    cluster = Cluster(lab, "diffed").apply().until_ready()
    try:
        body = clusters.restate_cluster(cluster.name, **cluster.options)
        assert diff(lab, body) == (0, "", "")
        assert_made_as_rendered(lab, body, {"Namespace", "StatefulSet", "ConfigMap", "NetworkPolicy", "Service"})
        body["spec"]["compute"]["env"].append({"name": "LAB", "value": "1"})
        code, text, errors = diff(lab, body)
        assert (code, errors) == (1, "")
        assert [after for _, after in heads(text)] == ["RestateCluster diffed", "StatefulSet diffed/restate"]
        before = cluster.uids("networkpolicies")  # the operator makes again what is deleted
        body = clusters.restate_cluster(cluster.name, **cluster.options, security={"disableNetworkPolicies": True})
        code, text, errors = diff(lab, body)
        assert (code, errors) == (1, "")
        assert ("NetworkPolicy diffed/deny-all", None) in heads(text)
        assert "deny-all" in before and cluster.uids("networkpolicies") == before
    finally:
        lab.kubectl("delete", "restatecluster", cluster.name, "--wait=false")


def test_mistakes_are_errors_and_no_differences(lab, the_operator, namespace):
    body = Service(lab, namespace).manifest("v1")
    body["spec"]["replica"] = 2
    code, text, errors = diff(lab, body)
    assert (code, text) == (2, "")
    assert "standard input, document 1" in errors and "spec.replica: there is no such field" in errors
    body = Service(lab, "no-such-namespace").manifest("v1")
    code, text, errors = diff(lab, body)
    assert (code, text) == (2, "") and 'namespaces "no-such-namespace" not found' in errors
