"""The yardstick: somebody who knows beforehand what has to be written, writes just that, and decides nothing.

Per object: create it, add the finalizer, create ReplicaSet and Service, write a first status; once its pod is ready,
annotate ReplicaSet and Service and write the second status. Eight writes, fewer than that cannot do it.
"""
import queue
import threading
import time

from . import objects
from .requests import APPLY, JSON_PATCH, MERGE, Countdown, in_parallel

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
    ready, done = queue.SimpleQueue(), Countdown(names)
    told = set()

    def seen(replica_set):
        name = replica_set["metadata"]["labels"]["app"]
        if replica_set.get("status", {}).get("readyReplicas") and name not in told:
            told.add(name)
            ready.put(name)

    def finish_ready():
        while True:
            name = ready.get()
            finish(server, name)
            done.seen(name)

    server.watch(REPLICA_SETS, seen)
    began = time.monotonic()
    for _ in range(8):
        threading.Thread(target=finish_ready, daemon=True).start()
    in_parallel(lambda name: begin(server, name, admin_url), names)
    done.wait(300)
    return time.monotonic() - began


def remove(server, names):
    """Lets go of the objects; their children go with them."""
    def one(name):
        server.send("PATCH", f"{DEPLOYMENTS}/{name}", {"metadata": {"finalizers": None}}, MERGE)
        server.send("DELETE", f"{DEPLOYMENTS}/{name}?propagationPolicy=Background")
    in_parallel(one, names)
