"""Who reaches a RestateCluster's nodes, and whom they reach: connections tried from real pods, under enforced policies.

labkit/policies.py answers what is not let through, so that it is told from what is slow, or down.
"""
import contextlib
import socket
import subprocess
from typing import NamedTuple

import pytest

from labkit import dns, images, netns, node, policies, restate, restate_operator
from labkit.client import JSON_PATCH

from .cluster import KINDS, Cluster
from .waiting import eventually

NAME = "isolated"
OPERATOR = {"app.kubernetes.io/name": "restate-operator"}
CALLEE = "allow.restate.dev/"
LISTENING = 8000  # every pod of the test, and everything outside

HOME, OPS = "probes", "probes-ops"
PODS = {  # name -> namespace, labels
    "ingress-peer": (HOME, {"uses": "restate"}),
    "admin-peer": (OPS, {}),
    "node-peer": (HOME, {"app": "prometheus"}),
    "stranger": (HOME, {}),
    "operator": (restate_operator.NAMESPACE, OPERATOR),
    "neighbour-of-the-operator": (restate_operator.NAMESPACE, {}),
    "operator-elsewhere": (HOME, OPERATOR),
    "node-elsewhere": (HOME, {"app.kubernetes.io/name": "restate", "app.kubernetes.io/instance": NAME}),
    "callee": (HOME, {f"{CALLEE}{NAME}": "true"}),
    "callee-of-another-cluster": (HOME, {f"{CALLEE}another": "true"}),
}
NODES = ("restate-0", "restate-1")
IN_HOME = {"matchLabels": {"kubernetes.io/metadata.name": HOME}}
PEERS = {"ingress": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"uses": "restate"}}}],
         "admin": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OPS}}}],
         "node": [{"namespaceSelector": IN_HOME, "podSelector": {
             "matchExpressions": [{"key": "app", "operator": "In", "values": ["prometheus"]}]}}]}
ASKED_FOR = "10.30.0.10"  # by an egress rule of the user
EGRESS = [{"to": [{"ipBlock": {"cidr": f"{ASKED_FOR}/32"}}], "ports": [{"port": LISTENING}]}]


class Setting(NamedTuple):
    security: dict
    reach: dict  # which pod reaches which ports of a node; those that are not named reach none
    provision: bool = True
    others: frozenset = frozenset()  # what those that are not named reach


ALL = frozenset(restate.PORTS)
SETTINGS = {
    "peers": Setting({"networkPeers": PEERS, "networkEgressRules": EGRESS},
                     {"ingress-peer": {"ingress"}, "admin-peer": {"admin"}, "node-peer": {"node"},
                      "operator": {"admin", "node"}, "restate-1": {"node"}}),
    "no-peers": Setting({}, {"operator": {"admin", "node"}, "restate-1": {"node"}}),
    "nor-the-operator": Setting({"allowOperatorAccessToAdmin": False}, {"restate-1": {"node"}}, provision=False),
    "no-policies": Setting({"disableNetworkPolicies": True}, {}, others=ALL),
    "everybody": Setting({"networkPeers": {"ingress": [], "admin": [], "node": []}},
                         {"restate-1": {"node"}}, others=ALL),  # more does not go out of a node
}

# Addresses of the node that stand for the outside: (address, port) -> whether a Restate node may connect.
OUTSIDE = {
    ("100.64.0.10", LISTENING): True,  # one in either half of what is public
    ("203.0.113.10", LISTENING): True,
    ("10.20.0.10", LISTENING): False,
    ("172.20.0.10", LISTENING): False,
    ("192.168.20.10", LISTENING): False,
    ("169.254.169.254", LISTENING): False,  # where clouds tell machines their secrets
    ("169.254.170.23", 80): False,  # AWS' pod identity, which this cluster does not use
    ("169.254.20.10", LISTENING): False,
    ("169.254.20.10", 53): True,  # a DNS cache on each node
    (ASKED_FOR, LISTENING): True,
    (ASKED_FOR, 80): False,
    (netns.NODE_ADDRESS, 6443): False,  # the API server
    (netns.NODE_ADDRESS, 53): True,
}
CONNECTS, REFUSED = "connects", "is not let through"
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 30)"


class Probes:
    """Connections from pods, tried in their networks."""

    def __init__(self, lab, cluster):
        self.lab, self.cluster = lab, cluster
        self.networks = {}

    def pod(self, name):
        namespace = NAME if name in NODES else PODS[name][0]
        return self.cluster.get(f"/api/v1/namespaces/{namespace}/pods/{name}")

    def address(self, name):
        return self.pod(name)["status"]["podIP"]

    def network(self, name):
        if name not in self.networks:
            container = self.pod(name)["status"]["containerStatuses"][0]["containerID"]
            self.networks[name] = node.enter_network(self.lab, container)
        return self.networks[name]

    def connect(self, name, address, port):
        done = subprocess.run([*self.network(name), "/usr/bin/python3", "-I", "-S", "-c", CONNECT, address, str(port)],
                              capture_output=True, text=True)
        if done.returncode == 0:
            return CONNECTS
        assert "No route to host" in done.stderr, f"{name} to {address}:{port}: {done.stderr}"
        return REFUSED


def probe(name):
    namespace, labels = PODS[name]
    command = ["busybox", "httpd", "-f", "-p", str(LISTENING)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                {"name": "probe", "image": images.GREETER, "imagePullPolicy": "IfNotPresent", "command": command,
                 "readinessProbe": {"tcpSocket": {"port": LISTENING}, "periodSeconds": 1}}]}}


@pytest.fixture(scope="module")
def labelled(running):
    """The operator, which knows the label of its pods."""
    before = running.arguments
    (name, value), = OPERATOR.items()

    def restart(arguments):
        running.end()
        running.arguments = arguments
        running.start()
        eventually("the operator is ready", running.ready)
    restart([*before, "--operator-label-name", name, "--operator-label-value", value])
    yield running
    restart(before)


@pytest.fixture(scope="module")
def cluster(lab, labelled):
    """Two nodes, which run on whatever is set."""
    made = Cluster(lab, NAME, 2, security=SETTINGS["peers"].security).apply()
    made.until_ready(300)
    uids = made.uids()
    yield made
    in_the_end = made.uids()
    made.delete()
    made.until_gone()
    assert in_the_end == uids


@pytest.fixture(scope="module")
def probes(lab, cluster):
    homes = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (HOME, OPS)]
    made = [probe(name) for name in PODS]
    lab.apply(*homes)
    lab.apply(*made)
    for home in {pod["metadata"]["namespace"] for pod in made}:
        lab.kubectl("wait", "pod", "--all", "--for=condition=Ready", "--timeout=120s", "-n", home, timeout=150)
    yield Probes(lab, cluster)
    lab.kubectl("delete", "pod", "--all", "--wait=false", "-n", restate_operator.NAMESPACE)
    lab.kubectl("delete", "namespace", HOME, OPS, "--wait=false")


@pytest.fixture(scope="module", params=SETTINGS)
def setting(request, lab, cluster, probes):
    found = SETTINGS[request.param]
    put(lab, cluster, found)
    return found


def put(lab, cluster, setting, **security):
    """Gives the cluster a setting, with changes, and waits until the node enforces it."""
    cluster.apply(security={**setting.security, **security}, cluster={"autoProvision": setting.provision})
    cluster.until_ready()
    eventually("the policies are in force", lambda: policies.enforced(lab), 30)


@pytest.fixture(scope="module")
def outside(lab):
    """The addresses of OUTSIDE, each with somebody who listens; none of them leaves the lab."""
    ours = [end for end in OUTSIDE if end[0] != netns.NODE_ADDRESS]
    addresses = {address for address, _ in ours}
    for address in addresses:
        lab.exec(["ip", "address", "replace", f"{address}/32", "dev", "node0"], check=True)
    with contextlib.ExitStack() as listening:
        with netns.inside(lab.name):
            for end in ours:  # the kernel connects, whether anybody accepts or not
                listening.enter_context(socket.create_server(end))
        yield
    for address in addresses:
        lab.exec(["ip", "address", "delete", f"{address}/32", "dev", "node0"], check=True)


@pytest.mark.parametrize("port", restate.PORTS)
@pytest.mark.parametrize("who", [name for name in PODS if not name.startswith("callee")] + ["restate-1"])
def test_who_reaches_a_node(setting, probes, who, port):
    expected = CONNECTS if port in setting.reach.get(who, setting.others) else REFUSED
    assert probes.connect(who, probes.address("restate-0"), restate.PORTS[port]) == expected


@pytest.mark.parametrize("who", ["ingress-peer", "stranger"])
def test_who_reaches_the_nodes_by_their_service(lab, setting, probes, who):
    expected = CONNECTS if "ingress" in setting.reach.get(who, setting.others) else REFUSED
    assert probes.connect(who, restate.address(lab, NAME), restate.PORTS["ingress"]) == expected


@pytest.mark.parametrize("whom, let", {"callee": True, "callee-of-another-cluster": False, "stranger": False}.items())
def test_which_pods_a_node_reaches(setting, probes, whom, let):
    let = let or setting is SETTINGS["no-policies"]
    assert probes.connect("restate-0", probes.address(whom), LISTENING) == (CONNECTS if let else REFUSED)


@pytest.mark.parametrize("address, port", OUTSIDE)
def test_what_a_node_reaches_outside(setting, probes, outside, address, port):
    assert probes.connect("stranger", address, port) == CONNECTS
    let = OUTSIDE[address, port] and (address != ASKED_FOR or "networkEgressRules" in setting.security)
    let = let or setting is SETTINGS["no-policies"]
    assert probes.connect("restate-0", address, port) == (CONNECTS if let else REFUSED)


def test_a_node_resolves_names(lab, setting, probes):
    name = f"restate.{NAME}.svc.cluster.local"
    assert restate.address(lab, NAME) in lab.kubectl("exec", "-n", NAME, "restate-0", "--", "nslookup", name)
    assert probes.connect("restate-0", dns.SERVICE_ADDRESS, 53) == CONNECTS  # by TCP


@pytest.mark.parametrize("setting", ["no-policies"], indirect=True)
def test_without_policies_none_is_left(setting, cluster):
    assert cluster.list("networkpolicies") == {}


@pytest.mark.parametrize("setting", ["peers"], indirect=True)
def test_peers_may_be_opened_to_everybody(lab, cluster, setting, probes):
    try:
        put(lab, cluster, setting, networkPeers={**PEERS, "node": []})
        assert probes.connect("stranger", probes.address("restate-0"), restate.PORTS["node"]) == CONNECTS
    finally:
        put(lab, cluster, setting)


WIDENED = {
    "more-ports": ("allow-egress-to-dns", "/spec/egress/0/ports/0/endPort", 65535),
    "fewer-nodes": ("deny-all", "/spec/podSelector/matchLabels/extra", "x"),
    "everybody": ("deny-all", "/spec/ingress", [{}]),
}


@pytest.mark.parametrize("setting", ["peers"], indirect=True)
@pytest.mark.parametrize("how", WIDENED)
def test_a_policy_that_somebody_widens_is_put_back(lab, cluster, setting, how):
    name, path, value = WIDENED[how]
    address = f"{KINDS['networkpolicies']}/namespaces/{NAME}/networkpolicies/{name}"
    before = cluster.child("networkpolicies", name)
    change = [{"op": "add", "path": path, "value": value}]
    assert lab.api.request("PATCH", f"{address}?fieldManager=somebody", change, content_type=JSON_PATCH)[0] == 200
    try:
        eventually(f"{name} is as it was", lambda: cluster.child("networkpolicies", name)["spec"] == before["spec"], 5)
    finally:
        remake(lab, cluster, address, before)


def remake(lab, cluster, address, before):
    lab.api.request("DELETE", address)
    eventually("the policy is made again", lambda: (cluster.get(address) or before)["metadata"]["uid"]
               != before["metadata"]["uid"])
    eventually("the policies are in force", lambda: policies.enforced(lab), 30)
