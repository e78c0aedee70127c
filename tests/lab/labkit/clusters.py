"""RestateClusters, as a user writes one."""
from . import images

PATH = "/apis/restate.dev/v1/restateclusters"
SIZE = 1 << 30  # bytes of each volume
PARTITIONS = 4


def restate_cluster(name, nodes=1, size=SIZE, config="", compute=None, volume_class=None, **spec):
    """Nodes that keep all data on as many of them as outlive the loss of one; further arguments are members of spec."""
    return {"apiVersion": "restate.dev/v1", "kind": "RestateCluster", "metadata": {"name": name},
            "spec": {"cluster": {"autoProvision": True}, "config": configuration(nodes) + config,
                     "storage": {"storageRequestBytes": size,
                                 **({"volumeAttributesClassName": volume_class} if volume_class else {})},
                     "compute": {"image": images.RESTATE, "imagePullPolicy": "IfNotPresent", "replicas": nodes,
                                 "env": [{"name": "DO_NOT_TRACK", "value": "1"}], "terminationGracePeriodSeconds": 10,
                                 "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}}, **(compute or {})},
                     **spec}}


def configuration(nodes):
    """TOML for a cluster whose log and metadata are on several nodes, also where it has but one."""
    names = ", ".join(f'"http://restate-{number}.restate-cluster:5122"' for number in range(nodes))
    return f"""auto-provision = false
default-num-partitions = {PARTITIONS}
default-replication = {1 if nodes < 3 else 2}
listen-mode = "tcp"

[metadata-server]
type = "replicated"

[metadata-client]
type = "replicated"
addresses = [{names}]

[bifrost]
default-provider = "replicated"

[admin.query-engine]
memory-size = "128 MiB"
"""
