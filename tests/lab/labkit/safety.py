"""Whether the operator ever took something away from a version that still had work, judged afterwards and exactly.

Three records tell: the API server's audit log (what was scaled, deleted or released, and the objects as they were
then), the taps in front of the admin API (what was registered and removed), and Restate, which keeps ended invocations
for a day with their times. A removal at time t is a violation when an invocation pinned to that version began before t
and ended after it, or not yet, and nobody had asked for force.
"""
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone

from . import restate, restate_operator
from .audit import seconds

WITH_BODIES = ["create", "update", "patch", "delete"]
AUDIT = [  # what an API server has to log for this
    {"level": "RequestResponse", "verbs": WITH_BODIES,
     "resources": [{"group": "apps", "resources": ["replicasets", "replicasets/scale"]},
                   {"group": "serving.knative.dev", "resources": ["configurations"]},
                   {"group": "restate.dev", "resources": ["restatedeployments"]}]},
    {"level": "Metadata"}]
DEPLOYMENT_ID = "restate.dev/deployment-id"
VERSIONS = ("replicasets", "configurations")
PARTS = ("services", "pods", "routes")  # of versions
FINALIZER = "deployments.restate.dev"
DEFAULT_DRAIN_TIMEOUT = 3600
COLUMNS = "id, target, pinned_deployment_id, status, created_at, completed_at"


@dataclass
class Removal:
    """Something was taken away from versions at a time."""
    time: float
    what: str
    deployments: set


@dataclass
class Version:
    owner: tuple
    replicas: int
    deployments: set = field(default_factory=set)


@dataclass
class Owner:
    """What a RestateDeployment asked for."""
    replicas: int
    finalizers: list
    forced_from: float  # infinity: never


class History:
    """Replays audit events and admin writes in the order of time, and finds the removals that need a reason."""

    def __init__(self):
        self.versions, self.owners = {}, {}  # both by (namespace, name)
        self.registered = {}  # deployment id -> (namespace, name of the version)
        self.removals = []

    def replay(self, audited, registrations=(), removals=()):
        """Batches must follow one another in time."""
        steps = [(seconds(event["requestReceivedTimestamp"]), self.audited, (event,)) for event in audited]
        steps += [(when, self.register, (uri, deployment)) for when, uri, deployment in registrations]
        steps += [(when, self.deregister, (when, deployment)) for when, deployment in removals]
        for _, step, arguments in sorted(steps, key=lambda step: step[0]):
            step(*arguments)

    # The admin API.

    def register(self, uri, deployment):
        name, namespace = uri.split("//")[1].split(".")[:2]
        self.registered[deployment] = (namespace, name)
        if (namespace, name) in self.versions:
            self.versions[namespace, name].deployments.add(deployment)

    def deregister(self, when, deployment):
        version = self.versions.get(self.registered.get(deployment))
        if not version or not self.forced(version, when):
            self.removals.append(Removal(when, f"DELETE /deployments/{deployment}", {deployment}))

    # The API server.

    def audited(self, event):
        of, verb = event.get("objectRef", {}), event["verb"]
        kind, key = of.get("resource"), (of.get("namespace"), of.get("name"))
        ours = event.get("userAgent", "").startswith(restate_operator.AGENT)
        if event["responseStatus"]["code"] // 100 != 2:
            return
        if verb in ("delete", "deletecollection") and kind in (*VERSIONS, *PARTS):
            self.deleted(kind, key, seconds(event["requestReceivedTimestamp"]), ours)
        elif verb in WITH_BODIES and kind in VERSIONS and of.get("subresource") in (None, "scale"):
            self.version_written(key, event, ours)
        elif verb in WITH_BODIES and kind == "restatedeployments" and not of.get("subresource"):
            self.owner_written(event, ours)

    def deleted(self, kind, key, when, ours):
        namespace, name = key
        if name is None:  # all of a namespace
            versions = [version for version in self.versions if version[0] == namespace]
        else:  # a Service is named as its ReplicaSet, a Route as its Configuration, a pod after it
            versions = [(namespace, name.rpartition("-")[0] if kind == "pods" else name)]
        for version in versions:
            if ours and version in self.versions:
                self.take(version, when, f"DELETE {kind} {namespace}/{name or version[1]}")
            if kind in VERSIONS:
                self.versions.pop(version, None)

    def version_written(self, key, event, ours):
        found = body_of(event)
        if "spec" not in found:  # the garbage collector writes metadata and sees no more than that
            return
        key = (key[0], found["metadata"]["name"])  # a create names it in the body only
        replicas = found["spec"].get("replicas", 0)  # of a Configuration, Knative decides
        version = self.versions.get(key)
        if event["objectRef"].get("subresource") is None:
            version = version or self.versions.setdefault(key, Version(owner_of(found), replicas))
            version.deployments |= {found["metadata"].get("annotations", {}).get(DEPLOYMENT_ID)} - {None, ""}
        if version is None:
            return
        wanted = self.owners[version.owner].replicas if version.owner in self.owners else version.replicas
        if ours and replicas < min(version.replicas, wanted):
            self.take(key, seconds(event["requestReceivedTimestamp"]),
                      f"replicas of {key[0]}/{key[1]} from {version.replicas} to {replicas}")
        version.replicas = replicas

    def owner_written(self, event, ours):
        found = body_of(event)
        if found.get("kind") != "RestateDeployment":  # the answer to a deletion that is through: a Status
            return
        metadata, spec = found["metadata"], found["spec"]
        key = (metadata["namespace"], metadata["name"])
        before = self.owners.get(key)
        owner = Owner(spec.get("replicas", 1), metadata.get("finalizers", []), forced_from(found))
        self.owners[key] = owner
        if ours and before and FINALIZER in before.finalizers and FINALIZER not in owner.finalizers:
            for version in [version for version, of in self.versions.items() if of.owner == key]:
                self.take(version, seconds(event["requestReceivedTimestamp"]),
                          f"release of {key[0]}/{key[1]} with {version[1]}")
        if metadata.get("deletionTimestamp") and not owner.finalizers:
            del self.owners[key]

    def take(self, key, when, what):
        version = self.versions[key]
        ids = version.deployments | {found for found, of in self.registered.items() if of == key}
        if ids and not self.forced(version, when):
            self.removals.append(Removal(when, what, ids))

    def forced(self, version, when):
        return version.owner in self.owners and when >= self.owners[version.owner].forced_from


def owner_of(found):
    names = [owner["name"] for owner in found["metadata"].get("ownerReferences", [])
             if owner["kind"] == "RestateDeployment"]
    return (found["metadata"]["namespace"], names[0] if names else "")


def forced_from(found):
    """From when on the object's owner wants its versions to go whatever they still do."""
    deletion = found["metadata"].get("deletionTimestamp")
    asked = found["spec"]["restate"]
    if deletion and asked.get("deletePolicy") == "force":
        return seconds(deletion)
    drain = asked.get("drain") or {}
    if deletion and drain.get("onTimeout") == "force":
        return seconds(deletion) + drain.get("timeoutSeconds", DEFAULT_DRAIN_TIMEOUT)
    return float("inf")


def body_of(event):
    if "responseObject" not in event:
        raise RuntimeError(f"the audit log has no bodies: start the lab with audit=safety.AUDIT; {event}")
    return event["responseObject"]


def violations(removals, invocations):
    """One sentence for each invocation that lost something."""
    found = []
    for removal in removals:
        for row in invocations:
            began = seconds(row["created_at"])
            ended = seconds(row["completed_at"]) if row["status"] == "completed" else float("inf")
            if row["pinned_deployment_id"] in removal.deployments and began < removal.time < ended:
                when = datetime.fromtimestamp(removal.time, timezone.utc).isoformat()
                found.append(f"{when}: {removal.what}, while {row['id']} ({row['target']}) of "
                             f"{row['pinned_deployment_id']} ran from {row['created_at']} to "
                             f"{row.get('completed_at') or 'now, ' + row['status']}")
    return found


class Checker:
    """Reads on where the last check ended."""

    def __init__(self, lab, log, namespace="restate"):
        self.lab, self.log, self.namespace = lab, log, namespace
        self.history = History()
        self.read = 0  # bytes of the audit log
        self.admin_read = 0
        self.removals_seen = 0  # in all checks: a checker that sees none proves nothing

    def check(self):
        """The violations since the last check."""
        writes = type(self.log)(self.log.writes[self.admin_read:])
        self.admin_read += len(writes.writes)
        self.history.replay(self.new_events(), writes.registrations(), writes.removals())
        removals, self.history.removals = self.history.removals, []
        self.removals_seen += len(removals)
        if not removals:
            return []
        rows = restate.query(self.lab, f"SELECT {COLUMNS} FROM sys_invocation_status "
                             "WHERE pinned_deployment_id IS NOT NULL", self.namespace)
        return violations(removals, rows)

    def new_events(self):
        with self.lab.audit_log.open("rb") as lines:
            lines.seek(self.read)
            text = lines.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.read += len(whole)
        return [json.loads(line) for line in whole.splitlines() if any(word in line for word in INTERESTING)]


INTERESTING = [f'"resource":"{name}"'.encode() for name in ("restatedeployments", *VERSIONS, *PARTS)]
