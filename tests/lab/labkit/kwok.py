"""Simulated nodes: pods become Ready at once and run nothing, so thousands fit."""
from . import binaries, control_plane


def start(lab, nodes, pods_per_node):
    program = binaries.kwok(lab.say)
    lab.start("kwok", [program, f"--kubeconfig={lab.pki}/lab.kubeconfig", "--manage-all-nodes=true",
                       f"--cidr={control_plane.POD_RANGE}",
                       # Without leases the nodes count as lost after 40 s and nothing brings their pods back.
                       "--node-lease-duration-seconds=40", "--server-address=127.0.0.1:10247"])
    names = [f"kwok-{number}" for number in range(nodes)]
    missing = [name for name in names if lab.api.request("GET", f"/api/v1/nodes/{name}")[0] == 404]
    if missing:
        lab.apply(*(node(name, pods_per_node) for name in missing))
    lab.step(f"{nodes} simulated nodes ready", lambda: lab.wait_for(lambda: all(map(lab.node_ready, names)), "kwok"))


def node(name, pods):
    resources = {"cpu": "10000", "memory": "100Ti", "pods": str(pods), "ephemeral-storage": "100Ti"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
            "status": {"capacity": resources, "allocatable": resources}}
