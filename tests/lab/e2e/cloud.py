"""One RestateCloudEnvironment of a test, seen through Kubernetes. Its pods are simulated."""
import base64

from labkit import restate_operator
from labkit.client import MERGE

from .custom_object import CustomObject
from .waiting import eventually

PATH = "/apis/restate.dev/v1beta1/restatecloudenvironments"
NAMESPACE = restate_operator.NAMESPACE
KINDS = {"deployments": "/apis/apps/v1", "replicasets": "/apis/apps/v1", "services": "/api/v1", "pods": "/api/v1"}
DIGEST = "restate.dev/bearer-token-digest"
KEY = "token"


def manifest(name, secret="", **tunnel):
    return {"apiVersion": "restate.dev/v1beta1", "kind": "RestateCloudEnvironment", "metadata": {"name": name},
            "spec": {"environmentId": "env_201kabc", "region": "us", "signingPublicKey": "publickeyv1_2bQk1FaBcD",
                     "authentication": {"secret": {"name": secret or name, "key": KEY}},
                     **({"tunnel": tunnel} if tunnel else {})}}


class Environment(CustomObject):
    """Its Secret has its name."""

    def __init__(self, lab, name, **tunnel):
        super().__init__(lab, f"{PATH}/{name}")
        self.tunnel = tunnel
        self.secret = f"/api/v1/namespaces/{NAMESPACE}/secrets"

    def apply(self, **changed):
        self.tunnel.update(changed)
        self.apply_body(manifest(self.name, **self.tunnel))
        return self

    def set_token(self, token, key=KEY):
        """Text or bytes."""
        value = base64.b64encode(token if isinstance(token, bytes) else token.encode()).decode()
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": self.name}, "data": {key: value}}
        status, answer = self.lab.api.request("POST", self.secret, body)
        if status == 409:
            status, answer = self.lab.api.request("PUT", f"{self.secret}/{self.name}", body)
        assert status in (200, 201), answer
        return self

    def remove_secret(self):
        self.lab.api.request("DELETE", f"{self.secret}/{self.name}")

    def up(self):
        """Ready, and so are its pods."""
        return self.ready() and not self.condition("Reconciling")[0]

    def until_up(self, timeout=60):
        eventually(f"the tunnel {self.name} is up", self.up, timeout, self.status)
        return self

    def delete(self):
        self.lab.api.request("DELETE", self.path)

    def until_gone(self, timeout=60):
        eventually(f"{self.name} is gone", lambda: not self.object(), timeout, self.status)
        eventually("its tunnel is gone", lambda: not self.child("deployments") and not self.child("services"), timeout)

    # What it is made of.

    def child_path(self, kind):
        return f"{KINDS[kind]}/namespaces/{NAMESPACE}/{kind}/tunnel-{self.name}"

    def child(self, kind):
        return self.get(self.child_path(kind))

    def edit(self, kind, change):
        status, answer = self.lab.api.request("PATCH", f"{self.child_path(kind)}?fieldManager=somebody", change,
                                              content_type=MERGE)
        assert status == 200, answer

    def list(self, kind):
        labels = f"app.kubernetes.io/instance=tunnel-{self.name}"
        path = f"{KINDS[kind]}/namespaces/{NAMESPACE}/{kind}?labelSelector={labels}"
        return {item["metadata"]["name"]: item for item in self.get(path)["items"]}

    def template(self):
        return self.child("deployments")["spec"]["template"]

    def pods(self):
        """Name -> uid of those that stay."""
        return {name: pod["metadata"]["uid"] for name, pod in self.list("pods").items()
                if "deletionTimestamp" not in pod["metadata"]}

    def ready_pods(self):
        return [name for name, pod in self.list("pods").items() if any(
            c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))]

    def events(self, reason=""):
        """The notes of its events; those of what has no namespace are in `default`."""
        selection = f"involvedObject.kind=RestateCloudEnvironment,involvedObject.name={self.name}"
        found = self.get(f"/api/v1/namespaces/default/events?fieldSelector={selection}")["items"]
        return [item["message"] for item in found if not reason or item["reason"] == reason]
