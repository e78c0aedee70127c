"""register.cluster: a version waits for its RestateCluster. No controller of clusters runs here: the test is it."""
import pytest

from .service import MERGE, Service
from .waiting import eventually

CLUSTERS = "/apis/restate.dev/v1/restateclusters"


class Cluster:
    """A RestateCluster named as the lab's namespace of Restate, which is thereby where one of that name would run."""
    name = "restate"

    def __init__(self, lab):
        self.api = lab.api

    def create(self):
        body = {"apiVersion": "restate.dev/v1", "kind": "RestateCluster", "metadata": {"name": self.name},
                "spec": {"compute": {"image": "restate"}, "storage": {"storageRequestBytes": 1 << 30}}}
        status, answer = self.api.request("POST", CLUSTERS, body)
        assert status == 201, answer

    def say_ready(self, value):
        condition = {"type": "Ready", "status": value, "reason": "Test", "message": "", "lastTransitionTime":
                     "2026-01-01T00:00:00Z"}
        status, answer = self.api.request("PATCH", f"{CLUSTERS}/{self.name}/status",
                                          {"status": {"conditions": [condition]}}, content_type=MERGE)
        assert status == 200, answer

    def delete(self):
        self.api.request("DELETE", f"{CLUSTERS}/{self.name}")
        eventually("the RestateCluster is gone", lambda: self.api.request("GET", f"{CLUSTERS}/{self.name}")[0] == 404)


@pytest.fixture
def cluster(lab):
    made = Cluster(lab)
    yield made
    made.delete()


@pytest.fixture
def service(lab, the_operator, namespace):
    return Service(lab, namespace, register={"cluster": Cluster.name})


def pods_are_ready(service):
    return service.version("v1") and service.pods("v1") == 1


def test_a_version_waits_for_its_cluster(lab, service, cluster):
    service.apply("v1")
    message = service.until_condition("False", "InvalidRestateConfig")
    assert "spec.restate.register.cluster" in message and "RestateCluster restate" in message
    assert eventually("a Warning event", lambda: service.events("InvalidRestateConfig"))
    eventually("its pods run", lambda: pods_are_ready(service))
    pods = lab.kubectl("get", "pods", "-n", service.namespace, "-l", "allow.restate.dev/restate=true", "-o", "name")
    assert len(pods.split()) == 1

    cluster.create()
    assert "'restate'" in service.until_condition("False", "ClusterNotReady", 10)
    cluster.say_ready("False")
    assert service.condition()[1] == "ClusterNotReady" and service.registered() == []
    cluster.say_ready("True")
    eventually("it is registered", service.registered, 5, service.status)
    deployment = service.until_ready(10)
    assert service.greet() == "v1"

    cluster.say_ready("False")  # what is registered stays so
    service.apply("v2")
    service.until_condition("False", "ClusterNotReady")
    assert service.greet() == "v1"
    cluster.say_ready("True")
    assert service.until_ready() != deployment
    assert service.greet() == "v2"
    service.delete()
    service.until_gone()
    assert service.registered() == []


def test_a_cluster_that_is_gone_holds_no_deletion_up(service, cluster):
    cluster.create()
    cluster.say_ready("True")
    service.apply("v1").until_ready()
    cluster.delete()
    service.delete()
    service.until_gone(15)
    eventually("nothing of it is left", lambda: not service.replica_sets())
