"""The SDK service, for tests that need something to register and call."""
from . import images

PORT = 9080


def container(greeting="Hello", service_name="Greeter"):
    return {"name": "greeter", "image": images.GREETER, "imagePullPolicy": "IfNotPresent",
            "env": [{"name": "GREETING", "value": greeting}, {"name": "SERVICE_NAME", "value": service_name}],
            "ports": [{"containerPort": PORT}],
            "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1}}


def template(labels, greeting="Hello", service_name="Greeter"):
    return {"metadata": {"labels": labels},
            "spec": {"containers": [container(greeting, service_name)], "terminationGracePeriodSeconds": 2}}


def knative_template(labels, greeting="Hello", service_name="Greeter", port="h2c", timeout=5, **annotations):
    """The same for Knative, which takes fewer fields. Its time-out is also how long a pod may take to end, and it does
    take that long. A handler that waits is suspended after a second: pods are not kept for it.
    """
    served = container(greeting, service_name)
    served["ports"][0]["name"] = port
    served["env"].append({"name": "INACTIVITY_SECONDS", "value": "1"})
    return {"metadata": {"labels": labels, **({"annotations": annotations} if annotations else {})},
            "spec": {"containers": [served], "timeoutSeconds": timeout}}


def objects(namespace, name="greeter", greeting="Hello", service_name="Greeter"):
    """A Deployment with a Service: nobody registers it."""
    labels = {"app": name}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
         "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                  "template": template(labels, greeting, service_name)}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
         "spec": {"selector": labels, "ports": [{"port": PORT}]}},
    ]


def restate_deployment(namespace, name="greeter", greeting="Hello", service_name="Greeter", replicas=1, limit=1,
                       restate_namespace="restate", **restate):
    """A RestateDeployment of it, as a user writes one; further arguments are members of spec.restate."""
    labels = {"app": name}
    return {
        "apiVersion": "restate.dev/v1beta1", "kind": "RestateDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "revisionHistoryLimit": limit, "selector": {"matchLabels": labels},
                 "template": template(labels, greeting, service_name),
                 "restate": {"register": {"service": {"name": "restate", "namespace": restate_namespace}}, **restate}}}


def approvals(lab, namespace, name):
    """What the calls that it has held wait for, by the logs of its pods; those that are through as well."""
    logs = lab.kubectl("logs", "-n", namespace, "-l", f"app={name}", "--tail=-1",
                       "--ignore-errors")  # a pod may go between the list and its log
    return [line.split()[-1] for line in logs.splitlines() if line.startswith("holding ")]
