"""A stand-in for Restate Cloud: the admin API of one environment and the tunnel server, under their real host names and
with TLS, before the lab's own Restate. It can be told to misbehave.

What it says of tunnels is simpler than the real one: no tunnel client dials in; what comes for a service goes there.
"""
import base64
import http.client
import json
import subprocess
import threading
from pathlib import Path

from . import client, netns, proxy, restate, tap

ENVIRONMENT = {"environmentId": "env_201kabc", "region": "us", "signingPublicKey": "publickeyv1_2bQk1FaBcDeFgHiJkLmNo"}
ADMIN_PORT, TUNNEL_PORT = 9070, 9080
TUNNEL = f"https://tunnel.us.restate.cloud:{TUNNEL_PORT}"


class Cloud:
    """Serves until it is stopped. `tokens`: what came in Authorization headers at the admin API's door."""

    def __init__(self, lab, log, token):
        self.lab, self.log, self.token = lab, log, token
        self.misbehave = None  # called with the carrier in place of an answer
        self.tokens = []
        self.released = threading.Event()  # ends what hangs
        self.tunnel_log = lab.directory / "log/tunnel.log"
        with self.tunnel_log.open("wb") as out:
            self.tunnel = lab.popen(["node", Path(__file__).parent / "tunnel.mjs", netns.NODE_ADDRESS, TUNNEL_PORT,
                                     lab.pki / "cloud.crt", lab.pki / "cloud.key"],
                                    dns=True, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.admin = self.keys = None
        self.open()

    def open(self, keys="cloud"):
        """Opens the admin API's door, with the certificate of that name; the earlier door is closed, also for those who
        are through it."""
        if self.admin:
            self.admin.gate.end_life()
            self.admin.stop()
        self.keys = keys

        def connect():
            connection = http.client.HTTPConnection("restate")
            connection.sock = client.dial(self.lab.name, restate.address(self.lab), restate.PORTS["admin"], 5)
            connection.sock.settimeout(60)
            return connection

        files = (self.lab.pki / f"{keys}.crt", self.lab.pki / f"{keys}.key")
        self.admin = proxy.Proxy(self.lab, "restate", connect, tap.counts, tap.LoggingGate(self.log, one_at_a_time=False),
                                 files, ADMIN_PORT, type("Door", (_Admin,), {"cloud": self}))

    def stop(self):
        self.released.set()
        self.admin.stop()
        self.tunnel.kill()
        self.tunnel.wait()

    def strays(self):
        """Requests that brought a token to the tunnel server."""
        return [line for line in self.tunnel_log.read_text().splitlines() if line.endswith(" token")]

    def secret(self, token):
        return {"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "cloud-token", "namespace": "restate-operator"},
                "data": {"token": base64.b64encode(token.encode()).decode()}}

    def environment(self, name="cloud"):
        """Without tunnel pods: their image is not in the lab."""
        authentication = {"secret": {"name": "cloud-token", "key": "token"}}
        return {"apiVersion": "restate.dev/v1beta1", "kind": "RestateCloudEnvironment", "metadata": {"name": name},
                "spec": {**ENVIRONMENT, "authentication": authentication, "tunnel": {"replicas": 0}}}


class _Admin(proxy.Carrier):
    cloud = None

    def carry(self):
        self.check_life()
        token = self.headers["Authorization"]
        self.cloud.tokens.append(token)
        if self.cloud.misbehave:
            return self.cloud.misbehave(self)
        if token != f"Bearer {self.cloud.token}":
            return refuse(self)
        del self.headers["Authorization"]
        return super().carry()


# Ways to misbehave.

def answer(carrier, status, body, *headers):
    carrier.rfile.read(int(carrier.headers.get("Content-Length") or 0))
    text = json.dumps(body).encode()
    carrier.send_response_only(status)
    for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(text))), *headers]:
        carrier.send_header(name, value)
    carrier.end_headers()
    carrier.wfile.write(text)


def refuse(carrier):
    """401, and tells in its words what it was asked with."""
    answer(carrier, 401, {"message": f"{carrier.headers['Authorization']} is not known here"})


def redirect(carrier):
    answer(carrier, 307, {}, ("Location", f"{TUNNEL}/stray"))


def hang(carrier):
    carrier.cloud.released.wait(120)


def endless(carrier):
    carrier.rfile.read(int(carrier.headers.get("Content-Length") or 0))
    carrier.send_response_only(200)
    carrier.send_header("Content-Type", "application/json")
    carrier.end_headers()
    while not carrier.cloud.released.is_set():
        carrier.wfile.write(b" " * proxy.PIECE)
