#!/usr/bin/python3
"""What an API server accepts, refuses and stores with our CRDs: the same as with the reference's, case by case.

The cases are in tests/crd/cases, the reference's CRDs in tests/golden/crds. Needs the control plane only.
"""
import json
import os
import sys
import time
from pathlib import Path

import pytest
import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab  # noqa: E402
from labkit.client import MERGE  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SETS = {"reference": sorted(ROOT.glob("tests/golden/crds/*.json")), "ours": sorted(ROOT.glob("crds/*.yaml"))}
CASES = [case for file in sorted(ROOT.glob("tests/crd/cases/*.yaml")) for case in yaml.safe_load(file.read_text())]
REFUSED = (400, 422)


class Server:
    """An API server with one set of CRDs."""

    def __init__(self, lab, files):
        self.api = lab.api
        self.kinds = {}
        for file in files:
            self.install(yaml.safe_load(file.read_text()))

    def install(self, crd):
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}"
        self.api.request("DELETE", path)
        until(lambda: self.api.request("GET", path)[0] == 404)
        status, answer = self.api.request("POST", path.rpartition("/")[0], crd)
        assert status == 201, answer
        spec = crd["spec"]
        group, version = spec["group"], spec["versions"][0]["name"]
        namespace = "/namespaces/default" if spec["scope"] == "Namespaced" else ""
        collection = f"/apis/{group}/{version}{namespace}/{spec['names']['plural']}"
        until(lambda: self.api.request("GET", collection)[0] == 200)
        self.kinds[spec["names"]["kind"]] = (f"{group}/{version}", collection)

    def requests(self, number, case):
        """The requests of a case, as arguments of api.request."""
        api_version, collection = self.kinds[case["kind"]]
        wanted = {"apiVersion": api_version, "kind": case["kind"], **(case["create"] or {})}
        name = wanted.get("metadata", {}).get("name") or f"case-{number}"
        wanted["metadata"] = {**wanted.get("metadata", {}), "name": name}
        yield "POST", collection, wanted, 10, "application/json"
        if "update" in case:
            yield "PATCH", f"{collection}/{name}", case["update"], 10, MERGE
        if "status" in case:
            yield "PATCH", f"{collection}/{name}/status", case["status"], 10, MERGE

    def run(self, number, case):
        """The answers to all requests of a case; it ends with the first that is not taken."""
        answers = []
        for request in self.requests(number, case):
            answers.append(self.api.request(*request))
            if answers[-1][0] not in (200, 201):
                break
        return answers


def until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def answers():
    """Set -> answers to each case. One API server at a time has all kinds; the sets take turns."""
    lab = Lab(os.environ.get("LAB_NAME") or "crd", say=lambda text: None)
    lab.down()
    try:
        lab.up()
        found = {}
        for name, files in SETS.items():
            server = Server(lab, files)
            found[name] = [server.run(number, case) for number, case in enumerate(CASES)]
        yield found
    finally:
        lab.down()


def stored(answer):
    """What an accepted object holds, without what differs from object to object."""
    return {key: value for key, value in answer[1].items() if key != "metadata"}


def contains(found, wanted):
    """Whether an object has these members: deeply in objects, whole in lists; None: the member is not there."""
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        return found == wanted
    return all(key not in found if value is None else key in found and contains(found[key], value)
               for key, value in wanted.items())


@pytest.mark.parametrize("crds", SETS)
@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case['kind']}: {case['name']}" for case in CASES])
def test_the_verdict_is_that_of_the_table(answers, number, crds):
    case, found = CASES[number], answers[crds][number]
    *before, (status, answer) = found
    assert all(code in (200, 201) for code, _ in before), before
    assert len(found) == 1 + ("update" in case or "status" in case), found
    if case["expect"] == "refused":
        assert status in REFUSED, answer
        if crds == "ours":  # the reference's wording is its own
            assert case.get("message", "") in answer["message"]
    else:
        assert status in (200, 201), answer
        assert contains(answer, case.get("stored", {})), json.dumps(answer, indent=2)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case['kind']}: {case['name']}" for case in CASES])
def test_both_sets_store_the_same(answers, number):
    reference, ours = (answers[name][number][-1] for name in SETS)
    assert (reference[0] in REFUSED) == (ours[0] in REFUSED), (reference, ours)
    if reference[0] not in REFUSED:
        assert stored(ours) == stored(reference)


if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "no:cacheprovider", __file__, *sys.argv[1:]]))
