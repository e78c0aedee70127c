"""What runs in a lab and what does not, one line per part."""
from . import netns


def report(lab):
    """Prints the state; returns whether the lab is there and all of it is healthy."""
    if not lab.directory.exists():
        print(f"lab {lab.name}: not there; start it with: lab up --name {lab.name}")
        return False
    healthy = [line("network namespace", netns.exists(lab.name), netns.path_of(lab.name))]
    if netns.exists(lab.name) and (lab.pki / "complete").exists():
        healthy.append(line("API server ready", lab.api.ready(), lab.log("kube-apiserver")))
    for part in lab.parts():
        healthy.append(line(part, lab.pid(part) is not None, lab.log(part)))
    if all(healthy) and lab.pid("kube-apiserver"):
        nodes(lab)
    print(f"audit log: {lab.audit_log}\nkubeconfig: {lab.kubeconfig} (use it through: lab exec)")
    return all(healthy)


def line(what, good, log):
    print(f"{'healthy' if good else 'FAILED ':8} {what:26} {'' if good else 'look at: tail -50 '}{log}")
    return good


def nodes(lab):
    for node in lab.api.request("GET", "/api/v1/nodes")[1]["items"]:
        ready = [c["status"] == "True" for c in node["status"].get("conditions", []) if c["type"] == "Ready"]
        print(f"{'healthy' if ready == [True] else 'FAILED ':8} node {node['metadata']['name']}")
