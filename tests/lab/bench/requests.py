"""Requests to the API server over connections that stay open, several at a time."""
import json
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

from labkit.client import ApiServer

CREATE = "application/json"


class Server:
    """The lab's API server; an error that it answers is raised."""

    def __init__(self, lab, user_agent):
        self.api = ApiServer(lab.name, lab.pki, user_agent)

    def send(self, method, path, body=None, content_type=CREATE):
        status, answer = self.api.request(method, path, body, timeout=120, content_type=content_type)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {str(answer)[:300]}")
        return answer

    def watch(self, path, seen):
        """Lists, then calls seen(object) for every object and every change, in a thread that ends with the process."""
        listing = self.send("GET", path)
        for item in listing["items"]:
            seen(item)
        version = listing["metadata"]["resourceVersion"]
        threading.Thread(target=self._follow, args=(path, version, seen), daemon=True).start()

    def _follow(self, path, version, seen):
        _, events = self.api.open("GET", f"{path}?watch=1&resourceVersion={version}", timeout=None)
        for line in events:
            event = json.loads(line)
            if event["type"] in ("ADDED", "MODIFIED"):
                seen(event["object"])


def in_parallel(work, items, workers=8):
    """Runs work(item) for all; the first failure ends the benchmark."""
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, items):
            pass


class Countdown:
    """Waits until each of the expected names was seen once."""

    def __init__(self, names):
        self.left = set(names)
        self.changed = queue.SimpleQueue()

    def seen(self, name):
        self.changed.put(name)

    def wait(self, seconds):
        while self.left:
            self.left.discard(self.changed.get(timeout=seconds))
