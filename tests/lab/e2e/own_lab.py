"""A lab of a test file's own: for what would be in the way of the other tests, or they in its."""
import contextlib
import os

from labkit import Lab, restate_operator

from .conftest import PORT, rights
from .waiting import eventually


@contextlib.contextmanager
def operator_on(level, suffix, *objects, env=None):
    """An operator with the rights it needs, on a lab that `level` brings up; `objects` are there before it starts."""
    lab = Lab(f"{(os.environ.get('LAB_NAME') or 'e2e')[:14]}-{suffix}", say=lambda text: None)
    lab.down()
    operator = None
    try:
        level(lab)
        restate_operator.install_crds(lab)
        lab.apply(*rights(), *objects)
        account = lab.service_account_kubeconfig(restate_operator.NAMESPACE, "restate-operator")
        operator = restate_operator.Operator(lab, lab.directory / "log/operator.log", PORT,
                                             env={"KUBECONFIG": str(account), **(env or {})})
        operator.start()
        eventually("the operator is ready", operator.ready)
        yield operator
    finally:
        if operator:
            operator.kill()
        lab.down()
