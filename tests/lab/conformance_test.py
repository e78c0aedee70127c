"""The API conformance cases of kube_test on a real kube-apiserver.

The same cases run on the fake API server in the unit tests; where the two differ, the fake is wrong.
"""
import os
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab, doctests  # noqa: E402

CASES = doctests.Program("kube_test", "RESTATE_KUBE_TEST", "--test-suite=conformance")


@pytest.fixture(scope="module")
def results():
    """Of one run of all cases."""
    CASES.require()
    lab = Lab(os.environ.get("LAB_NAME") or "conformance", say=lambda text: None)
    lab.down()
    try:
        lab.up()
        return CASES.results(lab, {"RESTATE_LAB_KUBECONFIG": str(lab.kubeconfig)})
    finally:
        lab.down()


@pytest.mark.parametrize("name", CASES.names())
def test_on_a_real_api_server(results, name):
    doctests.assert_passed(results, name)
