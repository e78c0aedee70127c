"""A single-node restate-server without any operator, for what needs a Restate that is simply there."""
import http.client
import json
import time

from . import images, netns, pki

PORTS = {"ingress": 8080, "admin": 9070, "node": 5122}
# What Restate answers to a query when its nodes were too slow for each other. The operator asks again, and so do we.
EXPIRED, PATIENCE, PAUSE = "No such scanner", 30, 0.5  # seconds
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def start(lab, namespace):
    """Applies it and waits until its admin API answers through the Service."""
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    authority = (lab.pki / "ca.crt").read_text()
    lab.apply(service(namespace), trusted(namespace, authority), stateful_set(namespace))
    lab.step(f"restate-server ready in namespace {namespace}",
             lambda: lab.wait_for(lambda: answers(lab, namespace), "kubelet", "kube-proxy", timeout=120))


def address(lab, namespace="restate", service="restate"):
    """The ClusterIP of its Service, or None."""
    status, found = lab.api.request("GET", f"/api/v1/namespaces/{namespace}/services/{service}")
    return found["spec"]["clusterIP"] if status == 200 else None


def answers(lab, namespace, service="restate"):
    """Whether the Service leads to a server that serves; it leads nowhere before its pod is ready."""
    try:
        return lab.http("GET", address(lab, namespace, service), PORTS["admin"], "/health", timeout=2)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def call(lab, path, argument=None, namespace="restate", timeout=30):
    """Calls a handler through the ingress, as in `Greeter/greet`, and returns its answer."""
    return _ask(lab, "ingress", f"/{path}", argument, namespace, timeout)


def send(lab, path, argument=None, namespace="restate"):
    """Starts a call that nobody waits for; returns the invocation's id."""
    return call(lab, f"{path}/send", argument, namespace)["invocationId"]


def query(lab, sql, namespace="restate"):
    """The rows of a SQL query to the admin API, as dictionaries."""
    begin = time.monotonic()
    while True:
        try:
            return _ask(lab, "admin", "/query", {"query": sql}, namespace, 30)["rows"]
        except RuntimeError as problem:
            if EXPIRED not in str(problem) or time.monotonic() - begin > PATIENCE:
                raise
        time.sleep(PAUSE)


def _ask(lab, port, path, body, namespace, timeout):
    text = None if body is None else json.dumps(body)
    headers = JSON if body is not None else {"Accept": "application/json"}
    status, answer = lab.http("POST", address(lab, namespace), PORTS[port], path, text, headers, timeout)
    if status // 100 != 2:
        raise RuntimeError(f"POST {path}: {status} {answer}")
    return json.loads(answer)


def service(namespace):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "restate", "namespace": namespace},
            "spec": {"selector": {"app": "restate"},
                     "ports": [{"name": name, "port": port} for name, port in PORTS.items()]}}


def trusted(namespace, authority):
    """The certificate authority of the lab, for services behind TLS."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trusted", "namespace": namespace},
            "data": {"ca.crt": authority}}


def stateful_set(namespace):
    settings = {"RESTATE_AUTO_PROVISION": "true", "RESTATE_BASE_DIR": "/restate-data", "DO_NOT_TRACK": "1",
                "RESTATE_DEFAULT_NUM_PARTITIONS": "4", "RESTATE_BIND_IP": "0.0.0.0", "RESTATE_LISTEN_MODE": "tcp",
                "SSL_CERT_FILE": "/trusted/ca.crt"}
    container = {
        "name": "restate", "image": images.RESTATE, "imagePullPolicy": "IfNotPresent",
        "env": [{"name": name, "value": value} for name, value in settings.items()],
        "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
        # Slow is not down: tests of which the machine has many at once would lose calls.
        "readinessProbe": {"httpGet": {"path": "/health", "port": PORTS["admin"]}, "periodSeconds": 1,
                           "failureThreshold": 30},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/restate-data"},
                         {"name": "trusted", "mountPath": "/trusted", "readOnly": True}]}
    pod = {"securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000},
           "terminationGracePeriodSeconds": 5, "containers": [container],
           "hostAliases": [{"ip": netns.NODE_ADDRESS, "hostnames": pki.CLOUD_HOSTS}],
           "volumes": [{"name": "data", "emptyDir": {}}, {"name": "trusted", "configMap": {"name": "trusted"}}]}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "restate", "namespace": namespace},
            "spec": {"replicas": 1, "serviceName": "restate", "selector": {"matchLabels": {"app": "restate"}},
                     "template": {"metadata": {"labels": {"app": "restate"}}, "spec": pod}}}
