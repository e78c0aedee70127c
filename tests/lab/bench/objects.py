"""The objects of the benchmarks."""

NAMESPACE = "bench"
MANAGED_BY = "restate-operator"


def namespace():
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def pod_template(name, hash_label=None):
    labels = {"app": name, **({"pod-template-hash": hash_label} if hash_label else {})}
    container = {"name": "service", "image": "docker.io/lab/greeter:1", "ports": [{"containerPort": 9080}],
                 "env": [{"name": "GREETING", "value": "Hello"}], "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container]}}


def deployment(name, admin_url):
    """A RestateDeployment as a user writes it."""
    return {"apiVersion": "restate.dev/v1beta1", "kind": "RestateDeployment",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": pod_template(name),
                     "restate": {"register": {"url": admin_url}}}}


def cluster(name):
    """A RestateCluster of one node that needs nobody to provision it: there is no real node here."""
    return {"apiVersion": "restate.dev/v1", "kind": "RestateCluster", "metadata": {"name": name},
            "spec": {"compute": {"image": "docker.io/lab/restate:1", "replicas": 1},
                     "storage": {"storageRequestBytes": 1 << 30}}}


def replica_set(name, hash_label, owner_uid):
    version = f"{name}-{hash_label}"
    owner = {"apiVersion": "restate.dev/v1beta1", "kind": "RestateDeployment", "name": name, "uid": owner_uid, "controller": True}
    template = pod_template(name, hash_label)
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": version, "namespace": NAMESPACE, "ownerReferences": [owner],
                         "labels": {**template["metadata"]["labels"], "app.kubernetes.io/managed-by": "bare-writer"}},
            "spec": {"replicas": 1, "selector": {"matchLabels": template["metadata"]["labels"]}, "template": template}}


def service(name, hash_label, owner_uid):
    version = f"{name}-{hash_label}"
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": version, "uid": owner_uid, "controller": True}
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": version, "namespace": NAMESPACE, "ownerReferences": [owner]},
            "spec": {"type": "ClusterIP", "selector": {"app": name, "pod-template-hash": hash_label},
                     "ports": [{"name": "restate", "port": 9080, "protocol": "TCP", "targetPort": 9080}]}}


def status(name, ready):
    condition = {"type": "Ready", "status": "True" if ready else "False", "reason": "Deployed" if ready else "ReplicaSetPodNotReady",
                 "message": "bare writer", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {"apiVersion": "restate.dev/v1beta1", "kind": "RestateDeployment", "metadata": {"name": name, "namespace": NAMESPACE},
            "status": {"replicas": 1, "desiredReplicas": 1, "readyReplicas": int(ready), "conditions": [condition]}}
