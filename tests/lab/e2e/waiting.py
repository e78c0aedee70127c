"""Waiting for what must become true, and watching what must stay true."""
import contextlib
import threading
import time


def eventually(what, check, timeout=60, told=None, interval=0.1):
    """Waits until check() returns something true, and returns that; `told` says what there is instead."""
    deadline = time.monotonic() + timeout
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}" + (f"; instead: {told()}" if told else ""))
        time.sleep(interval)


@contextlib.contextmanager
def throughout(what, check):
    """Checks again and again while the block runs that check() stays true."""
    over, checks = threading.Event(), []

    def watch():
        while not checks or not over.wait(0.1):
            checks.append(check())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    violations = [found for found in checks if found is not True]
    assert not violations, f"not all the time: {what}; {len(violations)} of {len(checks)} times: {violations[:3]}"


class Quiet:
    """The operator's requests, from the audit log, since this was made; of one namespace, or of all."""

    WRITES = ("create", "update", "patch", "delete", "deletecollection")

    def __init__(self, lab, agent, namespace=""):
        self.lab, self.agent = lab, agent
        self.within = f"/namespaces/{namespace}/" if namespace else ""
        self.before = len(lab.audit(agent))

    def requests(self):
        return [(event["verb"], event["requestURI"]) for event in self.lab.audit(self.agent)[self.before:]
                if self.within in event["requestURI"]]

    def writes(self):
        return [request for request in self.requests() if request[0] in self.WRITES]

    def until_quiet(self, seconds=4, timeout=60):
        """Waits until nothing was asked for so many seconds."""
        seen, last = self.requests(), time.monotonic()
        deadline = last + timeout
        while time.monotonic() - last < seconds:
            assert time.monotonic() < deadline, f"still busy after {timeout} s: {seen[-5:]}"
            time.sleep(0.2)
            now = self.requests()
            if now != seen:
                seen, last = now, time.monotonic()
