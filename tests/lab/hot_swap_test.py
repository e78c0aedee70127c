"""S9: the operator takes over clusters and tunnels that the reference operator made: recorded objects, with their
managedFields, under the reference's definitions, on a real API server with its controllers and simulated pods. It comes
by Helm, and runs with the account that the chart makes. Nothing is restarted, nothing is deleted, hardly anything is
written.
"""
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout

from labkit import Lab, clusters, helm, restate_operator, storage  # noqa: E402: the bytecode first
from labkit.client import MERGE  # noqa: E402

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
RECORDED = GOLDEN / "objects"
APIS_APART = ("aws", "csi", "gcp")  # cases with kinds that are not installed here
NOT_SCHEDULED = ("scheduling",)  # was recorded with pods that find no node
PORT = 18091
LABEL = ["--operator-label-name", "app.kubernetes.io/name", "--operator-label-value", "restate-operator"]
PLURALS = {"Namespace": "namespaces", "ServiceAccount": "serviceaccounts", "ConfigMap": "configmaps",
           "Service": "services", "NetworkPolicy": "networkpolicies", "PodDisruptionBudget": "poddisruptionbudgets",
           "StatefulSet": "statefulsets", "PersistentVolumeClaim": "persistentvolumeclaims",
           "Deployment": "deployments"}
ENVIRONMENTS = "/apis/restate.dev/v1beta1/restatecloudenvironments"
NAMESPACE = restate_operator.NAMESPACE
WRITES = ("create", "update", "patch", "delete", "deletecollection")


def recordings():
    found = {path.stem: json.loads(path.read_text()) for path in sorted(RECORDED.glob("*.json"))}
    return {name: recorded for name, recorded in found.items()
            if recorded["cr"]["kind"] in TAKEN_OVER and name not in (*APIS_APART, *NOT_SCHEDULED)}


def path_of(item):
    group, _, _ = item["apiVersion"].rpartition("/")
    base = f"/apis/{item['apiVersion']}" if group else f"/api/{item['apiVersion']}"
    inside = f"/namespaces/{item['metadata']['namespace']}" if "namespace" in item["metadata"] else ""
    return f"{base}{inside}/{PLURALS.get(item['kind'], 'restateclusters')}"


class Cluster:
    """One recorded cluster on the lab's API server."""

    collection, finalizer, field = clusters.PATH, "clusters.restate.dev", "spec.compute"
    written = ()  # objects of it that are

    def __init__(self, lab, recorded):
        self.lab, self.recorded = lab, recorded
        self.name = recorded["cr"]["metadata"]["name"]
        self.path = f"{self.collection}/{self.name}"

    def ask(self, method, path, body=None, **options):
        status, answer = self.lab.api.request(method, path, body, **options)
        assert status in (200, 201), f"{method} {path}: {answer}"
        return answer

    def restore(self):
        """Puts all of it there, each field owned by whom the recording says."""
        stored = {**self.recorded["cr"], "spec": self.recorded["stored"]["spec"]}
        stored["metadata"] = {**stored["metadata"], "finalizers": [self.finalizer]}
        uid = self.ask("POST", self.collection, stored)["metadata"]["uid"]
        if status := self.recorded["status"]:
            self.ask("PATCH", f"{self.path}/status", {"status": {**status, "conditions": [
                {**c, "lastTransitionTime": "2026-01-01T00:00:00Z"} for c in status["conditions"]]}},
                content_type=MERGE)
        for item in sorted(self.recorded["objects"], key=lambda o: o["kind"] != "Namespace"):
            self.restore_one(item, uid)

    def restore_one(self, item, uid):
        item = json.loads(OWNER.sub(r"\g<1>" + uid, json.dumps(item)))
        for owner in item["metadata"].get("ownerReferences", []):
            owner["uid"] = uid
        fields = item["metadata"].pop("managedFields")
        for entry in fields:
            entry["time"] = "2026-01-01T00:00:00Z"
        item.pop("status", None)
        if item["kind"] == "Service" and item["spec"].get("clusterIP") != "None":
            for member in ("clusterIP", "clusterIPs"):
                item["spec"].pop(member, None)
        path = path_of(item)
        self.ask("POST", path, item)
        owned = {"metadata": {"managedFields": [entry for entry in fields if entry.get("subresource") != "status"]}}
        self.ask("PATCH", f"{path}/{item['metadata']['name']}", owned, content_type=MERGE)

    def stored(self):
        """The object as the API server has it."""
        return self.ask("GET", self.path)

    def stateful_set(self):
        return self.ask("GET", f"/apis/apps/v1/namespaces/{self.name}/statefulsets/restate")

    def up(self):
        status = self.stateful_set().get("status", {})
        wanted = self.stateful_set()["spec"]["replicas"]
        return status.get("readyReplicas") == status.get("replicas") == wanted

    def state(self):
        """What must not change: the pods, and the revision they are of."""
        pods = self.ask("GET", f"/api/v1/namespaces/{self.name}/pods")["items"]
        return (self.stateful_set()["status"]["updateRevision"],
                sorted((pod["metadata"]["name"], pod["metadata"]["uid"]) for pod in pods))

    def mine(self, path):
        own = (self.path, f"{self.path}/status", f"/api/v1/namespaces/{self.name}")
        return f"/namespaces/{self.name}/" in path or path in own

    def ready(self):
        found = self.ask("GET", self.path)
        status = found.get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        return (status.get("observedGeneration") == found["metadata"]["generation"]
                and conditions["Ready"]["status"] == "True" and conditions)


class Environment(Cluster):
    """A recorded tunnel."""

    collection, finalizer, field = ENVIRONMENTS, "cloudenvironments.restate.dev", "spec.tunnel"
    written = ("deployments",)  # gets the digest of its token

    def deployment(self):
        return self.ask("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/tunnel-{self.name}")

    def list(self, collection):
        selection = f"labelSelector=app.kubernetes.io/instance=tunnel-{self.name}"
        return sorted((item["metadata"]["name"], item["metadata"]["uid"]) for item in self.ask(
            "GET", f"{collection}?{selection}")["items"])

    def up(self):
        found = self.deployment()
        return found.get("status", {}).get("readyReplicas") == found["spec"]["replicas"]

    def state(self):
        return (self.list(f"/api/v1/namespaces/{NAMESPACE}/pods"),
                self.list(f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"))

    def mine(self, path):
        return path.endswith(f"/tunnel-{self.name}") or super().mine(path)


TAKEN_OVER = {"RestateCluster": Cluster, "RestateCloudEnvironment": Environment}
# The key of an owner in managedFields has its uid in it; a tunnel has it as its name, too.
OWNER = re.compile(r'(k:\{\\"uid\\":\\"|RESTATE_TUNNEL_NAME", "value": ")[-0-9a-f]{36}')


def install_as_the_reference(lab):
    """Its definitions, as its release has them."""
    release = {"labels": {"app.kubernetes.io/managed-by": "Helm"},
               "annotations": {"meta.helm.sh/release-name": helm.RELEASE, "meta.helm.sh/release-namespace": NAMESPACE}}
    for path in sorted(GOLDEN.glob("crds/*.json")):
        definition = json.loads(path.read_text())
        lab.apply({**definition, "metadata": {**definition["metadata"], **release}})
    until("the definitions are in force", lambda: restate_operator.crds_are_established(lab))


def install(lab, *values):
    """Ours, over it. Returns the variables by which a program runs with the account of its pods, which are simulated."""
    charts = helm.charts(lab.directory / "charts")
    helm.in_lab(lab, NAMESPACE, "upgrade", "--install", helm.RELEASE, charts / helm.OPERATOR, "--wait", "--timeout=90s", *values)
    return {"KUBECONFIG": str(lab.service_account_kubeconfig(NAMESPACE, helm.RELEASE))}


def until(what, check, timeout=120):
    deadline = time.monotonic() + timeout
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.2)
    return found


def quiet_writes(lab, before):
    """The operator's writes since then, once no request came for 4 s. Who leads is written every 5 s."""
    seen, last = len(requests(lab)), time.monotonic()
    while time.monotonic() - last < 4:
        time.sleep(0.2)
        if (now := len(requests(lab))) != seen:
            seen, last = now, time.monotonic()
    return [(e["verb"], e["requestURI"].partition("?")[0]) for e in requests(lab)[before:]
            if e["verb"] in WRITES and "/events" not in e["requestURI"]]


def requests(lab):
    return [event for event in lab.audit(restate_operator.AGENT) if "/leases" not in event["requestURI"]]


@pytest.fixture(scope="module")
def swapped(tmp_path_factory):
    """All recorded clusters, before and after the operator has come: (clusters, states before, writes, restart's writes,
    what was stored before and after its definitions came)."""
    lab = Lab(os.environ.get("LAB_NAME") or "hot-swap", say=lambda text: None)
    lab.down()
    operator = None
    try:
        lab.kwok()
        lab.apply(storage.CLASS)
        lab.start("storage", storage.command(lab))
        install_as_the_reference(lab)
        lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
                  {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tok", "namespace": NAMESPACE},
                   "stringData": {"t": "token"}})
        lab.kubectl("label", "node", "kwok-0", "a=b", "z=")  # that a recorded tunnel asks for
        found = {name: TAKEN_OVER[recorded["cr"]["kind"]](lab, recorded) for name, recorded in recordings().items()}
        for cluster in found.values():
            cluster.restore()
        for name, cluster in found.items():
            until(f"the pods of {name} run", cluster.up)
        before = {name: cluster.state() for name, cluster in found.items()}
        stored = {name: cluster.stored() for name, cluster in found.items()}
        account = install(lab)
        stored = stored, {name: cluster.stored() for name, cluster in found.items()}
        operator = restate_operator.Operator(lab, tmp_path_factory.mktemp("hot-swap") / "operator.log", PORT, *LABEL,
                                             "--leader-elect", env=account)
        operator.start()
        for name, cluster in found.items():
            until(f"{name} is Ready", cluster.ready)
        first = quiet_writes(lab, 0)
        asked = len(requests(lab))
        operator.end()
        operator.start()
        until("the operator is ready", operator.ready)
        yield found, before, first, quiet_writes(lab, asked), stored
    finally:
        if operator and operator.process:
            operator.end()
        lab.down()


@pytest.mark.parametrize("name", recordings())
def test_our_definitions_change_no_stored_object(swapped, name):
    before, after = swapped[4]
    assert after[name] == before[name]


@pytest.mark.parametrize("name", recordings())
def test_no_pod_is_restarted_and_nothing_is_deleted(swapped, name):
    found, before, writes, *_ = swapped
    assert found[name].state() == before[name]
    assert [write for write in writes if write[0].startswith("delete")] == []


@pytest.mark.parametrize("name", recordings())
def test_each_object_is_written_once_at_most(swapped, name):
    taken = swapped[0][name]
    mine = [path for _, path in swapped[2] if taken.mine(path)]
    assert [path for path in set(mine) if mine.count(path) > 1] == []
    others = [path.split("/")[-2] for path in mine if path not in (taken.path, f"{taken.path}/status")]
    assert others == list(taken.written)


@pytest.mark.parametrize("name", recordings())
def test_what_waits_for_a_roll_is_told(swapped, name):
    warning = swapped[0][name].ready()["Warning"]
    assert "restarted" in warning["message"] and swapped[0][name].field in warning["message"]


def test_the_second_start_writes_nothing(swapped):
    assert swapped[3] == []
