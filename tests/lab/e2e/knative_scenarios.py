"""As scenarios.py, in Knative mode."""
from .end_state import knative_state
from .knative_service import KnativeService
from .scenarios import Scenario, a_service, latest, nothing, removed

PATIENCE = 120  # seconds; several pods of two containers begin at once


def a_knative_service(run, options):
    return a_service(run, options, KnativeService)


def tagged(greeting, tag):
    """An action that asks for a version with a tag. A pod each, so that no count depends on what is idle when."""
    return lambda service: service.apply(greeting, knative={"tag": tag, "minScale": 1})


def tagged_and_ready(service):
    tagged("v1", "blue")(service)
    service.until_ready(PATIENCE)


def tagged_at_work(service):
    tagged_and_ready(service)
    service.held = service.pin("v1")


def removed_from_knative(service):
    return removed(service) and not service.configurations() and not service.list("routes")


def settled_in_knative(service, greeting):
    """The latest one serves, and its pod is counted."""
    return latest(service, greeting) and service.status()["readyReplicas"] == 1


def of_knative(name, prepare, act, done):
    return Scenario(name, prepare, act, done, {"limit": 1}, a_knative_service, knative_state)


KNATIVE_SCENARIOS = [
    of_knative("knative-deletion", tagged_and_ready, lambda service: service.delete(),
               removed_from_knative),
    of_knative("knative-tag", tagged_at_work, tagged("v2", "green"),
               lambda service: settled_in_knative(service, "v2") and service.tagged("blue")),
    of_knative("knative-create", nothing, tagged("v1", "blue"),
               lambda service: settled_in_knative(service, "v1")),
]
