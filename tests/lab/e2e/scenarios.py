"""What an operator may be killed in: what is there before, what somebody asks for, and how one sees that it is done."""
from dataclasses import dataclass
from typing import Callable

from labkit import clusters, storage

from . import namespaces
from .cloud import DIGEST, Environment
from .cluster import ABSENCE, Absence, Cluster
from .end_state import cluster_state, end_state, environment_state
from .service import Service
from .waiting import eventually

RESTART = 10  # seconds that an operator may take to go on where another one was killed


@dataclass
class Scenario:
    name: str
    prepare: Callable  # each takes the subject: a Service, or what `make` makes
    act: Callable
    done: Callable
    options: dict
    make: Callable = None  # takes the run and the options
    state: Callable = end_state
    clean_up: Callable = None

    def __post_init__(self):
        self.make, self.clean_up = self.make or a_service, self.clean_up or end_service


def a_service(run, options, kind=Service):
    namespaces.make(run.lab, run.name)
    register = {"url": f"http://{run.proxies[1].address}:{run.proxies[1].port}"}
    return kind(run.lab, run.name, register=register, **{"drainDelaySeconds": 0, **options})


def end_service(service):
    if held := getattr(service, "held", None):
        service.end(held)
    if service.object():
        service.patch({"metadata": {"finalizers": None}})
    namespaces.clear(service.lab, service.namespace)


def nothing(subject):
    pass


def one_version_at_work(service):
    """Version 1 with a call that lasts."""
    service.apply("v1").until_ready()
    service.held = service.pin("v1")


def two_versions_of_which_one_drains(service):
    one_version_at_work(service)
    service.apply("v2").until_ready()


def two_versions_of_which_one_is_retired(service):
    service.apply("v1").until_ready()
    service.apply("v2").until_ready()
    eventually("version 1 is scaled to zero", lambda: service.version("v1")["status"]["replicas"] == 0, interval=0.3)


def latest(service, greeting):
    """Ready, and new calls go to this version."""
    return service.ready() and service.ready() == service.id_of(greeting) == service.latest()["deployment_id"]


def removed(service):
    return service.object() is None and not service.replica_sets() and not service.deployments()


def rolled_back(service):
    return latest(service, "v1") and service.version("v2")["status"]["replicas"] == 0


SCENARIOS = [  # the long ones first
    Scenario("drain", two_versions_of_which_one_drains, lambda service: service.end(service.held),
             lambda service: latest(service, "v2") and not service.version("v1") and len(service.deployments()) == 1,
             {"limit": 0}),
    Scenario("deletion", two_versions_of_which_one_is_retired, lambda service: service.delete(), removed, {}),
    Scenario("rollback", two_versions_of_which_one_is_retired, lambda service: service.apply("v1"), rolled_back, {}),
    Scenario("rollback-to-work", two_versions_of_which_one_drains, lambda service: service.apply("v1"), rolled_back,
             {}),
    Scenario("rollout", one_version_at_work, lambda service: service.apply("v2"),
             lambda service: latest(service, "v2") and service.pods("v1") == 1, {}),
    Scenario("forced-deletion", one_version_at_work, lambda service: service.delete(), removed,
             {"deletePolicy": "force"}),
    Scenario("first-deploy", nothing, lambda service: service.apply("v1"),
             lambda service: latest(service, "v1"), {}),
]


def a_cluster(run, options):
    return Cluster(run.lab, run.name, **options)


def end_cluster(cluster):
    if absence := getattr(cluster, "absence", None):
        absence.stop()
    if cluster.object():
        cluster.patch({"metadata": {"finalizers": None}})
    cluster.leave()


def ready_cluster(cluster):
    cluster.apply().until_ready()


def cluster_of_plain_volumes(cluster):
    cluster.lab.apply(storage.FAST)
    ready_cluster(cluster)


def cluster_is_up(cluster):
    return cluster.ready() and cluster.status().get("provisioned")


def with_new_volumes(**change):
    """An action by which the StatefulSet is replaced; from then on it is watched."""
    def act(cluster):
        cluster.before, cluster.absence = cluster.uids(), Absence(cluster).start()
        cluster.apply(**change)
    return act


def pods_stayed(cluster):
    assert cluster.uids() == cluster.before, "pods were made anew"
    limit = ABSENCE + RESTART  # the operator may be killed between
    assert cluster.absence.longest < limit, f"the StatefulSet was away for {cluster.absence.longest} s"
    return True


def has_grown(cluster):
    claims = cluster.list("persistentvolumeclaims").values()
    return pods_stayed(cluster) and cluster_is_up(cluster) and all(
        claim["status"].get("capacity", {}).get("storage") == str(2 * clusters.SIZE) for claim in claims)


def has_another_class(cluster):
    claims = cluster.list("persistentvolumeclaims").values()
    stateful_set = cluster.stateful_set()
    return (pods_stayed(cluster) and cluster_is_up(cluster) and stateful_set and
            stateful_set["spec"]["volumeClaimTemplates"][0]["spec"].get("volumeAttributesClassName") == "fast" and
            all(claim["status"].get("currentVolumeAttributesClassName") == "fast" for claim in claims))


def has_rolled(cluster):
    stateful_set = cluster.stateful_set()
    return (cluster_is_up(cluster) and len(cluster.list("configmaps")) == 2 and
            stateful_set["status"].get("currentRevision") == stateful_set["status"]["updateRevision"])


def is_gone(cluster):
    return not cluster.object() and not cluster.get(f"/api/v1/namespaces/{cluster.name}")


def of_cluster(name, prepare, act, done):
    return Scenario(name, prepare, act, done, {}, a_cluster, cluster_state, end_cluster)


CLUSTER_SCENARIOS = [
    of_cluster("configure", ready_cluster, lambda cluster: cluster.apply(config="\n# another\n"), has_rolled),
    of_cluster("create", lambda cluster: None, lambda cluster: cluster.apply(), cluster_is_up),
    of_cluster("grow", ready_cluster, with_new_volumes(size=2 * clusters.SIZE), has_grown),
    of_cluster("class-change", cluster_of_plain_volumes, with_new_volumes(volume_class="fast"), has_another_class),
    of_cluster("remove", ready_cluster, lambda cluster: cluster.delete(), is_gone),
]


def an_environment(run, options):
    """Without pods: their names are other ones in every run."""
    return Environment(run.lab, run.name, replicas=0, **options).set_token("token-1")


def end_environment(environment):
    environment.delete()
    if environment.object():
        environment.patch({"metadata": {"finalizers": None}})
    environment.remove_secret()


def environment_is_up(environment):
    return environment.up() and environment.child("deployments") and environment.child("services")


def ready_environment(environment):
    environment.apply().until_up()


def has_another_token(environment):
    return environment_is_up(environment) and DIGEST in environment.template()["metadata"].get("annotations", {})


def has_no_tunnel(environment):
    return not environment.object() and not environment.child("deployments") and not environment.child("services")


def of_environment(name, prepare, act, done):
    return Scenario(name, prepare, act, done, {}, an_environment, environment_state, end_environment)


ENVIRONMENT_SCENARIOS = [
    of_environment("tunnel-create", nothing, lambda environment: environment.apply(), environment_is_up),
    of_environment("tunnel-token", ready_environment, lambda environment: environment.set_token("token-2"),
                   has_another_token),
    of_environment("tunnel-delete", ready_environment, lambda environment: environment.delete(), has_no_tunnel),
]
