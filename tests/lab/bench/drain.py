"""Versions that drain: what the looks at Restate cost, and how soon the end of their last invocation is acted on."""
import random
import threading
import time

from labkit.client import MERGE

from . import bare_writer, measure, objects
from .requests import in_parallel
from .scene import ADMIN_PORT, Scene

REMOVE_AT = "restate.dev/remove-version-at"
DEPLOYMENT_ID = "restate.dev/deployment-id"
WATCHED = 60  # seconds
ROUNDS = 4


def run(count, build):
    with Scene("bench-drain", build) as scene:
        pid = scene.start_operator()
        one = looks_per_minute(scene, pid, Drain(scene, ["drain-alone"]))
        crowd = Drain(scene, [f"drain-{number:05}" for number in range(count)])
        many = looks_per_minute(scene, pid, crowd)
        print(f"queries per minute: {one} while one object drains, {many} while {count + 1} do: "
              f"{many / one:.2f} times", flush=True)
        delays = crowd.end_one_by_one()
        for _ in range(ROUNDS - 1):
            crowd.roll()
            delays += crowd.end_one_by_one()
        delays.sort()
        print(f"from the end of an invocation to the decision, {len(delays)} times: "
              f"p50 {at(delays, 0.5):.2f} s, p99 {at(delays, 0.99):.2f} s, most {delays[-1]:.2f} s", flush=True)
        return many <= 1.1 * one and at(delays, 0.99) <= 2


def at(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def looks_per_minute(scene, pid, drain):
    drain.roll()
    before, cpu = scene.admin_counters()["query"], measure.cpu_seconds(pid)
    time.sleep(WATCHED)
    looks = (scene.admin_counters()["query"] - before) * 60 / WATCHED
    cpu = measure.cpu_seconds(pid) - cpu
    print(f"{len(drain.names)} more draining: {looks:.0f} queries per minute, {cpu:.2f} s CPU in {WATCHED} s", flush=True)
    return looks


class Drain:
    """Objects that roll again and again; the version before the last is held by an invocation."""

    def __init__(self, scene, names):
        self.scene, self.names = scene, names
        self.changed = threading.Condition()
        self.held = {}  # id of each name's version that drains
        self.removals = {}  # when that version was first seen with a removal time
        self.versions = 1
        scene.converge(names)
        scene.server.watch(bare_writer.REPLICA_SETS, self.seen)

    def roll(self):
        """Each latest version gets an invocation, and a successor."""
        self.versions += 1
        with self.changed:
            self.removals.clear()
        in_parallel(self.roll_one, self.names)

    def roll_one(self, name):
        path = f"{bare_writer.DEPLOYMENTS}/{name}"
        self.held[name] = self.scene.server.send("GET", path)["status"]["deploymentId"]
        self.pin("PUT", name)
        template = objects.pod_template(name)
        template["spec"]["containers"][0]["env"] = [{"name": "GREETING", "value": f"version {self.versions}"}]
        self.scene.server.send("PATCH", path, {"spec": {"template": template}}, MERGE)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            status = self.scene.server.send("GET", path)["status"]
            if status.get("deploymentId") != self.held[name] and status["conditions"][0]["status"] == "True":
                return
            time.sleep(0.5)
        raise RuntimeError(f"{name} did not roll within 120 s: {status}")

    def pin(self, method, name):
        self.scene.lab.http(method, "127.0.0.1", ADMIN_PORT, f"/_pins/{name}", body=self.held[name])

    def seen(self, replica_set):
        metadata = replica_set["metadata"]
        name, notes = metadata["labels"].get("app"), metadata.get("annotations", {})
        if REMOVE_AT in notes and notes.get(DEPLOYMENT_ID) == self.held.get(name):
            with self.changed:
                self.removals.setdefault(name, time.monotonic())
                self.changed.notify_all()

    def end_one_by_one(self):
        """Ends the invocations at random moments; returns the seconds until each decision."""
        ended, chance = {}, random.Random(self.versions)
        for name in self.names:
            time.sleep(chance.random() * 0.4)
            ended[name] = time.monotonic()
            self.pin("DELETE", name)
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.removals) == len(self.names), timeout=120):
                raise RuntimeError(f"not within 120 s: {sorted(set(self.names) - set(self.removals))[:5]}")
        return [self.removals[name] - ended[name] for name in self.names]
