"""NetworkPolicies for the pods of the node, as iptables rules. Runs inside the lab, beside the node.

Who is not let through is told so: his connect() ends at once with "No route to host". Silence could be a slow machine,
and a refusal a port where nobody listens. As everywhere, the node reaches its pods (kubelet probes them), a pod reaches
itself, and what is established goes on. Other than elsewhere, an isolated pod does not reach the node unless it is let:
in a lab the node's addresses are all that there is outside of pods. Its DNS server counts as a pod.

A pod is isolated from when its address is in its status, which is a moment after it got it.
"""
import contextlib
import http.client
import ipaddress
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labkit import netns, tools  # noqa: E402
from labkit.client import ApiServer  # noqa: E402

KINDS = {"networkpolicies": "/apis/networking.k8s.io/v1/networkpolicies", "pods": "/api/v1/pods",
         "namespaces": "/api/v1/namespaces"}
BRIDGED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
CHAIN = "LAB-POLICY"  # every packet to a pod or from one comes by here, before kube-proxy's rules accept anything
HOOKS = ["FORWARD", "INPUT"]  # INPUT: what pods send to the node; what the node sends passes neither
OWN = "LAB-"
PASS = "-j RETURN"  # back to CHAIN, where the other end of the packet may have a say as well
REFUSE = "-j REJECT --reject-with icmp-admin-prohibited"
ANYWHERE = "0.0.0.0/0"
DNS = {"metadata": {"namespace": "kube-system", "name": "coredns", "labels": {"k8s-app": "kube-dns"}},
       "spec": {"containers": []}, "status": {"podIP": netns.NODE_ADDRESS}}
RETRY = 2  # seconds
APPLIED = "policies.json"  # what is in force, in the lab's directory


class Direction(NamedTuple):
    type: str   # as in policyTypes
    rules: str  # member of the policy's spec
    peers: str  # member of a rule
    pod: str    # how iptables names the end that the policy selects, and the other end
    peer: str


EGRESS = Direction("Egress", "egress", "to", "-s", "-d")
INGRESS = Direction("Ingress", "ingress", "from", "-d", "-s")


# From objects to rules.

def chains(policies, pods, namespaces):
    """All chains and their rules, in an order that depends on nothing but the objects."""
    policies = sorted(policies, key=name_of)
    pods = sorted(filter(reachable, pods), key=name_of)
    labels = {namespace["metadata"]["name"]: labels_of(namespace) for namespace in namespaces}
    found = {CHAIN: [f"-m conntrack --ctstate RELATED,ESTABLISHED {PASS}"]}
    for pod in pods:
        address = pod["status"]["podIP"]
        for direction in (EGRESS, INGRESS):
            selecting = [policy for policy in policies if isolates(policy, pod, direction)]
            if selecting:
                name = f"{OWN}{direction.type}-{address}"
                found[CHAIN].append(f"{direction.pod} {address} -j {name}")
                lets = [rule for policy in selecting for rule in allowed(policy, pod, direction, [*pods, DNS], labels)]
                found[name] = [f"{direction.peer} {address} {PASS}", *dict.fromkeys(lets), REFUSE]
    return found


def name_of(item):
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def labels_of(item):
    return item["metadata"].get("labels") or {}


def reachable(pod):
    """Whether the pod has an address of its own. One that has ended still shows an address that is others' by now."""
    status = pod.get("status", {})
    return bool(status.get("podIP")) and status.get("phase") not in ("Succeeded", "Failed") \
        and not pod["spec"].get("hostNetwork")


def isolates(policy, pod, direction):
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return direction.type in types and policy["metadata"]["namespace"] == pod["metadata"]["namespace"] \
        and selects(spec.get("podSelector") or {}, labels_of(pod))


def allowed(policy, pod, direction, pods, namespaces):
    """The rules that let through what one policy allows this pod."""
    for rule in policy["spec"].get(direction.rules) or []:
        ports, listed = rule.get("ports"), rule.get(direction.peers)
        ends = list(peers(listed, policy, pods, namespaces)) if listed else [(ANYWHERE, None)]
        if not listed and any(isinstance(port.get("port"), str) for port in ports or []):
            ends += [(other["status"]["podIP"], other) for other in pods]  # each may mean another number by the name
        for address, peer in ends:
            for match in matches(ports, pod if direction is INGRESS else peer):
                yield " ".join(filter(None, [direction.peer, address, match, PASS]))


def peers(listed, policy, pods, namespaces):
    """(address, pod) of everybody who is listed; of a block of addresses no pod is known."""
    for peer in listed:
        block = peer.get("ipBlock")
        if block:
            yield from ((str(network), None) for network in networks(block["cidr"], block.get("except") or []))
            continue
        for pod in pods:
            home = pod["metadata"]["namespace"]
            if peer.get("namespaceSelector") is None:
                near = home == policy["metadata"]["namespace"]
            else:
                near = selects(peer["namespaceSelector"], namespaces.get(home, {}))
            if near and selects(peer.get("podSelector") or {}, labels_of(pod)):
                yield pod["status"]["podIP"], pod


def networks(cidr, exceptions):
    """A block without its exceptions, as the blocks that are left. Pods have no IPv6 here."""
    left = [ipaddress.ip_network(cidr, strict=False)]
    if left[0].version != 4:
        return []
    for exception in (ipaddress.ip_network(text, strict=False) for text in exceptions):
        left = [part for block in left for part in
                (block.address_exclude(exception) if exception.subnet_of(block) else [block])
                if not part.subnet_of(exception)]
    return sorted(left)


def matches(ports, reached):
    """What a packet to one of these ports looks like; a port's name is looked up at the pod that is reached."""
    if not ports:
        yield ""
    for port in ports or []:
        protocol, number = port.get("protocol", "TCP"), port.get("port")
        if protocol not in ("TCP", "UDP"):
            continue
        if number is None:
            yield f"-p {protocol.lower()}"
        elif isinstance(number, int):
            last = f":{port['endPort']}" if port.get("endPort") else ""
            yield f"-p {protocol.lower()} --dport {number}{last}"
        else:
            yield from (f"-p {protocol.lower()} --dport {found['containerPort']}" for found in container_ports(reached)
                        if found.get("name") == number and found.get("protocol", "TCP") == protocol)


def container_ports(pod):
    spec = pod["spec"] if pod else {}
    return [port for container in [*spec.get("containers", []), *spec.get("initContainers", [])]
            for port in container.get("ports") or []]


def selects(selector, labels):
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) \
        and all(holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def holds(expression, labels):
    there = expression["key"] in labels
    among = there and labels[expression["key"]] in (expression.get("values") or [])
    return {"In": among, "NotIn": not among, "Exists": there, "DoesNotExist": not there}[expression["operator"]]


# From rules to the kernel.

def apply(wanted):
    """Puts the chains in force in one step, and itself first in line; removes those of pods that are gone."""
    there = iptables("iptables-save", "-t", "filter").splitlines()
    names = [line[1:].split()[0] for line in there if line.startswith(f":{OWN}")]
    stale = [name for name in names if name not in wanted]
    lines = ["*filter", *(f":{name} - [0:0]" for name in [*wanted, *stale])]
    lines += [f"-A {name} {rule}" for name, rules in wanted.items() for rule in rules]
    lines += [f"-X {name}" for name in stale]
    for hook in HOOKS:
        rules = [line.removeprefix(f"-A {hook} ") for line in there if line.startswith(f"-A {hook} ")]
        jump = f"-j {CHAIN}"
        if rules[:1] != [jump]:
            lines += [f"-D {hook} {jump}"] * rules.count(jump) + [f"-I {hook} {jump}"]
    iptables("iptables-restore", "--noflush", text="\n".join([*lines, "COMMIT", ""]))


def iptables(program, *arguments, text=None):
    done = subprocess.run([tools.find(program), *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.strip()}")
    return done.stdout


# From the API server to objects.

def command(lab):
    return ["/usr/bin/python3", "-B", Path(__file__).resolve(), lab.pki, lab.directory / APPLIED]


def enforced(lab):
    """Whether what the API server has now is in force."""
    items = [lab.api.request("GET", path)[1]["items"] for path in KINDS.values()]
    try:
        return json.loads((lab.directory / APPLIED).read_text()) == chains(*items)
    except (OSError, ValueError):  # nothing yet, or half of it
        return False


def follow(api, kind, news):
    """Tells of the objects of a kind for ever, all at first and then each that changes."""
    while True:
        try:
            status, found = api.request("GET", KINDS[kind])
            if status != 200:
                raise ValueError(found)
            news.put((kind, "ALL", found["items"]))
            version = found["metadata"]["resourceVersion"]
            path = f"{KINDS[kind]}?watch=true&timeoutSeconds=600&resourceVersion={version}"
            connection, response = api.open("GET", path, timeout=700)
            with contextlib.closing(connection):
                for line in response:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ValueError(event["object"].get("message"))
                    news.put((kind, event["type"], event["object"]))
        except (OSError, ValueError, http.client.HTTPException) as problem:
            print(f"the watch of {kind} has ended:", problem, flush=True)
        time.sleep(0.5)


def take(objects, kind, event, found):
    if event == "ALL":
        objects[kind] = {item["metadata"]["uid"]: item for item in found}
    elif event == "DELETED":
        objects[kind].pop(found["metadata"]["uid"], None)
    else:
        objects[kind][found["metadata"]["uid"]] = found


def serve(pki, applied_file):
    BRIDGED.write_text("1")  # or pods on the bridge reach one another past all rules
    news, objects, applied = queue.Queue(), {}, None
    for kind in KINDS:
        threading.Thread(target=follow, args=(ApiServer(None, pki, "lab-policies"), kind, news), daemon=True).start()
    while True:
        with contextlib.suppress(queue.Empty):
            take(objects, *news.get(timeout=RETRY))
            while True:
                take(objects, *news.get_nowait())
        if len(objects) < len(KINDS):
            continue
        wanted = chains(*(objects[kind].values() for kind in KINDS))
        if wanted != applied:
            try:
                apply(wanted)
            except RuntimeError as problem:
                print(problem, flush=True)
                continue
            applied_file.write_text(json.dumps(wanted))
            applied = wanted
            print(f"{len(wanted) - 1} chains, {sum(map(len, wanted.values()))} rules", flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
