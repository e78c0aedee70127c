"""Waiting for what must become true, and watching what must stay true."""
import contextlib
import threading
import time

from labkit import audit


def eventually(what, check, timeout=60, told=None, interval=None):
    """Waits until check() returns something true, and returns that; `told` says what there is instead.

    Without an interval the longer it takes the rarer are the looks: most of a lab's requests are such looks.
    """
    begin = time.monotonic()
    while True:
        found = check()
        if found:
            return found
        waited = time.monotonic() - begin
        if waited > timeout:
            raise AssertionError(f"not within {timeout} s: {what}" + (f"; instead: {told()}" if told else ""))
        time.sleep(interval or min(max(waited / 10, 0.1), 0.5))


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


SETTLED = 12.0  # seconds without a write after which nothing more comes: status news may wait for 10


class Quiet:
    """The operator's requests, from the audit log, since this was made; of one namespace, about one name, or all."""

    WRITES = ("create", "update", "patch", "delete", "deletecollection")

    def __init__(self, lab, agent, namespace="", about=""):
        self.audit = audit.AuditLog(lab, agent)
        self.within = f"/namespaces/{namespace}/" if namespace else about

    def requests(self):
        return [(event["verb"], event["requestURI"]) for event in self.audit.requests()
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
