"""The parts a benchmark needs: a control plane with simulated pods, a stand-in for Restate's admin API, the operator."""
import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from labkit import Lab, clusters, restate_operator, storage

from . import bare_writer, measure, objects, requests

ADMIN_PORT = 19070
HTTP_PORT = 18080
ADMIN_URL = f"http://127.0.0.1:{ADMIN_PORT}/"


@dataclass(frozen=True)
class Program:
    """An operator that can be measured."""

    path: Path
    arguments: tuple
    port: int  # where it serves /ready
    agent: str  # how its user agent begins; "" when it has none


def ours(build):
    return Program(Path(build) / "src/app/restate-operator", ("--http-port", HTTP_PORT), HTTP_PORT, restate_operator.AGENT)


def reference(path):
    """The reference's own program: its port is fixed, and its client sends no user agent."""
    return Program(Path(path), (), 8080, "")


class Scene:
    """Everything in one lab of its own, taken down at the end."""

    def __init__(self, name, build, say=print):
        self.say = say
        self.lab = Lab(name)
        self.build = Path(build)
        self.processes = []
        self.program = ours(build)
        self.operator = None

    def __enter__(self):
        self.lab.down()
        self.lab.kwok(nodes=1, pods_per_node=20000)
        self.server = requests.Server(self.lab, "bench")
        restate_operator.install_crds(self.lab)
        self.lab.apply(objects.namespace())
        self.start(self.build / "tests/fake/fake-admin", "--port", ADMIN_PORT)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)
        self.lab.down()

    def start(self, program, *arguments):
        log = open(self.lab.directory / f"{Path(program).name}.log", "ab")
        process = self.lab.popen([program, *arguments], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_operator(self):
        self.operator = self.start(self.program.path, "--operator-namespace", restate_operator.NAMESPACE,
                                   *self.program.arguments)
        self.wait_until_ready()
        return self.operator.pid

    def wait_until_ready(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                if self.lab.http("GET", "127.0.0.1", self.program.port, "/ready")[0] == 200:
                    return
            except OSError:
                pass
            if self.operator.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the operator is not ready; see {self.lab.directory}/{self.program.path.name}.log")
            time.sleep(0.05)

    def stop_operator(self):
        self.operator.send_signal(signal.SIGTERM)
        self.operator.wait(20)

    def audit(self):
        return measure.AuditTail(self.lab.audit_log, self.program.agent)

    def admin_counters(self):
        return json.loads(self.lab.http("GET", "127.0.0.1", ADMIN_PORT, "/_counters")[1])

    def converge(self, names):
        """Creates RestateDeployments and waits until each is Ready; returns the seconds that took."""
        return self.until_ready(bare_writer.DEPLOYMENTS, names, lambda name: objects.deployment(name, ADMIN_URL))

    def converge_clusters(self, names):
        """The same for RestateClusters, with volumes for them."""
        self.lab.apply(storage.CLASS)
        self.lab.start("storage", storage.command(self.lab))
        return self.until_ready(clusters.PATH, names, objects.cluster)

    def until_ready(self, path, names, make):
        done = requests.Countdown(names)

        def seen(found):
            conditions = found.get("status", {}).get("conditions", [])
            if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                done.seen(found["metadata"]["name"])

        self.server.watch(path, seen)
        began = time.monotonic()
        requests.in_parallel(lambda name: self.server.send("POST", path, make(name)), names)
        done.wait(300)
        return time.monotonic() - began

