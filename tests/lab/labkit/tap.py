"""What goes to a Restate's admin API, seen on the way: a Service beside that of Restate, which leads through a proxy.

Registrations and removals are nowhere logged by Restate itself.
"""
import http.client
import json
import re

from . import client, proxy, restate

NAME = "restate-tap"  # the Service to register with
DEPLOYMENT = re.compile(r"/deployments/([^/?]+)")


class Log:
    """The writes at all admin APIs of a lab, whichever proxy carried them; oldest first."""

    def __init__(self, writes=()):
        self.writes = list(writes)

    def registrations(self):
        """(time, uri, deployment id) of every registration."""
        for write in list(self.writes):
            if write.method == "POST" and write.acknowledged:
                yield write.answered, json.loads(write.body)["uri"], json.loads(write.answer)["id"]

    def removals(self):
        """(time, deployment id) of every removal."""
        for write in list(self.writes):
            found = DEPLOYMENT.match(write.path)
            if write.method == "DELETE" and write.acknowledged and found:
                yield write.sent, found[1]


class LoggingGate(proxy.Gate):
    """Writes at the admin API go to the log as well."""

    def __init__(self, log, one_at_a_time=True):
        super().__init__(one_at_a_time)
        self.log = log

    def done(self, write):
        if write.server == "restate":
            self.log.writes.append(write)
        super().done(write)


def admin(lab, gate, namespace="restate"):
    """A proxy to the admin API of the Restate in a namespace."""
    def connect():
        connection = http.client.HTTPConnection("restate")
        connection.sock = client.dial(lab.name, restate.address(lab, namespace), restate.PORTS["admin"], 5)
        connection.sock.settimeout(60)
        return connection
    return proxy.Proxy(lab, "restate", connect, counts, gate)


def counts(method, path):
    """A query is a POST that changes nothing."""
    return method in proxy.WRITES and not path.startswith("/query")


def start(lab, log, namespace="restate"):
    """Puts the tap's Service in front of the Restate in a namespace."""
    started = admin(lab, LoggingGate(log, one_at_a_time=False), namespace)
    metadata = {"name": NAME, "namespace": namespace}
    port = {"name": "admin", "port": restate.PORTS["admin"]}
    lab.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}},
              {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
               "metadata": {**metadata, "labels": {"kubernetes.io/service-name": NAME}},
               "ports": [{"name": "admin", "port": started.port}], "endpoints": [{"addresses": [started.address]}]})
    return started


def answers(lab, namespace="restate"):
    """Whether its Service leads to a Restate; kube-proxy learns of it a second later."""
    return restate.answers(lab, namespace, NAME)
