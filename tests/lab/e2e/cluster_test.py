"""register.cluster: a version waits for its RestateCluster, and goes with it when that goes."""
import pytest

from .cluster import Cluster
from .service import Service
from .waiting import eventually


@pytest.fixture
def cluster(lab, the_operator):
    made = Cluster(lab, "regional")
    yield made
    made.delete()
    made.until_gone()


@pytest.fixture
def service(lab, the_operator, namespace, cluster):
    return Service(lab, namespace, restate_namespace=cluster.name, register={"cluster": cluster.name})


def pods_are_ready(service):
    return service.version("v1") and service.pods("v1") == 1


def test_a_version_waits_for_its_cluster(lab, service, cluster):
    service.apply("v1")
    message = service.until_condition("False", "InvalidRestateConfig")
    assert "spec.restate.register.cluster" in message and f"RestateCluster {cluster.name}" in message
    assert eventually("a Warning event", lambda: service.events("InvalidRestateConfig"))
    eventually("its pods run", lambda: pods_are_ready(service))
    pods = lab.kubectl("get", "pods", "-n", service.namespace, "-l", f"allow.restate.dev/{cluster.name}=true",
                       "-o", "name")
    assert len(pods.split()) == 1

    cluster.apply(compute={"replicas": 0})  # with a node it may be ready before anyone looks
    assert f"'{cluster.name}'" in service.until_condition("False", "ClusterNotReady", 10)
    cluster.apply(compute={"replicas": 1}).until_ready()
    eventually("it is registered", service.registered, told=service.status)
    deployment = service.until_ready(10)
    assert service.greet() == "v1"

    cluster.apply(compute={"replicas": 0})  # what is registered stays so
    cluster.until_condition("False", "ScaledToZero")
    service.apply("v2")
    service.until_condition("False", "ClusterNotReady")
    cluster.apply(compute={"replicas": 1}).until_ready()
    assert service.until_ready() != deployment
    assert service.greet() == "v2"
    service.delete()
    service.until_gone()
    assert service.registered() == []


def test_a_cluster_that_is_gone_holds_no_deletion_up(service, cluster):
    cluster.apply().until_ready()
    service.apply("v1").until_ready()
    cluster.delete()
    cluster.until_gone()
    service.delete()
    service.until_gone(15)
    eventually("nothing of it is left", lambda: not service.replica_sets())
