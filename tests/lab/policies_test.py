"""What labkit/policies.py makes of policies, and that the kernel takes it: which packet passes, on made-up objects."""
import copy
import ipaddress
import itertools
import re
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import netns, policies  # noqa: E402: the path first

NODE = netns.NODE_ADDRESS
NUMBERS = itertools.count()


def namespace(name, **labels):
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def pod(home, name, address, labels=None, ports=(), phase="Running", **spec):
    return {"metadata": {"namespace": home, "name": name, "labels": labels or {}},
            "spec": {"containers": [{"ports": list(ports)}], **spec}, "status": {"podIP": address, "phase": phase}}


def named(name, number, protocol="TCP"):
    return {"name": name, "containerPort": number, "protocol": protocol}


NAMESPACES = [namespace("shop", team="a"), namespace("bank", team="b"), namespace("bare")]
PODS = {found["metadata"]["name"]: found for found in [
    pod("shop", "server", "10.244.0.10", {"app": "server", "tier": "back"},
        [named("web", 8080), named("dns", 53, "UDP")]),
    pod("shop", "client", "10.244.0.11", {"app": "client"}, [named("web", 81)]),
    pod("shop", "plain", "10.244.0.12"),
    pod("bank", "client-b", "10.244.0.21", {"app": "client"}, [named("web", 82)]),
    pod("bank", "plain-b", "10.244.0.22"),
    pod("bare", "client-c", "10.244.0.31", {"app": "client"})]}
SERVER = {"app": "server"}


def policy(home="shop", labels=SERVER, **spec):
    return {"metadata": {"namespace": home, "name": f"policy-{next(NUMBERS)}"},
            "spec": {"podSelector": {"matchLabels": labels}, **spec}}


def ingress(*rules, **more):
    return policy(policyTypes=["Ingress"], ingress=list(rules), **more)


def egress(*rules, **more):
    return policy(policyTypes=["Egress"], egress=list(rules), **more)


class World:
    """Which packet of a new connection passes the rules, as the kernel reads them."""

    def __init__(self, *found, pods=()):
        self.chains = policies.chains(found, [*PODS.values(), *pods], NAMESPACES)

    def lets(self, source, target, port=8080, protocol="tcp"):
        addresses = [PODS[end]["status"]["podIP"] if end in PODS else end for end in (source, target)]
        return self.walk(policies.CHAIN, *map(ipaddress.ip_address, addresses), port, protocol)

    def walk(self, chain, source, target, port, protocol):
        for rule in self.chains[chain]:
            match, _, verdict = rule.partition("-j ")
            options = dict(re.findall(r"(-+\S+) (\S+)", match))
            if "-m" in options or not self.fits(options, source, target, port, protocol):
                continue
            if verdict == "RETURN":
                return True
            if verdict not in self.chains or not self.walk(verdict, source, target, port, protocol):
                return False
        return True

    @staticmethod
    def fits(options, source, target, port, protocol):
        first, _, last = options.get("--dport", "0:65535").partition(":")
        assert options.keys() <= {"-s", "-d", "-p", "--dport"}
        return source in ipaddress.ip_network(options.get("-s", policies.ANYWHERE)) \
            and target in ipaddress.ip_network(options.get("-d", policies.ANYWHERE)) \
            and options.get("-p", protocol) == protocol and int(first) <= port <= int(last or first)

    def who_reaches(self, target, **how):
        return {name for name in PODS if name != target and self.lets(name, target, **how)}

    def reached_by(self, source, **how):
        return {name for name in PODS if name != source and self.lets(source, name, **how)}


OTHERS = set(PODS) - {"server"}


def test_without_policies_everything_passes():
    world = World()
    assert world.who_reaches("server") == world.reached_by("server") == OTHERS
    assert world.lets("server", NODE) and world.lets("203.0.113.1", "server")


def test_a_policy_without_rules_isolates_its_pods_and_no_others():
    into, out = World(ingress()), World(egress())
    assert into.who_reaches("server") == set() and into.reached_by("server") == OTHERS
    assert into.who_reaches("plain") == set(PODS) - {"plain"}
    assert out.reached_by("server") == set() and out.who_reaches("server") == OTHERS
    assert not into.lets("203.0.113.1", "server") and not out.lets("server", "203.0.113.1")
    assert into.lets("server", NODE) and not out.lets("server", NODE)


def test_a_pod_reaches_itself():
    assert World(policy(policyTypes=["Ingress", "Egress"])).lets("server", "server")


@pytest.mark.parametrize("spec, isolated", [
    ({}, (True, False)), ({"ingress": []}, (True, False)), ({"egress": [{}]}, (True, True)),
    ({"policyTypes": ["Egress"]}, (False, True)), ({"policyTypes": ["Ingress", "Egress"]}, (True, True)),
    ({"policyTypes": ["Egress"], "ingress": [{}]}, (False, True))])
def test_the_types_of_a_policy_and_what_they_are_when_absent(spec, isolated):
    chains = World(policy(**spec)).chains
    assert tuple(f"LAB-{name}-10.244.0.10" in chains for name in ("Ingress", "Egress")) == isolated


PEERS = {
    "nobody-listed-is-everybody": ([], OTHERS),
    "pods-here": ([{"podSelector": {"matchLabels": {"app": "client"}}}], {"client"}),
    "all-pods-here": ([{"podSelector": {}}], {"client", "plain"}),
    "namespaces": ([{"namespaceSelector": {"matchLabels": {"team": "b"}}}], {"client-b", "plain-b"}),
    "all-namespaces": ([{"namespaceSelector": {}}], OTHERS),
    "pods-in-all-namespaces": ([{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "client"}}}],
                               {"client", "client-b", "client-c"}),
    "pods-in-a-namespace": ([{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "bank"}},
                              "podSelector": {"matchLabels": {"app": "client"}}}], {"client-b"}),
    "either-of-two": ([{"namespaceSelector": {"matchLabels": {"team": "b"}}},
                       {"podSelector": {"matchLabels": {"app": "client"}}}], {"client-b", "plain-b", "client"}),
    "a-block": ([{"ipBlock": {"cidr": "10.244.0.20/30"}}], {"client-b", "plain-b"}),
    "a-block-with-exceptions": ([{"ipBlock": {"cidr": "10.244.0.0/24",
                                              "except": ["10.244.0.20/31", "10.244.0.31/32"]}}],
                                {"client", "plain", "plain-b"}),
    "all-of-a-block-excepted": ([{"ipBlock": {"cidr": "10.244.0.0/24", "except": ["10.244.0.0/24"]}}], set()),
    "another-version-of-ip": ([{"ipBlock": {"cidr": "2001:db8::/32"}}], set()),
    "no-match": ([{"podSelector": {"matchLabels": {"app": "other"}}}], set()),
}


@pytest.mark.parametrize("name", PEERS)
def test_peers(name):
    listed, expected = PEERS[name]
    assert World(ingress({"from": listed})).who_reaches("server") == expected
    assert World(egress({"to": listed})).reached_by("server") == expected


@pytest.mark.parametrize("expression, expected", [
    ({"key": "app", "operator": "In", "values": ["client", "other"]}, {"client"}),
    ({"key": "app", "operator": "NotIn", "values": ["client"]}, {"server", "plain"}),
    ({"key": "tier", "operator": "Exists"}, {"server"}),
    ({"key": "app", "operator": "DoesNotExist"}, {"plain"})])
def test_expressions_select_pods_and_peers(expression, expected):
    isolated = policies.chains([{"metadata": {"namespace": "shop", "name": "p"}, "spec": {
        "podSelector": {"matchExpressions": [expression]}}}], PODS.values(), NAMESPACES)
    assert set(isolated) - {policies.CHAIN} == {f"LAB-Ingress-{PODS[name]['status']['podIP']}" for name in expected}
    here = World(ingress({"from": [{"podSelector": {"matchExpressions": [expression]}}]}))
    assert here.who_reaches("server") == expected - {"server"}


@pytest.mark.parametrize("operator, expected", [
    ("In", {"client-b", "plain-b"}), ("NotIn", {"client", "plain", "client-c"}),
    ("Exists", {"client", "plain", "client-b", "plain-b"}), ("DoesNotExist", {"client-c"})])
def test_expressions_select_namespaces(operator, expected):
    homes = {"matchExpressions": [{"key": "team", "operator": operator, "values": ["b"]}]}
    assert World(ingress({"from": [{"namespaceSelector": homes}]})).who_reaches("server") == expected


def test_labels_and_expressions_must_both_hold():
    selector = {"matchLabels": {"app": "server"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}
    assert not policies.selects(selector, {"app": "server", "tier": "back"})
    assert policies.selects(selector, {"app": "server"}) and policies.selects({}, {})


PORTS = [
    (None, {("tcp", 80), ("udp", 80), ("tcp", 5005)}), ([{"port": 80}], {("tcp", 80)}),
    ([{"protocol": "UDP", "port": 80}], {("udp", 80)}), ([{"protocol": "TCP"}], {("tcp", 80), ("tcp", 5005)}),
    ([{"port": 5000, "endPort": 5010}, {"protocol": "UDP", "port": 80}], {("tcp", 5005), ("udp", 80)}),
    ([{"protocol": "SCTP", "port": 80}], set())]


@pytest.mark.parametrize("ports, expected", PORTS)
def test_ports(ports, expected):
    into, out = World(ingress({"ports": ports})), World(egress({"ports": ports}))
    tried = {("tcp", 80), ("udp", 80), ("tcp", 5005)}
    assert {(p, n) for p, n in tried if into.lets("client", "server", n, p)} == expected
    assert {(p, n) for p, n in tried if out.lets("server", "203.0.113.1", n, p)} == expected


def test_the_name_of_a_port_is_the_reached_pods():
    into = World(ingress({"ports": [{"port": "web"}]}))
    assert into.lets("client", "server", 8080) and not into.lets("client", "server", 81)
    unknown = World(ingress({"ports": [{"port": "dns"}, {"port": "none"}]}))  # its "dns" is UDP
    assert not unknown.lets("client", "server", 53) and not unknown.lets("client", "server", 53, "udp")
    for listed in ([], [{"podSelector": {}}]):
        out = World(egress({"ports": [{"port": "web"}], "to": listed}))
        assert out.lets("server", "client", 81) and out.lets("server", "client-b", 82) == (not listed)
        assert not out.lets("server", "client", 82) and not out.lets("server", "plain", 81)


def test_ports_and_peers_of_a_rule_must_both_fit_and_one_rule_is_enough():
    both = World(ingress({"ports": [{"port": 1}], "from": [{"podSelector": {"matchLabels": {"app": "client"}}}]},
                         {"ports": [{"port": 2}], "from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}))
    assert both.who_reaches("server", port=1) == {"client"}
    assert both.who_reaches("server", port=2) == {"client-b", "plain-b"}


def test_policies_add_up():
    world = World(ingress(), ingress({"ports": [{"port": 1}]}), ingress({"from": [{"podSelector": {}}]}))
    assert world.who_reaches("server", port=1) == OTHERS
    assert world.who_reaches("server", port=2) == {"client", "plain"}


def test_both_ends_must_let_a_packet_through():
    out = egress({"to": [{"podSelector": {}}]}, labels={"app": "client"})
    assert World(out, ingress({})).lets("client", "server")
    assert not World(out, ingress()).lets("client", "server")
    assert not World(egress(labels={"app": "client"}), ingress({})).lets("client", "server")


def test_a_policy_is_about_its_own_namespace():
    world = World(ingress(home="bank", labels={}))
    assert world.who_reaches("server") == OTHERS and world.who_reaches("client-b") == set()


def test_dns_is_a_pod_and_the_node_is_not():
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    system = namespace("kube-system")
    world = World()
    world.chains = policies.chains([egress({"to": [peer], "ports": [{"protocol": "UDP", "port": 53}]})], PODS.values(),
                                   [*NAMESPACES, system])
    assert world.lets("server", NODE, 53, "udp") and not world.lets("server", NODE, 6443)
    isolating = policies.chains([policy(home="kube-system", labels={})], PODS.values(), [*NAMESPACES, system])
    assert set(isolating) == {policies.CHAIN}


@pytest.mark.parametrize("change", [{"phase": "Succeeded"}, {"phase": "Failed"}, {"address": ""},
                                    {"hostNetwork": True}])
def test_a_pod_without_an_address_of_its_own_counts_for_nothing(change):
    gone = pod("shop", **{"name": "gone", "address": "10.244.0.40", "labels": {"app": "server"}, **change})
    rules = [ingress({"from": [{"podSelector": {}}]})]
    assert World(*rules, pods=[gone]).chains == World(*rules).chains


def test_the_order_of_the_objects_does_not_matter():
    found = [ingress({"from": [{"podSelector": {}}]}), egress({}), ingress({"ports": [{"port": 1}]})]
    assert policies.chains(found, PODS.values(), NAMESPACES) == policies.chains(
        found[::-1], list(PODS.values())[::-1], NAMESPACES[::-1])


@pytest.fixture
def kernel():
    """iptables in a network of the test's own."""
    netns.remove("policies-test")
    netns.create("policies-test")
    with netns.inside("policies-test"):
        yield lambda: [line for line in policies.iptables("iptables-save", "-t", "filter").splitlines()
                       if not line.startswith("#")]
    netns.remove("policies-test")


def test_the_kernel_takes_the_rules_and_forgets_those_of_pods_that_are_gone(kernel):
    block = {"ipBlock": {"cidr": "0.0.0.0/1", "except": ["10.0.0.0/8"]}}
    listed, ports = [block, {"ipBlock": {"cidr": "::/0"}}], [{"port": 1, "endPort": 9}, {"protocol": "UDP"}]
    found = [egress({"to": listed, "ports": [*ports, {"protocol": "SCTP"}]}), ingress()]
    wanted = policies.chains(found, PODS.values(), NAMESPACES)
    assert len(wanted) == 3 and len(wanted["LAB-Egress-10.244.0.10"]) == 1 + 2 * 7 + 1
    policies.apply(wanted)
    there = kernel()
    assert all(sum(line.startswith(f"-A {name} ") for line in there) == len(rules) for name, rules in wanted.items())
    policies.apply(copy.deepcopy(wanted))
    assert kernel() == there
    policies.apply(policies.chains([], PODS.values(), NAMESPACES))
    assert [line for line in kernel() if "10.244" in line] == []
    assert [line.split()[0] for line in kernel() if line.startswith(":LAB")] == [f":{policies.CHAIN}"]


def test_the_rules_come_first_and_others_rules_stay(kernel):
    wanted = policies.chains([ingress()], PODS.values(), NAMESPACES)
    policies.apply(wanted)
    for hook in policies.HOOKS:
        policies.iptables("iptables", "-I", hook, "-p", "tcp", "-j", "ACCEPT")
    policies.apply(wanted)
    for hook in policies.HOOKS:
        assert [line for line in kernel() if line.startswith(f"-A {hook} ")] == [
            f"-A {hook} -j {policies.CHAIN}", f"-A {hook} -p tcp -j ACCEPT"]
