"""One node with Restate and the operator for all tests here; the operator has the rights it needs and no more.

RESTATE_LAB_KEEP=1 leaves the lab up, and finds it up the next time: for work on these tests, after a run that passed.
"""
import contextlib
import os
import re
import sys

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout

from labkit import Lab, clusters, restate_operator, safety, tap  # noqa: E402: the bytecode first

from . import namespaces  # noqa: E402
from .service import Service  # noqa: E402
from .waiting import eventually  # noqa: E402

KEEP = os.environ.get("RESTATE_LAB_KEEP")
LOG_LINES = 60
PORT = 8090


def rights():
    """What the operator may do. Namespaced writes in all namespaces: RestateDeployments live anywhere."""
    def rule(group, resources, *verbs):
        return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
    subject = {"kind": "ServiceAccount", "name": "restate-operator", "namespace": restate_operator.NAMESPACE}
    in_its_namespace = {"name": subject["name"], "namespace": subject["namespace"]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": restate_operator.NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount",
         "metadata": {"name": subject["name"], "namespace": restate_operator.NAMESPACE}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": subject["name"]},
         "rules": [
             rule("restate.dev", ["restatedeployments"], "get", "list", "watch", "patch"),
             rule("restate.dev", ["restatedeployments/status"], "patch"),
             # An owner reference with blockOwnerDeletion asks for this where the admission plugin is on.
             rule("restate.dev", ["restatedeployments/finalizers"], "update"),
             rule("restate.dev", ["restateclusters"], "get", "list", "watch", "patch"),
             rule("restate.dev", ["restateclusters/status"], "patch"),
             rule("restate.dev", ["restateclusters/finalizers"], "update"),
             rule("restate.dev", ["restatecloudenvironments"], "get", "list", "watch", "patch"),
             rule("restate.dev", ["restatecloudenvironments/status"], "patch"),
             rule("restate.dev", ["restatecloudenvironments/finalizers"], "update"),
             rule("apiextensions.k8s.io", ["customresourcedefinitions"], "list", "watch"),
             rule("", ["namespaces", "serviceaccounts"], "get", "list", "watch", "create", "patch"),
             rule("", ["configmaps"], "get", "list", "watch", "create", "patch", "delete"),
             rule("", ["persistentvolumeclaims"], "get", "list", "watch", "patch"),
             rule("", ["pods"], "list", "watch"),
             rule("apps", ["statefulsets"], "get", "list", "watch", "create", "patch", "delete"),
             rule("apps", ["controllerrevisions"], "list", "watch"),
             rule("policy", ["poddisruptionbudgets"], "get", "list", "watch", "create", "patch"),
             rule("networking.k8s.io", ["networkpolicies"], "get", "list", "watch", "create", "patch", "delete"),
             rule("autoscaling", ["horizontalpodautoscalers"], "get", "list", "watch", "create", "patch", "delete"),
             rule("apps", ["replicasets"], "get", "list", "watch", "create", "patch", "delete"),
             rule("apps", ["replicasets/scale"], "patch"),
             rule("serving.knative.dev", ["configurations"], "get", "list", "watch", "create", "patch", "delete"),
             rule("serving.knative.dev", ["routes"], "get", "list", "watch", "create", "patch"),
             rule("serving.knative.dev", ["configurations/finalizers"], "update"),
             rule("serving.knative.dev", ["revisions"], "list", "watch"),
             rule("", ["services"], "get", "list", "watch", "create", "patch"),
             rule("events.k8s.io", ["events"], "create", "patch")]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
         "metadata": {"name": subject["name"]},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": subject["name"]},
         "subjects": [subject]},
        # Of its own namespace alone: tunnels, and the tokens that they carry.
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": in_its_namespace,
         "rules": [rule("apps", ["deployments"], "get", "list", "watch", "create", "patch"),
                   rule("", ["secrets"], "get", "list", "watch")]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": in_its_namespace,
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": subject["name"]},
         "subjects": [subject]}]


@pytest.fixture(scope="package")
def lab():
    found = Lab(os.environ.get("LAB_NAME") or "e2e", say=lambda text: None)
    if not KEEP:
        found.down()
    try:
        found.node(audit=safety.AUDIT)
        found.restate()
        if KEEP:
            forget_earlier_runs(found)
        restate_operator.install_crds(found)
        found.apply(*rights(), *clusters.PROBE_SOON)
        yield found
    finally:
        if not KEEP:
            found.down()


@pytest.fixture(scope="package")
def knative(lab):
    """Knative Serving on that node, from the first test that needs it."""
    lab.knative()
    return lab


def forget_earlier_runs(lab):
    """Ends a demo's operator and gives Restate an empty memory."""
    lab.stop("operator")
    lab.kubectl("delete", "pod", "restate-0", "-n", "restate")
    lab.restate()


@pytest.fixture(scope="package")
def admin_log(lab):
    """All writes at the admin API, from a tap in front of it."""
    log = tap.Log()
    started = tap.start(lab, log)
    eventually("the tap leads to Restate", lambda: tap.answers(lab))
    yield log
    started.stop()


@pytest.fixture(scope="package")
def checker(lab, admin_log):
    """Whether the operator took something from a version that had work; asked after each test and at the end."""
    made = safety.Checker(lab, admin_log)
    yield made
    assert not made.check()


@pytest.fixture(autouse=True)
def safe(request):
    """No test that has the operator ends with a violation, whatever it is about."""
    if "running" not in request.fixturenames:
        yield
        return
    checker = request.getfixturevalue("checker")
    yield
    assert not checker.check()


@pytest.fixture(scope="package")
def account(lab):
    """A kubeconfig with the operator's rights."""
    return lab.service_account_kubeconfig(restate_operator.NAMESPACE, "restate-operator")


@pytest.fixture(scope="package")
def running(lab, account, admin_log):
    """The operator that all tests share. A test that kills it starts it again."""
    log = lab.directory / "log/operator-e2e.log"
    started = restate_operator.Operator(lab, log, PORT, env={"KUBECONFIG": str(account), "SSL_CERT_FILE": str(lab.pki / "ca.crt")})
    log.unlink(missing_ok=True)
    started.start()
    try:
        eventually("the operator is ready", started.ready)
        yield started
    finally:
        started.kill()


@pytest.fixture
def the_operator(running):
    """The same, with a look at whether it lived through the test."""
    with living(running):
        yield running


@contextlib.contextmanager
def living(operator):
    """Fails where it ended meanwhile, and starts it again: the next test is not to suffer."""
    yield
    alive = operator.alive()
    if not alive:
        operator.start()
    assert alive, "the operator ended during the test"


@pytest.fixture
def namespace(lab, request):
    """A namespace of the test's own."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:40].strip("-")
    namespaces.make(lab, name)
    yield name
    namespaces.clear(lab, name)


@pytest.fixture
def service(lab, the_operator, namespace):
    """A service that the test applies."""
    return Service(lab, namespace)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    fixtures = getattr(item, "funcargs", {}).values()
    operators = {id(value): value for value in fixtures if isinstance(value, restate_operator.Operator)}
    if report.failed:
        for found in operators.values():
            lines = found.log.read_text(errors="replace").splitlines()[-LOG_LINES:] if found.log.exists() else []
            report.sections.append((f"end of the operator's log {found.log}", "\n".join(lines)))
