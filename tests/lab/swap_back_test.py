"""S9, the way back: after our operator, which came and went by Helm, has worked on clusters that the reference made, the
reference finds them as it needs them. It is not run here: what it would apply is what it owns in the recordings, and what it would refuse to read
is what its own definitions refuse.
"""
import json
import os
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout

import hot_swap_test  # noqa: E402: the bytecode first
from hot_swap_test import LABEL, NAMESPACE, NOT_SCHEDULED, Cluster, path_of, quiet_writes, until  # noqa: E402
from labkit import Lab, cloud_apis, helm, restate_operator, storage  # noqa: E402
from labkit.client import APPLY  # noqa: E402

PORT = 18092
MANAGER = "restate-operator"
DEFINITIONS = Path(__file__).resolve().parent.parent / "golden/crds"
DEFINITION = "restateclusters"
INTERRUPTED = ("aws",)  # was recorded while its canary was deleted again and again, as that version did
hot_swap_test.PLURALS.update({crd["spec"]["names"]["kind"]: crd["spec"]["names"]["plural"] for crd in cloud_apis.ALL},
                             Job="jobs")


def recordings():
    found = {path.stem: json.loads(path.read_text()) for path in sorted(hot_swap_test.RECORDED.glob("*.json"))}
    return {name: recorded for name, recorded in found.items() if recorded["cr"]["kind"] == "RestateCluster"
            and name not in (*NOT_SCHEDULED, *INTERRUPTED)}


RECORDED = recordings()


def owned(value, fields):
    """The part of a value that a set of managedFields names; an empty set names all of it."""
    if not fields or (set(fields) == {"."} and not isinstance(value, dict)):
        return value
    if isinstance(value, list):
        return [owned(item, sub) for item, sub in zip(value, (entry_of(item, fields) for item in value))
                if sub is not None]
    # A name without a value was applied with an empty one.
    return {name[2:]: owned(value.get(name[2:], {}), sub) for name, sub in fields.items() if name.startswith("f:")}


def entry_of(item, fields):
    """What a set says about one entry of a list; None: it is not in it."""
    for name, sub in fields.items():
        kind, _, text = name.partition(":")
        if kind == "k" and all(item.get(key) == value for key, value in json.loads(text).items()):
            return sub
        if kind == "v" and item == json.loads(text):
            return {}
    return None


def applied(item, uid):
    """What the reference applied when it made this object."""
    fields, = (entry["fieldsV1"] for entry in item["metadata"]["managedFields"]
               if entry["manager"] == MANAGER and "subresource" not in entry)
    about = fields["f:metadata"]
    about.pop("f:ownerReferences")  # of a cluster with another uid
    body = owned(item, fields)
    if item["kind"] == "IAMPolicyMember":  # since its version 3.0
        body["spec"]["resourceRef"]["apiVersion"] = item["apiVersion"]
    identity = {name: item["metadata"][name] for name in ("name", "namespace") if name in item["metadata"]}
    owners = [{**owner, "uid": uid} for owner in item["metadata"]["ownerReferences"]]
    return {**body, "apiVersion": item["apiVersion"], "kind": item["kind"],
            "metadata": {**body["metadata"], **identity, "ownerReferences": owners}}


class SwappedBack(Cluster):
    def restore_one(self, item, uid):
        if item["kind"] == "Job":  # Kubernetes makes its selector
            item = json.loads(json.dumps(item))
            del item["spec"]["selector"], item["spec"]["template"]["metadata"]
        super().restore_one(item, uid)
        if item["kind"] == "IAMPolicyMember":
            cloud_apis.report(self.lab, cloud_apis.IAM_POLICY_MEMBERS, self.name, item["metadata"]["name"],
                              conditions=[cloud_apis.condition("Ready", "True", "UpToDate")])

    def up(self):
        """Its canaries, too, have succeeded."""
        jobs = self.ask("GET", f"/apis/batch/v1/namespaces/{self.name}/jobs")["items"]
        return super().up() and all(item["status"].get("succeeded") for item in jobs)

    def generations(self):
        """Of each object: it moves with every change of what somebody wants."""
        found = {}
        for item in self.recorded["objects"]:
            live = self.ask("GET", f"{path_of(item)}/{item['metadata']['name']}")
            found[item["kind"], item["metadata"]["name"]] = (live["metadata"]["uid"], live["metadata"].get("generation"),
                                                             live["metadata"].get("labels"), live.get("data"))
        return found

    def apply_as_the_reference(self):
        uid = self.ask("GET", self.path)["metadata"]["uid"]
        for item in self.recorded["objects"]:
            body = applied(json.loads(json.dumps(item)), uid)
            self.ask("PATCH", f"{path_of(item)}/{item['metadata']['name']}?fieldManager={MANAGER}&force=true", body,
                     content_type=APPLY)

    def seen_by_controllers(self):
        found = self.stateful_set()
        return found["status"]["observedGeneration"] == found["metadata"]["generation"]


@pytest.fixture(scope="module")
def back(tmp_path_factory):
    """All recorded clusters, after ours has come and gone, and their pods before it went."""
    lab = Lab(f"{(os.environ.get('LAB_NAME') or 'swap')[:14]}-back", say=lambda text: None)
    lab.down()
    operator = None
    try:
        lab.kwok()
        lab.apply(storage.CLASS)
        lab.start("storage", storage.command(lab))
        hot_swap_test.install_as_the_reference(lab)
        lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        cloud_apis.install(lab, *cloud_apis.ALL)
        found = {name: SwappedBack(lab, recorded) for name, recorded in RECORDED.items()}
        for cluster in found.values():
            cluster.restore()
        for name, cluster in found.items():
            until(f"the pods of {name} run", cluster.up)
        account = hot_swap_test.install(lab, "--set", "gcpWorkloadIdentity=true")
        operator = restate_operator.Operator(lab, tmp_path_factory.mktemp("swap-back") / "operator.log", PORT, *LABEL,
                                             "--leader-elect", env={"GCP_WORKLOAD_IDENTITY": "true", **account})
        operator.start()
        until("the operator is ready", operator.ready)
        for name, cluster in found.items():
            until(f"{name} is Ready", cluster.ready)
        quiet_writes(lab, 0)
        operator.end()
        states = {name: cluster.state() for name, cluster in found.items()}
        helm.in_lab(lab, NAMESPACE, "uninstall", helm.RELEASE, "--wait")
        yield found, states
    finally:
        if operator and operator.process:
            operator.kill()
        lab.down()


@pytest.mark.parametrize("name", RECORDED)
def test_what_the_reference_applies_changes_nothing(back, name):
    cluster, state = back[0][name], back[1][name]
    generations = cluster.generations()
    cluster.apply_as_the_reference()
    until("the StatefulSet's controller has seen it", cluster.seen_by_controllers)
    assert cluster.generations() == generations
    assert cluster.state() == state


@pytest.fixture(scope="module")
def theirs(back):
    """The same under the reference's own definition."""
    clusters, _ = back
    some = next(iter(clusters.values()))
    lab = some.lab
    text = (DEFINITIONS / f"{DEFINITION}.json").read_text()
    lab.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=reference", "-f", "-", input=text)
    # Until then the old schema answers.
    until("its schema is in force", lambda: "observedGeneration" not in json.dumps(some.stored().get("status", {})))
    return clusters


@pytest.mark.parametrize("name", RECORDED)
def test_the_reference_can_read_and_write_the_object(theirs, name):
    cluster = theirs[name]
    found = cluster.ask("GET", cluster.path)
    assert found["spec"] == cluster.recorded["stored"]["spec"]
    assert found["metadata"]["finalizers"] == cluster.recorded["stored"]["finalizers"]
    ready, = (c for c in found["status"]["conditions"] if c["type"] == "Ready")
    assert ready["status"] == "True"
    assert found["status"].get("provisioned") == cluster.recorded["status"].get("provisioned")
    cluster.ask("PUT", cluster.path, found)  # refused, should anything in it be of a wrong shape
    cluster.ask("PUT", f"{cluster.path}/status", cluster.ask("GET", cluster.path))
    told = {"conditions": [{**ready, "reason": "Reconciled", "message": "of the reference"}]}
    cluster.ask("PATCH", f"{cluster.path}/status?fieldManager={MANAGER}&force=true",
                {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": {"name": name}, "status": told},
                content_type=APPLY)
    assert cluster.ask("GET", cluster.path)["status"]["conditions"]
