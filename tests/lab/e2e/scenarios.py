"""What an operator may be killed in: what is there before, what somebody asks for, and how one sees that it is done."""
from dataclasses import dataclass
from typing import Callable

from .waiting import eventually


@dataclass
class Scenario:
    name: str
    prepare: Callable  # each takes the Service
    act: Callable
    done: Callable
    options: dict


def nothing(service):
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
