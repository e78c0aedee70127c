"""One lab: a real Kubernetes cluster on this machine, with everything it owns keyed by its name."""
import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from . import binaries, client, control_plane, netns, pki, process, teardown, tools

STATE = "RESTATE_LAB_STATE"
RESOLVE_INSIDE = ('mount --make-rprivate / && mount --bind "$0" /etc/resolv.conf && mount --bind "$1" /etc/hosts && shift '
                  '&& exec "$@"')


class Lab:
    """What the command line and the tests work with. Nothing is started before a level is asked for."""

    def __init__(self, name=None, say=None):
        self.name = name or os.environ.get("LAB_NAME") or "lab"
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?", self.name):
            raise ValueError(f"lab name {self.name!r}: up to 20 of a-z, 0-9 and inner dashes")
        self.say = say or (lambda text: print(f"lab {self.name}: {text}", flush=True))
        state = Path(os.environ.get(STATE) or "/var/tmp/restate-operator-lab")
        self.directory = state.resolve() / self.name
        self.pki = self.directory / "pki"
        self.kubeconfig = self.pki / "admin.kubeconfig"
        self.audit_log = self.directory / "audit.log"
        self.audit_rules = "Metadata"
        self.resolv_conf = self.directory / "resolv.conf"
        self.hosts = self.directory / "hosts"
        self._api = None

    # Levels. Each starts what is missing and does nothing when all of it runs.

    def up(self, api_qps=control_plane.DEFAULT_QPS, audit=None):
        """The control plane. `audit` is the level of the audit log (Metadata, Request or RequestResponse), or the rules
        of a policy; without it stays what it was."""
        self.audit_rules = audit or self.audit_rules
        with self._one_at_a_time():
            tools.require("ip", "nsenter", "openssl")
            self._api = None  # the keys may be new since the last time
            self.directory.mkdir(parents=True, exist_ok=True)
            control_plane.start(self, api_qps, self.audit_rules)
        return self

    def node(self, **options):
        """The control plane and a node that runs containers, with DNS and volumes."""
        from . import node
        self.up(**options)
        with self._one_at_a_time():
            node.start(self)
        return self

    def kwok(self, nodes=1, pods_per_node=10000, **options):
        """The control plane and simulated nodes, whose pods become Ready at once and run nothing."""
        from . import kwok
        self.up(**options)
        with self._one_at_a_time():
            kwok.start(self, nodes, pods_per_node)
        return self

    def restate(self, namespace="restate"):
        """A single-node restate-server in a pod, behind the Service `restate`. Needs the node level."""
        from . import restate
        restate.start(self, namespace)
        return self

    def knative(self, **options):
        """The node and Knative Serving: controllers, autoscaler, activator and an ingress."""
        from . import knative
        self.node(**options)
        with self._one_at_a_time():
            knative.start(self)
        return self

    def fetch(self):
        """Makes all programs and images now, so that no later command has to wait for them."""
        from . import containerd, gitops, helm, images, pkl
        binaries.kubernetes(self.say)
        binaries.kwok(self.say)
        helm.program(self.say)
        containerd.imported(images.archives(self.say), self.say)
        images.queue(self.say)
        pkl.program(self.say)
        gitops.flux_program(self.say)

    def down(self):
        """Ends everything of this lab and removes its directory; fine when there is nothing."""
        from . import rights
        with self._one_at_a_time():
            rights.record(self)
            teardown.run(self)
            self._api = None

    # Working with a lab that is up.

    @property
    def api(self):
        """The API server: `api.request(method, path, body)` returns (status, decoded body)."""
        if self._api is None:
            self._api = client.ApiServer(self.name, self.pki)
        return self._api

    def environment(self, extra=None):
        """The caller's environment turned to this lab; without its proxies, which cannot be reached from inside."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        path = os.pathsep.join([str(binaries.kubernetes(self.say)), tools.search_path()])
        # The cache of its own keeps kubectl from taking another lab's API, which has the same address, for this one's.
        return {**kept, "KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.directory / "kubectl-cache"),
                "LAB_NAME": self.name, "PATH": path, **(extra or {})}

    def enter(self, dns=False, network=None):
        """The command prefix that runs a program inside the lab; with dns it also resolves the cluster's names, and
        `network` is that of a part which has its own."""
        private = ["unshare", "-m", "sh", "-c", RESOLVE_INSIDE, str(self.resolv_conf), str(self.hosts)] if dns else []
        return [*netns.enter(self.name, network), *private]

    def command(self, argv, dns=False):
        return [str(part) for part in [*self.enter(dns), *argv]]

    def exec(self, argv, dns=False, env=None, **options):
        """Runs a command inside the lab and waits for it; options and result are those of subprocess.run."""
        return subprocess.run(self.command(argv, dns), env=self.environment(env), **options)

    def popen(self, argv, dns=False, env=None, **options):
        """Starts a command inside the lab; its pid is that of the command itself."""
        return subprocess.Popen(self.command(argv, dns), env=self.environment(env), **options)

    def kubectl(self, *arguments, input=None, timeout=120):
        """Runs kubectl and returns what it prints; a failure raises with its message."""
        done = self.exec([self.program("kubectl"), *arguments], input=input, timeout=timeout, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects):
        """Applies objects given as dictionaries."""
        for item in objects:
            self.api.apply(item)

    def load_image(self, name, entrypoint, files, user=""):
        """Makes an image from files here (path in the image -> path here) and gives it to the node.

        Shared libraries are not looked for; images.libraries(program) names those of a program.
        """
        from . import containerd, images
        archive = self.directory / "image.tar"
        images.write(archive, name, entrypoint, files, user=user)
        containerd.load(self.directory, archive)
        archive.unlink()

    def http(self, method, host, port, path, body=None, headers=None, timeout=10):
        """A plain HTTP request to an address inside the lab, for example a ClusterIP; returns (status, text)."""
        return client.http_request(self.name, method, host, port, path, body, headers, timeout)

    def service_account_kubeconfig(self, namespace, account, hours=2):
        """A kubeconfig with the rights of a service account and no others, to run an operator under its own role."""
        token = self.kubectl("create", "token", account, "-n", namespace, f"--duration={hours}h").strip()
        path = self.directory / f"{namespace}.{account}.kubeconfig"
        return pki.write_kubeconfig(path, self.pki / "ca.crt", {"token": token}, namespace)

    def audit(self, user_agent=""):
        """The audited requests whose user agent contains the given text, oldest first."""
        found = []
        with contextlib.suppress(FileNotFoundError), self.audit_log.open() as lines:
            for line in lines:
                if user_agent in line and line.endswith("\n"):
                    event = json.loads(line)
                    if user_agent in event.get("userAgent", ""):
                        found.append(event)
        return found

    # Parts: single processes, for tests that break them.

    def pid(self, part):
        """The pid of a running part such as kube-apiserver, or None."""
        return process.pid_of(self.directory, part)

    def stop(self, part, sig=signal.SIGKILL):
        """Ends one part; calling the level's method again brings it back."""
        process.stop(self.directory, part, sig)

    def pause(self, part):
        os.kill(self.pid(part), signal.SIGSTOP)

    def resume(self, part):
        os.kill(self.pid(part), signal.SIGCONT)

    def parts(self):
        return process.names(self.directory)

    def node_ready(self, node="lab"):
        """Whether the node is there, says it is ready and takes pods."""
        status, found = self.api.request("GET", f"/api/v1/nodes/{node}")
        return status == 200 and not found["spec"].get("taints") and any(
            c["type"] == "Ready" and c["status"] == "True" for c in found["status"].get("conditions", []))

    def log(self, part):
        return self.directory / "log" / f"{part}.log"

    def program(self, component):
        return binaries.kubernetes(self.say) / component

    def start(self, part, command, env=None, dns=False, network=None):
        """Starts a process that belongs to the lab and ends with it."""
        return process.start(self.directory, part, command, self.enter(dns, network), env)

    def step(self, what, action):
        """Does one step and says how long it took, unless there was nothing to do."""
        begin = time.monotonic()
        if action() is not False:
            self.say(f"{what}, {time.monotonic() - begin:.1f} s")

    def wait_for(self, condition, *parts, timeout=120):
        """Waits for a condition and fails early, with the log's end, when one of these parts has ended.

        Returns False when the condition held from the start, so that the step is not reported.
        """
        if condition():
            return False
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for part in parts:
                if not self.pid(part):
                    raise RuntimeError(f"{part} has ended; the end of {self.log(part)}:\n{self.tail(part)}")
            if condition():
                return True
            time.sleep(0.05)
        raise RuntimeError(f"not ready after {timeout} s; look at {', '.join(str(self.log(part)) for part in parts)}")

    def tail(self, part, lines=8):
        try:
            return "\n".join(self.log(part).read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    @contextlib.contextmanager
    def _one_at_a_time(self):
        """Two commands for the same lab take turns; the lock goes away with its holder, however that ends."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with open(self.directory.parent / f".{self.name}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("another command works on this lab; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
