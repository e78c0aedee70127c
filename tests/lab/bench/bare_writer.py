"""The yardstick: somebody who knows beforehand what has to be written, writes just that, and decides nothing.

Per object: create it, add the finalizer, create ReplicaSet and Service, write a first status; once its pod is ready,
annotate ReplicaSet and Service and write the second status. Eight writes, fewer than that cannot do it.
"""
import queue
import threading
import time

from labkit.client import APPLY, JSON_PATCH, MERGE

from . import objects
from .requests import Countdown, in_parallel

DEPLOYMENTS = f"/apis/restate.dev/v1beta1/namespaces/{objects.NAMESPACE}/restatedeployments"
REPLICA_SETS = f"/apis/apps/v1/namespaces/{objects.NAMESPACE}/replicasets"
SERVICES = f"/api/v1/namespaces/{objects.NAMESPACE}/services"
HASH = "bare"


def begin(server, name, admin_url):
    uid = server.send("POST", DEPLOYMENTS, objects.deployment(name, admin_url))["metadata"]["uid"]
    server.send("PATCH", f"{DEPLOYMENTS}/{name}", [{"op": "add", "path": "/metadata/finalizers", "value": ["bench.restate.dev/bare"]}],
                JSON_PATCH)
    owner = server.send("POST", REPLICA_SETS, objects.replica_set(name, HASH, uid))["metadata"]["uid"]
    server.send("POST", SERVICES, objects.service(name, HASH, owner))
    server.send("PATCH", f"{DEPLOYMENTS}/{name}/status?fieldManager=bare&force=true", objects.status(name, False), APPLY)


def finish(server, name):
    note = {"metadata": {"annotations": {"restate.dev/deployment-id": "dp_bare"}}}
    server.send("PATCH", f"{REPLICA_SETS}/{name}-{HASH}", note, MERGE)
    server.send("PATCH", f"{SERVICES}/{name}-{HASH}", note, MERGE)
    server.send("PATCH", f"{DEPLOYMENTS}/{name}/status?fieldManager=bare&force=true", objects.status(name, True), APPLY)


def run(server, names, admin_url):
    """Seconds from the first create to the last status."""
    steps, done = queue.SimpleQueue(), Countdown(names)
    met = {name: set() for name in names}
    lock = threading.Lock()

    def meets(name, condition):
        """A pod may be ready before its Service is written; the rest needs both."""
        with lock:
            complete = condition not in met[name] and len(met[name]) == 1
            met[name].add(condition)
        if complete:
            steps.put(name)

    def seen(replica_set):
        name = replica_set["metadata"]["labels"]["app"]
        if name in met and replica_set.get("status", {}).get("readyReplicas"):  # the watch outlives this run
            meets(name, "pod is ready")

    def write_first(name):
        begin(server, name, admin_url)
        meets(name, "begun")

    def write_rest():
        while True:
            name = steps.get()
            finish(server, name)
            done.seen(name)

    server.watch(REPLICA_SETS, seen)
    began = time.monotonic()
    for _ in range(8):
        threading.Thread(target=write_rest, daemon=True).start()
    in_parallel(write_first, names)
    done.wait(300)
    return time.monotonic() - began


def remove(server, names):
    """Lets go of the objects; their children go with them."""
    def one(name):
        server.send("PATCH", f"{DEPLOYMENTS}/{name}", {"metadata": {"finalizers": None}}, MERGE)
        server.send("DELETE", f"{DEPLOYMENTS}/{name}?propagationPolicy=Background")
    in_parallel(one, names)
