"""A service of a test in Knative mode: its versions are Configurations with Routes, and Knative runs the pods."""
from labkit import greeter, knative

from .service import DEPLOYMENT_ID, Service
from .waiting import eventually

MODE = "knative"
TAG = "restate.dev/tag"
HOST = "svc.cluster.local"


class KnativeService(Service):
    """Its versions are told apart by the greeting with which they answer, as those of a Service."""

    def __init__(self, lab, namespace, name="greeter", timeout=5, **options):
        super().__init__(lab, namespace, name, **{"limit": 0, **options})
        self.timeout = timeout  # seconds; also how long its pods take to end

    def manifest(self, greeting="v1", knative=None, **changed):
        """`knative` becomes spec.knative, which is not there without it."""
        made = super().manifest(greeting, **changed)
        spec = made["spec"]
        labels = {"app": self.name}
        spec.update(deploymentMode=MODE, template=greeter.knative_template(
            labels, greeting, self.handlers, timeout=self.timeout))
        del spec["replicas"]
        if knative is not None:
            spec["knative"] = knative
        return made

    def list(self, kind):
        """Objects of Knative's in the namespace: name -> object."""
        items = self.get(f"{knative.API}/namespaces/{self.namespace}/{kind}")["items"]
        return {item["metadata"]["name"]: item for item in items}

    def configurations(self):
        return {name: item for name, item in self.list("configurations").items()
                if any(owner["name"] == self.name for owner in item["metadata"].get("ownerReferences", []))}

    def version(self, greeting):
        """The Configuration of the version that greets so."""
        return next((item for item in self.configurations().values() if greeting_of(item) == greeting), None)

    def tagged(self, tag):
        """The Configuration with a tag."""
        return self.configurations().get(f"{self.name}-{tag}")

    def route(self, name):
        return self.get(f"{knative.API}/namespaces/{self.namespace}/routes/{name}")

    def revisions(self, name):
        """Those of a Configuration, oldest first."""
        found = [item for item in self.list("revisions").values()
                 if item["metadata"]["labels"]["serving.knative.dev/configuration"] == name]
        return sorted(found, key=lambda item: int(
            item["metadata"]["labels"]["serving.knative.dev/configurationGeneration"]))

    def pods_of(self, revision):
        """The pods of a Revision that are not about to end."""
        selection = f"labelSelector=serving.knative.dev/revision={revision}"
        items = self.get(f"/api/v1/namespaces/{self.namespace}/pods?{selection}")["items"]
        return [item for item in items if "deletionTimestamp" not in item["metadata"]]

    def uris(self):
        """What is registered: uri -> deployment id."""
        return {found["uri"]: found["id"] for found in self.deployments()}

    def uri(self, name, path=""):
        """Where Restate reaches the version with this name."""
        return f"http://{name}.{self.namespace}.{HOST}/{path}"

    def until_gone_from_knative(self, name, timeout=60):
        """Configuration and Route; the pods end slowly, and the Configuration is there until they have."""
        eventually(f"{name} is gone", lambda: name not in self.list("configurations"), timeout,
                   lambda: self.list("configurations").get(name))
        eventually(f"the Route {name} is gone", lambda: self.route(name) is None, timeout)

    def id_of(self, greeting):
        return ((self.version(greeting) or {}).get("metadata", {}).get("annotations", {})).get(DEPLOYMENT_ID)


def greeting_of(item):
    container = item["spec"]["template"]["spec"]["containers"][0]
    return next(variable["value"] for variable in container["env"] if variable["name"] == "GREETING")
