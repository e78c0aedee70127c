"""The examples on a real API server with the real operator: as they are, every field is known; with the lab's image and
small requests they converge, answer, and are healthy to Argo CD and Flux.
"""
import copy

import pytest
import yaml

from labkit import cloud as stand_in, examples, gitops, netns, object_store
from labkit.client import APPLY

from .cluster import Cluster
from .service import Service
from .waiting import eventually

pytestmark = pytest.mark.long
OURS = {"RestateCluster": "/apis/restate.dev/v1/restateclusters",
        "RestateCloudEnvironment": "/apis/restate.dev/v1beta1/restatecloudenvironments",
        "RestateDeployment": "/apis/restate.dev/v1beta1/namespaces/{namespace}/restatedeployments"}
FILES = {path: items for path, items in examples.files().items() if "/" not in path}
TOKEN = "key_of-the-example"


def path_of(item, namespace="default"):
    return f"{OURS[item['kind']].format(namespace=namespace)}/{item['metadata']['name']}"


def apply(lab, item, namespace="default", query=""):
    path = f"{path_of(item, namespace)}?fieldManager=examples&force=true&fieldValidation=Strict{query}"
    return lab.api.request("PATCH", path, item, content_type=APPLY)


def judged_healthy(item):
    assert gitops.argo_health(item)[0] == "Healthy", item["status"]
    assert gitops.flux_status(item) == "Current", item["status"]


@pytest.mark.parametrize("name", FILES)
def test_the_api_server_takes_it_as_it_is(lab, running, name):
    assert FILES[name]
    for item in FILES[name]:
        status, answer = apply(lab, item, query="&dryRun=All")
        assert status in (200, 201), answer


def test_a_field_that_is_not_there_would_be_seen(lab, running):
    item = copy.deepcopy(FILES["service-url.yaml"][0])
    item["spec"]["restate"]["drainDelaySecond"] = 1
    status, answer = apply(lab, item, query="&dryRun=All")
    assert status == 400 or status == 422 or status == 500, answer
    assert "drainDelaySecond" in answer["message"]


class Example(Service):
    """The RestateDeployment of an example, in a lab."""

    def __init__(self, lab, namespace, file, restate_namespace="restate"):
        title = "".join(part.title() for part in file.removesuffix(".yaml").split("-"))
        found = examples.for_lab(FILES[file], f"Example{title}")
        self.item, = (item for item in found if item["kind"] == "RestateDeployment")
        super().__init__(lab, namespace, self.item["metadata"]["name"], restate_namespace)
        self.handlers = f"Example{title}"

    def apply(self, **spec):
        self.item["spec"].update(spec)
        status, answer = apply(self.lab, self.item, self.namespace)
        assert status in (200, 201), answer
        return self

    def works(self, timeout=90):
        """Ready, healthy, and answers."""
        self.until_ready(timeout)
        judged_healthy(self.object())
        assert self.greet() == "Hello"

    def leave(self):
        """Does not wait out the drain delay."""
        self.patch({"spec": {"restate": {"deletePolicy": "force"}}})
        self.delete()
        self.until_gone()


@pytest.fixture
def example(lab, the_operator, namespace):
    """Makes a service from an example, and removes it."""
    made = []

    def make(*arguments):
        made.append(Example(lab, namespace, *arguments))
        return made[-1]
    yield make
    for service in made:
        if service.object():
            service.leave()


@pytest.fixture
def cluster(lab, the_operator):
    """Makes a RestateCluster from an example, and removes it."""
    made = []

    def make(item):
        made.append(Cluster(lab, item["metadata"]["name"]))
        status, answer = apply(lab, item)
        assert status in (200, 201), answer
        return made[-1]
    yield make
    for found in made:
        found.delete()
        found.until_gone()


def test_a_cluster_of_one_node_and_a_service_that_registers_with_it(lab, cluster, example):
    """The cluster as it is: its image is that of the lab."""
    service = example("service-cluster.yaml", "restate-one").apply()
    assert "restate-one" in service.until_condition("False", "InvalidRestateConfig")  # the cluster is not there yet
    assert gitops.argo_health(service.object())[0] == "Progressing"
    lab.kubectl("apply", "-f", str(examples.DIRECTORY / "cluster-one-node.yaml"))  # as docs/install.md says
    one = cluster(FILES["cluster-one-node.yaml"][0])
    lab.kubectl("wait", "restatecluster/restate-one", "--for=condition=Ready", "--timeout=3m", timeout=200)
    judged_healthy(one.object())
    service.works()
    service.leave()


@pytest.fixture
def store(lab):
    started = object_store.Store(lab, netns.NODE_ADDRESS)
    yield started
    started.stop()


def test_a_cluster_of_three_nodes_keeps_snapshots_in_an_object_store(lab, cluster, store):
    item, = examples.for_lab(FILES["cluster-three-nodes.yaml"], "")
    item["spec"]["config"] += f'aws-endpoint-url = "http://{store.address}:{object_store.PORT}"\naws-allow-http = true\n'
    item["spec"]["security"] = {"networkEgressRules": [{"to": [{"ipBlock": {"cidr": f"{store.address}/32"}}]}]}
    three = cluster(item)
    # As the comment at the top of the example says: the credentials go into the cluster's namespace.
    eventually("the cluster's namespace is there", lambda: three.get(f"/api/v1/namespaces/{three.name}"))
    assert "snapshots" in eventually("it says what its pods wait for", lambda: "secret" in three.condition()[2] and
                                     three.condition()[2], told=three.status)
    lab.kubectl("create", "secret", "generic", "snapshots", "-n", three.name, "--from-literal=secret-access-key=any",
                f"--from-literal=access-key-id={object_store.ACCESS_KEY}")
    three.until_ready(400)  # three servers start at once
    assert three.status()["readyReplicas"] == 3
    judged_healthy(three.object())
    lab.kubectl("exec", "-n", three.name, "restate-0", "--", "restatectl", "snapshots", "create-snapshot")
    eventually("a snapshot is in the store", lambda: [key for key in store.keys("restate-snapshots") if
               key.startswith("restate-three/") and key.endswith("/latest.json")])


@pytest.mark.parametrize("file", ["service-service.yaml", "service-url.yaml"])
def test_it_registers(example, file):
    service = example(file).apply()
    service.works()
    service.apply(replicas=0)
    service.apply(template={**service.item["spec"]["template"], "metadata": {
        "labels": {**service.item["spec"]["template"]["metadata"]["labels"], "version": "2"}}})
    service.until_condition("False", "ScaledToZero")
    assert gitops.argo_health(service.object())[0] == "Suspended"
    assert gitops.flux_status(service.object()) == "Current"


def test_a_mistake_is_degraded(example):
    service = example("service-url.yaml")
    service.item["spec"]["restate"]["register"]["url"] = "ftp://restate"
    service.apply()
    service.until_condition("False", "InvalidRestateConfig")
    assert gitops.argo_health(service.object())[0] == "Degraded"
    assert gitops.flux_status(service.object()) == "Failed"


def test_a_service_in_knative_mode(knative, example):
    example("service-knative.yaml").apply().works(120)


def test_restate_cloud(lab, running, admin_log, example):
    """Its tunnel pods are not: their image is not in the lab."""
    environment, _ = copy.deepcopy(FILES["cloud.yaml"])
    assert {name: environment["spec"][name] for name in stand_in.ENVIRONMENT} == stand_in.ENVIRONMENT
    environment["spec"]["tunnel"]["replicas"] = 0
    cloud = stand_in.Cloud(lab, admin_log, TOKEN)
    try:
        status, answer = apply(lab, environment)
        assert status in (200, 201), answer
        service = example("cloud.yaml").apply()
        service.until_condition("False", "SecretNotFound")
        assert gitops.argo_health(service.object())[0] == "Degraded"
        # As the comment at the top of the example says.
        lab.kubectl("create", "secret", "generic", "restate-cloud", "-n", "restate-operator",
                    f"--from-literal=token={TOKEN}")
        service.works()
        service.leave()
    finally:
        cloud.stop()
        lab.kubectl("delete", "restatecloudenvironment", "cloud", "--ignore-not-found")
        lab.kubectl("delete", "secret", "restate-cloud", "-n", "restate-operator", "--ignore-not-found")


def test_the_settings_of_argo_cd_are_a_config_map(lab):
    text = (examples.DIRECTORY / gitops.ARGO).read_text()
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    try:
        lab.kubectl("apply", "-f", str(examples.DIRECTORY / gitops.ARGO))
        stored = yaml.safe_load(lab.kubectl("get", "configmap", "argocd-cm", "-n", "argocd", "-o", "yaml"))
        assert stored["data"] == yaml.safe_load(text)["data"]
    finally:
        lab.kubectl("delete", "namespace", "argocd", "--wait=false")
