"""One RestateCluster of a row of bad_clusters.py or odd_clusters.py: written, replaced, and waited for."""
import json

from labkit import clusters

from .bad_clusters import INVALID, REJECTED, UNSTARTED, WAITING, named
from .odd_clusters import FINE
from .waiting import eventually

PATIENCE = 120  # seconds: many clusters begin at once
TABLES = {**FINE, **{row: found[0] for table in (INVALID, REJECTED, UNSTARTED, WAITING)
                     for row, found in table.items()}}


def has_policies(row):
    """Whether the row's is to have NetworkPolicies. They are half of all that is made, so only those about them have any."""
    return row.startswith(("peer", "egress", "policies"))


def manifest(row):
    """A good one. Its servers provision themselves, so that nothing but the row's is to be done about it."""
    made = clusters.restate_cluster(named(row), compute={"replicas": 1 if row in UNSTARTED else 0},
                                    cluster={"autoProvision": False})
    made["spec"]["config"] = made["spec"]["config"].replace("auto-provision = false", "auto-provision = true")
    if not has_policies(row):
        made["spec"]["security"] = {"disableNetworkPolicies": True}
    return json.loads(json.dumps(made))  # nothing in it is shared


def changed(row, change):
    made = manifest(row)
    change(made)
    return made


def create(lab, made):
    """Not an apply: that would not send every null."""
    return lab.api.request("POST", clusters.PATH, made)


def replace(cluster, made):
    """Makes all that its author can write what the manifest says."""
    def replaced():
        live = cluster.object()["metadata"]
        kept = {"resourceVersion": live["resourceVersion"], "finalizers": live.get("finalizers", [])}
        status, said = cluster.lab.api.request("PUT", cluster.path, {**made, "metadata": {**made["metadata"], **kept}})
        assert status in (200, 409), said
        return status == 200
    eventually(f"{cluster.name} is replaced", replaced)


def until_says(cluster, status, reason, text=""):
    """Waits for the condition, and returns its message."""
    def says():
        found = cluster.object()
        ready, = [c for c in found.get("status", {}).get("conditions", []) if c["type"] == "Ready"] or [{}]
        return (ready.get("status"), ready.get("reason")) == (status, reason) and text in ready["message"] and found[
            "status"]["observedGeneration"] == found["metadata"]["generation"] and ready["message"]
    return eventually(f"{cluster.name}: Ready is {status} with {reason} and {text!r}", says, PATIENCE, cluster.status)


def until_good(cluster, row):
    return until_says(cluster, *(("True", "Reconciled") if row in UNSTARTED else ("False", "ScaledToZero")))


def until_answered(cluster, row):
    """Waits for what is to come of the row's."""
    if row in INVALID:
        _, text, *reason = INVALID[row]
        return until_says(cluster, "False", *reason or ["InvalidRestateConfig"], text)
    if row in REJECTED:
        return until_says(cluster, "Unknown", "FailedReconcile", REJECTED[row][2])
    if row in UNSTARTED or row in WAITING:
        _, reason, text = {**UNSTARTED, **WAITING}[row]
        return until_says(cluster, "False", reason, text.replace("NAME", cluster.name))
    return until_good(cluster, row)
