"""The admin client's cases of real_restate_test on a running Restate, with two versions of an SDK service to register."""
import os
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab, doctests, greeter, restate  # noqa: E402

CASES = doctests.Program("admin/real_restate_test", "RESTATE_REAL_RESTATE_TEST")
NAMESPACE = "restate"
VERSIONS = ("v1", "v2")


def variables(lab):
    """What the program asks for; names resolve for Restate, the addresses are for the program beside it."""
    host = restate.address(lab, NAMESPACE)
    uris = [f"http://{name}.{NAMESPACE}.svc.cluster.local:{greeter.PORT}" for name in VERSIONS]
    return {"RESTATE_LAB_ADMIN_URL": f"http://{host}:{restate.PORTS['admin']}",
            "RESTATE_LAB_INGRESS_URL": f"http://{host}:{restate.PORTS['ingress']}",
            "RESTATE_LAB_NODE": f"{host}:{restate.PORTS['node']}",
            "RESTATE_LAB_SERVICE_URIS": ",".join(uris)}


@pytest.fixture(scope="module")
def results():
    """Of one run of all cases."""
    CASES.require()
    lab = Lab(os.environ.get("LAB_NAME") or "real-restate", say=lambda text: None)
    lab.down()
    try:
        lab.node()
        lab.restate(NAMESPACE)
        for name in VERSIONS:
            lab.apply(*greeter.objects(NAMESPACE, name, greeting=name))
        for name in VERSIONS:
            lab.kubectl("rollout", "status", f"deployment/{name}", "-n", NAMESPACE, "--timeout=60s")
        return CASES.results(lab, variables(lab))
    finally:
        lab.down()


@pytest.mark.parametrize("name", CASES.names())
def test_on_a_real_restate(results, name):
    doctests.assert_passed(results, name)
