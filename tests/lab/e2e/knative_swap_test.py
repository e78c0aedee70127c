"""S9 in Knative mode: Configurations and Routes as the reference operator made them, recorded, taken over on Knative's
real controllers without another Revision.
"""
import json
from pathlib import Path

import pytest

from labkit import knative as knative_level, restate_operator, tap
from labkit.client import MERGE

from .knative_service import KnativeService
from .service import API
from .waiting import Quiet, eventually

RECORDED = Path(__file__).resolve().parents[2] / "golden/objects"
KINDS = {"Configuration": "configurations", "Route": "routes"}
REGISTER = {"service": {"name": tap.NAME, "namespace": "restate"}}  # the recorded one leads nowhere
PORTS = ('"http1"', '"h2c"')  # recorded, and what the greeter speaks


def recorded(name, namespace):
    text = (RECORDED / f"{name}.json").read_text().replace(*PORTS).replace('"namespace": "default"',
                                                                          f'"namespace": "{namespace}"')
    found = json.loads(text)
    found["stored"]["spec"]["restate"]["register"] = REGISTER
    return found


def ask(lab, method, path, body, **options):
    status, answer = lab.api.request(method, path, body, **options)
    assert status in (200, 201), f"{method} {path}: {answer}"
    return answer


def restore(lab, found):
    """Puts the object and what was made of it there, each field owned by whom the recording says."""
    namespace = found["cr"]["metadata"]["namespace"]
    metadata = {**found["cr"]["metadata"], "finalizers": found["stored"]["finalizers"]}
    made = {**found["cr"], "metadata": metadata, "spec": found["stored"]["spec"]}
    owners = {"RestateDeployment": ask(lab, "POST", f"{API}/{namespace}/restatedeployments", made)["metadata"]["uid"]}
    for item in found["objects"]:
        restore_one(lab, item, owners, f"{knative_level.API}/namespaces/{namespace}/{KINDS[item['kind']]}")


def restore_one(lab, item, owners, collection):
    fields = item["metadata"].pop("managedFields")
    owner, = item["metadata"]["ownerReferences"]
    owner["uid"] = owners[owner["kind"]]
    for entry in fields:
        entry["time"] = "2026-01-01T00:00:00Z"
        entry["fieldsV1"]["f:metadata"]["f:ownerReferences"] = {f'k:{{"uid":"{owner["uid"]}"}}': {}}
    created = ask(lab, "POST", collection, item)
    owners[item["kind"]] = created["metadata"]["uid"]
    ask(lab, "PATCH", f"{collection}/{item['metadata']['name']}", {"metadata": {"managedFields": fields}},
        content_type=MERGE)


@pytest.fixture
def taken(knative, running, namespace):
    """The recorded objects, there before the operator is."""
    found = recorded("kn-tag", namespace)
    running.end()
    try:
        restore(knative, found)
        service = KnativeService(knative, namespace, "kn-tag", register=REGISTER)
        eventually("Knative serves it", lambda: conditions(service.route("kn-tag-stable")).get("Ready") == "True", 120)
        service.before = identities(service)
    finally:
        running.start()
        eventually("the operator is ready", running.ready)
    return service


def let_go(service):
    """Without the recorded delay of five minutes."""
    service.patch({"metadata": {"finalizers": None}})
    service.delete()


def conditions(found):
    return {c["type"]: c["status"] for c in found.get("status", {}).get("conditions", [])}


def identities(service):
    """What must stay: the objects, what they ask for, and all Revisions."""
    objects = [service.tagged("stable"), service.route("kn-tag-stable"), *service.list("revisions").values()]
    return [(item["metadata"]["name"], item["metadata"]["uid"], item["metadata"]["generation"], item["spec"])
            for item in objects]


def test_s9_a_recorded_configuration_is_taken_over(knative, taken):
    deployment = taken.until_ready(90)
    assert identities(taken) == taken.before
    assert list(taken.uris().values()) == [deployment]
    quiet = Quiet(knative, restate_operator.AGENT, taken.namespace)
    quiet.until_quiet()
    assert quiet.writes() == []
    let_go(taken)


def test_s9_the_name_of_a_version_without_a_tag_is_the_same(knative, running, namespace):
    """The reference named it, and asked for spec.knative then."""
    found = recorded("kn-min", namespace)
    unchanged = json.loads((RECORDED / "kn-min.json").read_text())["stored"]["spec"]
    ask(knative, "POST", f"{API}/{namespace}/restatedeployments", {**found["cr"], "spec": unchanged})
    service = KnativeService(knative, namespace, "kn-min")
    eventually("it has a Configuration", lambda: list(service.configurations()) ==
               [found["status"]["knative"]["configurationName"]], told=service.status)
    let_go(service)
