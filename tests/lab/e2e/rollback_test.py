"""Back to an earlier version: Restate sends new work there again, and no work is lost on the way."""
import json

from .service import REMOVE_AT
from .waiting import eventually, throughout


def assert_served_by(service, greeting):
    """What Restate does, and what the object says of it, at this moment."""
    deployment = service.id_of(greeting)
    assert service.latest()["deployment_id"] == deployment
    assert service.greet() == greeting
    assert service.ready() == deployment and service.condition()[1] == "Deployed"
    assert service.annotation(greeting, REMOVE_AT) is None


def forced(admin_log, service):
    """The uris that the operator registered by force."""
    bodies = [json.loads(write.body) for write in admin_log.writes if write.method == "POST" and write.acknowledged]
    return [body["uri"] for body in bodies if body["force"] and f".{service.namespace}.svc." in body["uri"]]


def test_back_to_a_version_that_has_left(service, admin_log):
    service.apply("v1")
    first = service.until_ready()
    version = service.version("v1")["metadata"]
    service.apply("v2")
    second = service.until_ready()
    service.until_scaled_to_zero("v1")
    assert_served_by(service, "v2")
    assert forced(admin_log, service) == []

    service.apply("v1")
    assert service.until_ready() == first
    assert_served_by(service, "v1")
    assert service.version("v1")["metadata"]["uid"] == version["uid"]
    assert service.pods("v1") == 1
    assert [uri.split("//")[1].split(".")[0] for uri in forced(admin_log, service)] == [version["name"]]
    promoted = eventually("an event says so", lambda: service.events("Promoted"))
    assert len(promoted) == 1 and first in promoted[0] and second in promoted[0]

    service.until_scaled_to_zero("v2")
    assert sorted(service.registered()) == sorted([first, second])
    assert_served_by(service, "v1")


def test_back_to_a_version_that_still_works(service):
    service.apply("v1")
    first = service.until_ready()
    held = service.hold()
    with throughout("version 1 keeps its pod", lambda: service.pods("v1") == 1):
        service.apply("v2")
        service.until_ready()
        assert_served_by(service, "v2")
        assert held.pinned_to() == first
        service.apply("v1")
        assert service.until_ready() == first
        assert_served_by(service, "v1")
        assert held.pinned_to() == first
        service.until_scaled_to_zero("v2")
        assert held.release() == "v1"


def test_back_from_a_version_that_still_works(service):
    service.apply("v1")
    first = service.until_ready()
    service.apply("v2")
    second = service.until_ready()
    held = service.hold()
    assert held.pinned_to() == second
    with throughout("version 2 keeps its pod", lambda: service.pods("v2") == 1):
        service.apply("v1")
        assert service.until_ready() == first
        assert_served_by(service, "v1")
        eventually("the status says that version 2 drains", lambda: service.told("v2").get("phase") == "Draining")
        assert held.pinned_to() == second
        assert held.release() == "v2"
    service.until_scaled_to_zero("v2")
    assert_served_by(service, "v1")


def test_back_to_a_version_whose_removal_is_set(service):
    service.apply("v1", drainDelaySeconds=600)
    first = service.until_ready()
    service.apply("v2", drainDelaySeconds=600)
    service.until_ready()
    eventually("version 1 has a removal time", lambda: service.annotation("v1", REMOVE_AT))
    service.apply("v1", drainDelaySeconds=600)
    assert service.until_ready() == first
    assert_served_by(service, "v1")
    eventually("version 2 has a removal time instead", lambda: service.annotation("v2", REMOVE_AT))
