"""One scenario carried out by an operator of its own, which may be killed after any write and is then started again."""
import collections
import json
import re
import signal
import time

from labkit import proxy, restate_operator, tap

from .end_state import differences
from .waiting import SETTLED

QUIET = 1.0  # seconds without a write before a look is worth it, and for which the right end has to stay
LOOK = 0.4  # seconds between two looks at a run
TIMEOUT = 150  # seconds for everything after the action, or after the operator was started once more
MOST_LIVES = 60  # more than any scenario has writes
END = 5  # seconds in which an operator that is asked to end has ended
RESOURCE = re.compile(r"/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/[^/?]+(?=/))?/([^/?]+)(?:/[^/?]+)?/?([^/?]*)")
MANAGER = re.compile(r"[?&]fieldManager=([^&]+)")
STATUS = "/status"


def label(write):
    """What a write does, in words that are the same in every run."""
    if write.server == "restate":
        force = " by force" if write.method == "POST" and json.loads(write.body).get("force") else ""
        return f"{write.method} /deployments{force}"
    resource, subresource = RESOURCE.match(write.path).groups()
    manager = MANAGER.search(write.path)
    return " ".join([write.method, resource + (f"/{subresource}" if subresource else ""),
                     *(["as " + manager[1].replace("%2F", "/")] if manager else [])])


class Run:
    """A namespace, an operator that sees only that, and the proxies between it and the two servers."""

    def __init__(self, lab, log, scenario, name, port, account, sig=signal.SIGKILL):
        self.lab, self.scenario, self.name, self.sig = lab, scenario, name, sig
        self.gate = tap.LoggingGate(log)
        self.proxies = [proxy.api_server(lab, self.gate), tap.admin(lab, self.gate)]
        self.subject = scenario.make(self, scenario.options)
        directory = lab.directory / "runs"
        directory.mkdir(exist_ok=True)
        self.operator = restate_operator.Operator(
            lab, directory / f"{name}.log", port, "--watch-namespaces", name,
            env={"KUBECONFIG": str(through(self.proxies[0], account, directory / f"{name}.kubeconfig"))})
        self.lives = 0
        self.first = 0  # the index of the action's first write
        self.killed_after = []
        self.bad_ends = []

    def carry_out(self, deadly, expected=None):
        """Prepares, acts, and waits until all is done; returns the end state.

        `deadly(write, number)` says after which of the action's writes the operator is killed: `number` counts from 1
        those with the same label. Without an expected end state the run sets the standard: it is done and long quiet.
        """
        try:
            self.live()
            self.scenario.prepare(self.subject)
            self.arm(deadly)
            self.scenario.act(self.subject)
            return self.until_settled(expected)
        finally:
            self.clean_up()

    def live(self):
        self.lives += 1
        self.operator.start()

    def arm(self, deadly):
        with self.gate.turn:
            self.first = len(self.gate.writes)
            self.gate.after_write = lambda write: self.judge(write, deadly)

    def judge(self, write, deadly):
        """Called with the answer in hand that the operator does not have yet."""
        if not write.acknowledged:
            return
        number = self.labels()[label(write)]
        if deadly(label(write), number):
            self.killed_after.append(f"{label(write)} #{number}")
            self.gate.end_life()
            self.end()

    def end(self):
        began = time.monotonic()
        code, took = self.operator.end(self.sig), time.monotonic() - began
        if self.sig == signal.SIGTERM and (code or took > END):
            self.bad_ends.append(f"after {self.killed_after[-1]}: exit {code} in {took:.1f} s")

    def labels(self):
        """How often what was acknowledged since the action."""
        return collections.Counter(name for name, _ in self.points())

    def points(self):
        """Each of these writes, in order: its label, and which it is of those with that label."""
        times = collections.Counter()
        found = []
        for write in self.gate.writes[self.first:]:
            if write.acknowledged:
                times[label(write)] += 1
                found.append((label(write), times[label(write)]))
        return found

    def until_settled(self, expected):
        """Starts the operator again when it was killed, until the end state is there and nothing happens any more."""
        deadline = time.monotonic() + TIMEOUT
        quiet = QUIET if expected else SETTLED
        while True:
            if self.resurrect():
                deadline = time.monotonic() + TIMEOUT
            if self.quiet(quiet) and self.scenario.done(self.subject):
                found = self.scenario.state(self.subject)
                if self.quiet(quiet) and found == (expected or found):
                    return found
            if time.monotonic() > deadline or self.lives > MOST_LIVES:
                raise AssertionError(f"{self}: not settled within {TIMEOUT} s of a life, or {MOST_LIVES} lives\n"
                                     f"{self.story(expected)}")
            time.sleep(LOOK)

    def resurrect(self):
        """Whether it had to be."""
        if self.operator.alive():
            return False
        assert self.killed_after, f"{self}: the operator ended by itself with {self.operator.process.returncode}"
        for server in self.proxies:
            server.cut()
        self.live()
        return True

    def quiet(self, seconds):
        writes = self.gate.writes
        return self.operator.alive() and (not writes or time.time() - writes[-1].answered > seconds)

    def story(self, expected):
        """For people: what was done, and what is not as it should be."""
        writes = [f"  {write.status} {label(write)}" for write in self.gate.writes[self.first:]]
        found = self.scenario.state(self.subject)
        wrong = differences(expected, found) if expected else [json.dumps(found)]
        end = self.operator.log.read_text(errors="replace").splitlines()[-30:]
        now = time.strftime("%H:%M:%S", time.gmtime())
        return "\n".join([f"killed after {self.killed_after}; {self.lives} lives; writes since the action:", *writes,
                          "what is wrong:", *wrong, f"end of the operator's log {self.operator.log}, at {now}:", *end])

    def clean_up(self):
        """Leaves nothing that costs: no process, no pods, no calls that Restate goes on trying."""
        if self.operator.process and self.operator.alive():
            self.operator.kill()
        for server in self.proxies:
            server.stop()
        self.scenario.clean_up(self.subject)

    def __str__(self):
        return self.name


def through(server, account, path):
    """The kubeconfig of an account, turned to a proxy."""
    config = json.loads(account.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://{server.address}:{server.port}"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return path
