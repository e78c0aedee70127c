"""The SDK service as a Deployment with a Service, for tests that need something to register and call."""
from . import images

PORT = 9080


def objects(namespace, name="greeter", greeting="Hello", service_name="Greeter"):
    container = {"name": "greeter", "image": images.GREETER, "imagePullPolicy": "IfNotPresent",
                 "env": [{"name": "GREETING", "value": greeting}, {"name": "SERVICE_NAME", "value": service_name}],
                 "ports": [{"containerPort": PORT}],
                 "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1}}
    labels = {"app": name}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
         "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
             "metadata": {"labels": labels},
             "spec": {"containers": [container], "terminationGracePeriodSeconds": 2}}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
         "spec": {"selector": labels, "ports": [{"port": PORT}]}},
    ]
