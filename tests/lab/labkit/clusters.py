"""RestateClusters, as a user writes one."""
from . import images

PATH = "/apis/restate.dev/v1/restateclusters"
SIZE = 1 << 30  # bytes of each volume
PARTITIONS = 4

PATIENT = "patient"  # how the name of a RestateCluster begins whose pods are probed as their template says
_POLICY = {"apiVersion": "admissionregistration.k8s.io/v1beta1", "metadata": {"name": "probe-soon"}}
_PROBE = "object.spec.containers[0].readinessProbe"
# The template lets a node alone for 30 s, then asks it every 10 s; it is up after 3. Most tests wait for nothing else.
# Only after 30 s without an answer it is not ready any more, as with the template.
PROBE_SOON = [
    {**_POLICY, "kind": "MutatingAdmissionPolicy", "spec": {
        "failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
                                                "operations": ["CREATE"]}]},
        "matchConditions": [
            {"name": "of-a-cluster", "expression":
             "object.metadata.?labels['app.kubernetes.io/name'].orValue('') == 'restate' && "
             f"has({_PROBE}) && {_PROBE}.?initialDelaySeconds.orValue(0) > 1"},
            {"name": "in-haste", "expression": f"!request.namespace.startsWith('{PATIENT}')"}],
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression":
            "Object{spec: Object.spec{containers: [Object.spec.containers{name: object.spec.containers[0].name, "
            "readinessProbe: Object.spec.containers.readinessProbe{initialDelaySeconds: 1, periodSeconds: 1, "
            "failureThreshold: 30}}]}}"}}]}},
    {**_POLICY, "kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": "probe-soon"}}]


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
