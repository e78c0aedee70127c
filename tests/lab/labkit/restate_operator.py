"""The operator under test: a process beside the cluster that sees one lab and nothing else.

Not called operator.py: this directory is on the path of storage.py, which runs as a program, and Python's library
has a module of that name.
"""
import http.client
import json
import os
import signal
import subprocess
from pathlib import Path

from . import binaries

ROOT = binaries.LAB.parent.parent
CRDS = ROOT / "crds"
AGENT = "restate-operator/"  # how its user agent begins
IMPOSTOR = AGENT + "impostor"  # of a test that does what the operator must not do
NAMESPACE = "restate-operator"
PROGRAM = "RESTATE_OPERATOR"  # variable: another program than that in build/


def program():
    path = Path(os.environ.get(PROGRAM) or ROOT / "build/src/app/restate-operator").resolve()
    if not path.exists():
        raise RuntimeError(f"{path} is not there; make it with: just build")
    return path


def command(*arguments):
    return [str(program()), "--operator-namespace", NAMESPACE, *map(str, arguments)]


def install_crds(lab):
    lab.kubectl("apply", "--server-side", "-f", str(CRDS))
    lab.wait_for(lambda: crds_are_established(lab), "kube-apiserver", timeout=30)


def crds_are_established(lab):
    """Asked here, because `kubectl wait` fails on a definition that is too new to have conditions."""
    items = json.loads(lab.kubectl("get", "crd", "-o", "json"))["items"]
    conditions = [item.get("status", {}).get("conditions") or [] for item in items]
    return all(any(c["type"] == "Established" and c["status"] == "True" for c in found) for found in conditions)


def get(lab, path, port):
    """(status, text) of its own HTTP server; None when nobody listens."""
    try:
        return lab.http("GET", "127.0.0.1", port, path, timeout=5)
    except (OSError, http.client.HTTPException):
        return None


def ready(lab, port):
    answer = get(lab, "/ready", port)
    return answer is not None and answer[0] == 200


class Operator:
    """One operator of a test, which may kill and restart it; its log goes on over restarts."""

    def __init__(self, lab, log, port, *arguments, env=None):
        self.lab, self.log, self.port = lab, Path(log), port
        self.arguments = ["--http-port", port, *arguments]
        self.env = env
        self.process = None

    def start(self):
        names = self.lab.resolv_conf.exists()  # from the node level on
        with self.log.open("ab") as out:
            self.process = self.lab.popen(command(*self.arguments), dns=names, env=self.env, stdout=out, stderr=out,
                                          stdin=subprocess.DEVNULL)
        return self

    def get(self, path):
        """(status, decoded body or text)."""
        answer = get(self.lab, path, self.port)
        if answer is None:
            raise AssertionError(f"nobody answers on port {self.port}; the exit code is {self.process.poll()}")
        try:
            return answer[0], json.loads(answer[1])
        except ValueError:
            return answer

    def metric(self, name):
        """The samples of one metric: labels as printed -> value."""
        samples = (line.rpartition(" ") for line in self.get("/metrics")[1].splitlines() if line.startswith(name))
        return {labels.removeprefix(name): float(value) for labels, _, value in samples}

    def ready(self):
        self.assert_alive()
        return ready(self.lab, self.port)

    def serves(self):
        self.assert_alive()
        return get(self.lab, "/health", self.port) is not None

    def alive(self):
        return self.process.poll() is None

    def assert_alive(self):
        """Says what it said last: the log may be gone with the lab by the time somebody reads this."""
        if not self.alive():
            said = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
            raise AssertionError(f"the operator ended with {self.process.returncode}; the end of {self.log}:\n{said}")

    def end(self, sig=signal.SIGTERM, timeout=20):
        """Ends it and returns the exit code."""
        if self.alive():
            self.process.send_signal(sig)
        return self.process.wait(timeout)

    def kill(self):
        return self.end(signal.SIGKILL)
