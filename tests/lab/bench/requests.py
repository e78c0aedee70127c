"""Requests to the API server over connections that stay open, several at a time."""
import http.client
import json
import queue
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

from labkit import netns
from labkit.client import dial

CREATE = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Server:
    """The lab's API server; one connection per thread, kept open."""

    def __init__(self, lab, user_agent):
        self.lab = lab
        self.tls = ssl.create_default_context(cafile=str(lab.pki / "ca.crt"))
        self.tls.load_cert_chain(lab.pki / "lab.crt", lab.pki / "lab.key")
        self.user_agent = user_agent
        self.local = threading.local()

    def connect(self, timeout=120):
        connection = http.client.HTTPConnection(netns.NODE_ADDRESS, 6443)
        plain = dial(self.lab.name, netns.NODE_ADDRESS, 6443, timeout)
        connection.sock = self.tls.wrap_socket(plain, server_hostname=netns.NODE_ADDRESS)
        return connection

    def send(self, method, path, body=None, content_type=CREATE):
        if not hasattr(self.local, "connection"):
            self.local.connection = self.connect()
        headers = {"User-Agent": self.user_agent, "Content-Type": content_type}
        try:
            self.local.connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self.local.connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            del self.local.connection
            raise
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:300]!r}")
        return json.loads(text)

    def watch(self, path, seen):
        """Lists, then calls seen(object) for every object and every change, in a thread that ends with the process."""
        listing = self.send("GET", path)
        for item in listing["items"]:
            seen(item)
        version = listing["metadata"]["resourceVersion"]
        threading.Thread(target=self._follow, args=(path, version, seen), daemon=True).start()

    def _follow(self, path, version, seen):
        connection = self.connect(timeout=None)
        connection.request("GET", f"{path}?watch=1&resourceVersion={version}", headers={"User-Agent": self.user_agent})
        for line in connection.getresponse():
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
