"""The program as people call it: under the name kubectl-restate, found by kubectl."""
import json
import os
import re
import signal
import subprocess
import threading

from labkit import restate_operator

from .waiting import eventually


class Plugin:
    """In a directory of its own, which is on the path."""

    def __init__(self, lab, directory):
        self.lab, self.directory = lab, directory
        for name in ("kubectl-restate", "kubectl_complete-restate", "restate-operator"):
            (directory / name).symlink_to(restate_operator.program())

    def environment(self, **extra):
        path = os.pathsep.join([str(self.directory), self.lab.environment()["PATH"]])
        return {"PATH": path, "LC_ALL": "C.UTF-8", **extra}

    def run(self, *arguments, env=None, timeout=120):
        """(exit code, standard output, standard error) of `kubectl restate ...`."""
        done = self.lab.exec(["kubectl", "restate", *arguments], env=self.environment(**(env or {})), text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
        return done.returncode, done.stdout, done.stderr

    def says(self, *arguments, env=None):
        """What it prints; it must end well."""
        code, out, err = self.run(*arguments, env=env)
        assert (code, err) == (0, ""), (code, out, err)
        return out

    def tree(self, *arguments):
        return json.loads(self.says("status", "-o", "json", *arguments))

    def start(self, *arguments):
        return Started(self.lab.popen([str(self.directory / "kubectl-restate"), *arguments],
                                      env=self.environment(), text=True, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE))

    def shell(self, script, shell="bash"):
        """What a shell prints that has the directory on its path."""
        done = self.lab.exec([shell, "-c", script], env=self.environment(), text=True, stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stdout, done.stderr)
        return done.stdout


class Started:
    """A command that goes on; its lines as they come."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, pattern, timeout=60):
        """The first line in which the pattern is found."""
        return eventually(f"a line has {pattern!r}",
                          lambda: next((line for line in self.lines if re.search(pattern, line)), None), timeout,
                          lambda: self.lines)

    def end(self, sig=None, timeout=60):
        """(exit code, standard error), after a signal or by itself."""
        if sig:
            self.process.send_signal(sig)
        code = self.process.wait(timeout)
        self.reader.join(timeout)
        return code, self.process.stderr.read()

    def interrupt(self):
        return self.end(signal.SIGINT)


def node(tree, name, kind=None):
    """The first node of that name, depth first; None when there is none."""
    for found in tree.get("roots", tree.get("children", [])):
        if found["name"] == name and kind in (None, found["kind"]):
            return found
        if below := node(found, name, kind):
            return below
    return None
