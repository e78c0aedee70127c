"""What a user sees of a drain: status.versions, and how soon it is decided after the last invocation."""
import json
import time

from .service import REMOVE_AT
from .waiting import eventually

SOON = 10  # seconds; the exact figure is a benchmark's


def shown(lab, service, greeting):
    """(phase, replicas, deployment id, unfinished invocations, removal time) as kubectl prints them."""
    name = service.version(greeting)["metadata"]["name"]
    fields = ["phase", "replicas", "deploymentId", "invocations", "removedAt"]
    path = "|".join(f"{{.status.versions[?(@.name=='{name}')].{field}}}" for field in fields)
    texts = lab.kubectl("get", "rsd", service.name, "-n", service.namespace, "-o", f"jsonpath={path}").split("|")
    phase, replicas, deployment, invocations, removal = texts
    return phase, int(replicas or -1), deployment, sum(json.loads(invocations or "{}").values()), removal


def test_each_version_says_what_it_does(lab, service):
    service.apply("v1", replicas=2, drainDelaySeconds=20)
    first = service.until_ready()
    eventually("version 1 is the current one", lambda: shown(lab, service, "v1") == ("Current", 2, first, 0, ""))
    calls = [service.hold(), service.hold()]
    service.apply("v2", replicas=2, drainDelaySeconds=20)
    second = service.until_ready()
    eventually("version 1 drains", lambda: shown(lab, service, "v1") == ("Draining", 2, first, 2, ""),
               told=service.status)
    assert shown(lab, service, "v2") == ("Current", 2, second, 0, "")
    assert [version["name"] for version in service.status()["versions"]] == [
        service.version(greeting)["metadata"]["name"] for greeting in ("v2", "v1")]
    oldest = service.told("v1")["oldestInvocation"]
    assert service.told("v1")["images"] == ["docker.io/lab/greeter:1"] and oldest

    calls[0].release()
    eventually("one is left", lambda: shown(lab, service, "v1")[3] == 1, told=service.status)
    assert service.annotation("v1", REMOVE_AT) is None
    calls[1].release()
    removal = eventually("a removal time is set", lambda: service.annotation("v1", REMOVE_AT), SOON)
    eventually("the status says so", lambda: (shown(lab, service, "v1")[0], shown(lab, service, "v1")[4][:19]) ==
               ("Drained", removal[:19]), told=service.status)
    eventually("it is kept without pods", lambda: shown(lab, service, "v1")[:4] == ("Drained", 0, first, 0),
               told=service.status)

    service.patch({"spec": {"revisionHistoryLimit": 0}})
    eventually("it is kept no longer", lambda: len(service.status()["versions"]) == 1, told=service.status)
    assert service.version("v1") is None and service.registered() == [second]


def test_a_version_without_work_leaves_after_the_drain_delay(service):
    service.apply("v1", drainDelaySeconds=5)
    service.until_ready()
    held = service.hold()
    service.apply("v2", drainDelaySeconds=5)
    service.until_ready()
    held.release()
    ended = time.monotonic()
    service.until_scaled_to_zero("v1", 5 + SOON + 5)
    assert time.monotonic() - ended >= 5


def test_a_delay_beyond_all_dates_is_cut(service):
    forever = 2 ** 63 - 1
    service.apply("v1", drainDelaySeconds=forever)
    service.until_ready()
    service.apply("v2", drainDelaySeconds=forever)
    service.until_ready()
    removal = eventually("a removal time is set", lambda: service.annotation("v1", REMOVE_AT))
    years = int(removal[:4]) - time.gmtime().tm_year
    assert removal[4] == "-" and 9 <= years <= 11
