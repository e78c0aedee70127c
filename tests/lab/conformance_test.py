"""The API conformance cases of kube_test on a real kube-apiserver.

The same cases run on the fake API server in the unit tests; where the two differ, the fake is wrong.
"""
import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
KUBE_TEST = Path(os.environ.get("RESTATE_KUBE_TEST") or ROOT / "build/tests/kube/kube_test")
SUITE = ["--test-suite=conformance", "--reporters=xml"]


def names():
    """Of all cases; one that says what is missing when there is no program to ask."""
    if not KUBE_TEST.exists():
        return ["kube_test is built"]
    listing = subprocess.run([KUBE_TEST, *SUITE, "--list-test-cases"], text=True, capture_output=True, check=True).stdout
    return [case.get("name") for case in xml.fromstring(listing).iter("TestCase")]


def problems(case):
    """What failed in a case, a line each."""
    if case.find("OverallResultsAsserts").get("test_case_success") == "true":
        return []
    found = [f"{node.get('filename')}:{node.get('line')} " + "; ".join(f"{part.tag}: {(part.text or '').strip()}" for part in node)
             for tag in ("Expression", "Message", "Exception") for node in case.iter(tag) if node.get("success") != "true"]
    return found or ["failed without a word"]


@pytest.fixture(scope="module")
def results():
    """Case name -> problems, of one run of all cases."""
    assert KUBE_TEST.exists(), f"{KUBE_TEST} is missing; make it with: just build"
    lab = Lab(os.environ.get("LAB_NAME") or "conformance", say=lambda text: None)
    lab.down()
    try:
        lab.up()
        done = lab.exec([KUBE_TEST, *SUITE], timeout=300, text=True, capture_output=True,
                        env={"RESTATE_LAB_KUBECONFIG": str(lab.kubeconfig)})
    finally:
        lab.down()
    return {case.get("name"): problems(case) for case in xml.fromstring(done.stdout).iter("TestCase")
            if case.find("OverallResultsAsserts") is not None}


@pytest.mark.parametrize("name", names())
def test_on_a_real_api_server(results, name):
    assert name in results, "the case did not run"
    assert not results[name], "\n".join(results[name])
