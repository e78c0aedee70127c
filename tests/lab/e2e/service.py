"""One SDK service of a test: a RestateDeployment in a namespace, seen through Kubernetes and through Restate."""
import json
import re

from labkit import greeter, restate, tap

from .custom_object import CustomObject
from .states import States
from .waiting import eventually

API = "/apis/restate.dev/v1beta1/namespaces"
DEPLOYMENT_ID = "restate.dev/deployment-id"
REMOVE_AT = "restate.dev/remove-version-at"


class Service(CustomObject):
    """Its versions are told apart by the greeting with which they answer."""

    def __init__(self, lab, namespace, name="greeter", restate_namespace="restate", **options):
        super().__init__(lab, f"{API}/{namespace}/restatedeployments/{name}")
        self.namespace = namespace
        self.restate_namespace = restate_namespace
        register = {"service": {"name": tap.NAME, "namespace": restate_namespace}}
        self.options = {"register": register, "drainDelaySeconds": 1, **options}
        # Unique in Restate, which keeps names that begin with its own for itself.
        self.handlers = "Lab" + "".join(part.title() for part in (*namespace.split("-"), *name.split("-")))
        self.known = set()  # approvals that were seen in the logs

    # Kubernetes.

    def manifest(self, greeting="v1", **changed):
        options = {**self.options, **changed}
        return greeter.restate_deployment(self.namespace, self.name, greeting, self.handlers, **options)

    def apply(self, greeting="v1", **changed):
        self.apply_body(self.manifest(greeting, **changed))
        return self

    def ready(self):
        """The deployment id with which the present generation is Ready."""
        status = super().ready()
        return status and status["deploymentId"]

    def until_ready(self, timeout=60):
        return eventually(f"{self.namespace}/{self.name} is Ready", self.ready, timeout, self.status)

    def suspend(self):
        super().suspend()
        eventually("it says that it is suspended", lambda: self.status().get("reconciliation") == "Disabled",
                   told=self.status)

    def replica_sets(self):
        items = self.get(f"/apis/apps/v1/namespaces/{self.namespace}/replicasets")["items"]
        return [item for item in items if any(owner["name"] == self.name and owner["kind"] == "RestateDeployment"
                                              for owner in item["metadata"].get("ownerReferences", []))]

    def version(self, greeting):
        """The ReplicaSet of the version that greets so."""
        for item in self.replica_sets():
            container = item["spec"]["template"]["spec"]["containers"][0]
            if any(variable["value"] == greeting for variable in container["env"]):
                return item
        return None

    def wanted_replicas(self, greeting):
        return self.version(greeting)["spec"]["replicas"]

    def until_scaled_to_zero(self, greeting, timeout=60):
        eventually(f"{self.namespace}/{self.name}: {greeting} is scaled to zero",
                   lambda: self.version(greeting)["status"]["replicas"] == 0, timeout, self.status)

    def told(self, greeting):
        """What the status says of a version; {} when nothing."""
        name = self.version(greeting)["metadata"]["name"]
        return next((found for found in self.status().get("versions", []) if found["name"] == name), {})

    def id_of(self, greeting):
        """The deployment id of a version, as written down on it."""
        return self.annotation(greeting, DEPLOYMENT_ID)

    def annotation(self, greeting, name):
        return (self.version(greeting) or {}).get("metadata", {}).get("annotations", {}).get(name)

    def pods(self, greeting):
        """Ready pods of a version; None when it is gone."""
        found = self.version(greeting)
        return found and found["status"].get("readyReplicas", 0)

    def kubernetes_service(self, greeting):
        return self.get(f"/api/v1/namespaces/{self.namespace}/services/{self.version(greeting)['metadata']['name']}")

    def events(self, reason):
        """The notes of the events with this reason, as kubectl shows them."""
        selection = f"fieldSelector=reason={reason},involvedObject.name={self.name}"
        found = self.get(f"/api/v1/namespaces/{self.namespace}/events?{selection}")
        return [item["message"] for item in found["items"]]

    def states(self):
        """Every state of the object that the API server passes through while the block runs."""
        return States(self.lab, self.path)

    def delete(self):
        """Asks for the deletion and does not wait."""
        status, answer = self.lab.api.request("DELETE", self.path)
        assert status == 200, answer

    def until_gone(self, timeout=60):
        eventually(f"{self.namespace}/{self.name} is gone", lambda: self.object() is None, timeout, self.status)

    # Restate.

    def call(self, handler, argument=None, timeout=30):
        return restate.call(self.lab, f"{self.handlers}/{handler}", argument, self.restate_namespace, timeout)

    def greet(self):
        """The greeting of the version that gets new calls."""
        return self.call("greet", "x").removesuffix(", x")

    def deployments(self):
        """What Restate has registered for this object."""
        uri = re.compile(f"http://{self.name}-[^.-]+[.]{self.namespace}[.]svc[.].*")
        return [found for found in self.admin("/deployments")["deployments"] if uri.fullmatch(found["uri"])]

    def registered(self):
        """Deployment ids that Restate has for this object."""
        return [found["id"] for found in self.deployments()]

    def latest(self):
        """Which deployment gets new calls, and how often one was made it; {} when Restate does not know the service."""
        found = self.admin(f"/services/{self.handlers}")
        return {name: found[name] for name in ("deployment_id", "revision") if name in found}

    def revision(self):
        """How often the service was registered, as Restate counts."""
        return self.latest()["revision"]

    def admin(self, path, method="GET", body=None):
        """What the admin API answers to the test itself, past the tap; {} for an empty answer."""
        address = restate.address(self.lab, self.restate_namespace)
        text = None if body is None else json.dumps(body)
        answer = self.lab.http(method, address, restate.PORTS["admin"], path, text, restate.JSON if body else None, 30)
        return json.loads(answer[1] or "{}")

    def deregister(self, deployment):
        """Somebody removes it from Restate."""
        self.admin(f"/deployments/{deployment}?force=true", "DELETE")
        eventually("it is no longer registered",
                   lambda: deployment not in [found["id"] for found in self.admin("/deployments")["deployments"]])

    def pin(self, greeting):
        """Starts a call that lasts until end() ends it; it is pinned to this version when this returns."""
        invocation = restate.send(self.lab, f"{self.handlers}/hold", namespace=self.restate_namespace)
        eventually("the call is pinned", lambda: self.pinned_to(invocation) == self.id_of(greeting), interval=0.3)
        return invocation

    def pinned_to(self, invocation):
        """The deployment of an unfinished invocation."""
        rows = restate.query(self.lab, "SELECT pinned_deployment_id FROM sys_invocation_status WHERE "
                             f"id = '{invocation}' AND status <> 'completed'", self.restate_namespace)
        return rows[0].get("pinned_deployment_id") if rows else None

    def end(self, invocation):
        """Ends it without an answer."""
        self.admin(f"/invocations/{invocation}/kill", "PATCH")

    def hold(self):
        """Starts a call that lasts until it is released; it is pinned when this returns."""
        invocation = restate.send(self.lab, f"{self.handlers}/hold", namespace=self.restate_namespace)
        approval = eventually("the call is held", self._announced,
                              told=lambda: self.lab.kubectl("get", "pods", "-n", self.namespace))
        self.known.add(approval)
        return Held(self, invocation, approval)

    def _announced(self):
        approvals = greeter.approvals(self.lab, self.namespace, self.name)
        return next((approval for approval in approvals if approval not in self.known), None)


class Held:
    """An invocation that is pinned to the version it began on."""

    def __init__(self, service, invocation, approval):
        self.service, self.invocation, self.approval = service, invocation, approval

    def pinned_to(self):
        return self.service.pinned_to(self.invocation)

    def end(self):
        """Ends it without an answer."""
        self.service.end(self.invocation)

    def release(self):
        """Lets it end and returns its answer."""
        self.service.call("release", self.approval)
        return self.answer()

    def answer(self):
        address = restate.address(self.service.lab, self.service.restate_namespace)
        path = f"/restate/invocation/{self.invocation}/attach"
        status, text = self.service.lab.http("GET", address, restate.PORTS["ingress"], path, timeout=60)
        return json.loads(text) if status == 200 else (status, text)
