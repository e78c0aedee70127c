"""One RestateCluster of a test, seen through Kubernetes and through Restate."""
import http.client
import json
import threading
import time

from labkit import clusters, restate

from .custom_object import CustomObject
from .waiting import eventually

KINDS = {"serviceaccounts": "/api/v1", "configmaps": "/api/v1", "services": "/api/v1", "pods": "/api/v1",
         "persistentvolumeclaims": "/api/v1", "events": "/api/v1", "statefulsets": "/apis/apps/v1",
         "controllerrevisions": "/apis/apps/v1", "poddisruptionbudgets": "/apis/policy/v1",
         "networkpolicies": "/apis/networking.k8s.io/v1"}
OURS = "app.kubernetes.io/name=restate"
ABSENCE = 5  # seconds that the StatefulSet may be away while it is replaced


class Cluster(CustomObject):
    def __init__(self, lab, name, nodes=1, **options):
        super().__init__(lab, f"{clusters.PATH}/{name}")
        self.nodes, self.options = nodes, options

    def apply(self, **changed):
        self.options.update(changed)
        self.apply_body(clusters.restate_cluster(self.name, self.nodes, **self.options))
        return self

    def until_ready(self, timeout=180):
        eventually(f"RestateCluster {self.name} is Ready", self.ready, timeout, self.status, 0.3)
        return self

    def delete(self, policy="Background"):
        self.lab.api.request("DELETE", f"{self.path}?propagationPolicy={policy}")

    def leave(self):
        """Removes it without its namespace (namespaces.py says why), and what costs in there."""
        self.delete("Orphan")
        eventually(f"RestateCluster {self.name} is gone", lambda: not self.object(), told=self.object)
        for kind in "statefulsets", "persistentvolumeclaims":
            self.lab.api.request("DELETE", f"{KINDS[kind]}/namespaces/{self.name}/{kind}?labelSelector={OURS}")

    def until_gone(self, timeout=90):
        eventually(f"RestateCluster {self.name} is gone", lambda: not self.object(), timeout, self.status)
        eventually(f"namespace {self.name} is gone", lambda: not self.get(f"/api/v1/namespaces/{self.name}"), timeout,
                   interval=0.5)

    # What it is made of.

    def list(self, kind):
        path = f"{KINDS[kind]}/namespaces/{self.name}/{kind}?labelSelector={OURS}"
        return {item["metadata"]["name"]: item for item in self.get(path)["items"]}

    def child(self, kind, name):
        return self.get(f"{KINDS[kind]}/namespaces/{self.name}/{kind}/{name}")

    def stateful_set(self):
        return self.child("statefulsets", "restate")

    def pods(self):
        return self.list("pods")

    def uids(self, kind="pods"):
        return {name: item["metadata"]["uid"] for name, item in self.list(kind).items()}

    def events(self, reason):
        """The notes of its events with this reason; those of what has no namespace are in `default`."""
        selection = f"fieldSelector=reason={reason},involvedObject.uid={self.object()['metadata']['uid']}"
        found = self.get(f"/api/v1/namespaces/default/events?{selection}")
        return [item["message"] for item in found["items"]]

    # Restate.

    def identity(self, pod):
        """What a node says about itself; None while it says nothing."""
        address = self.pods()[pod]["status"].get("podIP")
        try:
            status, text = self.lab.http("GET", address, restate.PORTS["node"], "/health", timeout=5)
        except (OSError, http.client.HTTPException, TypeError):
            return None
        return json.loads(text) if status == 200 else None

    def call(self, path, argument=None, timeout=30):
        return restate.call(self.lab, path, argument, self.name, timeout)


class Absence:
    """How long the StatefulSet was not there at a stretch, while the block ran, or until it was stopped."""

    def __init__(self, cluster):
        self.cluster, self.longest = cluster, 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()

    start, stop = __enter__, __exit__

    def watch(self):
        seen = time.monotonic()
        while not self.over.wait(0.05):
            if self.cluster.stateful_set():
                seen = time.monotonic()
            self.longest = max(self.longest, time.monotonic() - seen)
