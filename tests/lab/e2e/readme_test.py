"""README.md: whatever is a command there is run by a test. A block or a command that nobody has thought of fails."""
import os
import re
import subprocess

import pytest
import yaml

from labkit import examples, restate_operator

from .examples_test import Example
from .service import Service
from .waiting import eventually

ROOT = restate_operator.ROOT
README = (ROOT / "README.md").read_text()
PROGRAMS = r"\./justw|kubectl|restate-operator|kubectl-restate|helm|OPERATOR_NAMESPACE=\S+|podman"

# Each command of the README, without its comment -> the test that runs it: a file, or file::function.
TESTS = {
    "./justw demo": "tests/lab/demo_test.py::test_the_demo_shows_an_update_without_a_lost_call",
    "./justw test": "tests/run_test.py",  # it runs all tests, this one among them
    "./justw build": "tests/run_test.py",
    "helm dependency build charts/restate-operator-helm":
        "tests/lab/release_test.py::test_an_upgrade_from_the_commit_before_hands_over",
    "helm upgrade --install restate-operator charts/restate-operator-helm -n restate-operator --create-namespace "
    "--set image.repository=registry.example/restate-operator":
        "tests/lab/release_test.py::test_an_upgrade_from_the_commit_before_hands_over",
    "kubectl apply -f crds/": "tests/lab/e2e/readme_test.py::test_the_definitions_are_applied",
    "OPERATOR_NAMESPACE=default build/src/app/restate-operator":
        "tests/lab/e2e/readme_test.py::test_the_operator_starts_with_that_variable_alone",
    "kubectl get restatedeployments": "tests/lab/e2e/readme_test.py::test_kubectl_shows_how_far_it_is_and_why_it_waits",
    "kubectl describe": "tests/lab/e2e/readme_test.py::test_kubectl_shows_how_far_it_is_and_why_it_waits",
    "kubectl explain restatedeployment.spec": "tests/lab/e2e/readme_test.py::test_each_field_is_explained",
    "restate-operator render -f FILE": "tests/cli/render_test.cpp",
    "restate-operator diff -f FILE": "tests/lab/e2e/diff_test.py",
    "kubectl exec -i -n restate-operator deploy/restate-operator -- restate-operator diff -f - < FILE":
        "tests/lab/release_test.py::test_diff_in_its_pod_finds_no_difference",
    "kubectl restate status -A": "tests/lab/e2e/kubectl_restate_test.py::test_status_for_programs_is_the_same_tree",
    "kubectl restate why greeter": "tests/lab/e2e/kubectl_restate_test.py::test_it_changes_nothing",
    "kubectl restate wait greeter --for=drained --timeout=1h":
        "tests/lab/e2e/kubectl_restate_test.py::test_wait_ends_well_when_it_is_ready_drained_and_deleted",
    "restate-operator status": "tests/app/user_settings_test.cpp",
    "kubectl port-forward -n restate-operator deployment/restate-operator 8080":
        "tests/lab/release_test.py::test_its_page_is_reached_by_a_forwarded_port",
    "restate-operator --help": "tests/lab/e2e/readme_test.py::test_help_lists_all_settings",
}


def commands():
    """Lines of indented and of shell blocks, and code in the text that begins with a program's name."""
    text = re.sub(r"^```(?!sh|bash|console).*?^```$", "", README, flags=re.M | re.S)
    lines = [line.strip() for line in re.findall(r"^(?: {4}|\t)(\S.*)$", text, re.M)]
    for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", text, re.M | re.S):
        lines += [line.removeprefix("$ ").strip() for line in block.splitlines() if line.strip()]
    prose = re.sub(r"^(?: {4}|\t|```).*$", "", text, flags=re.M)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    lines += [span for span in spans if re.match(rf"(?:{PROGRAMS}) \S", span)]
    return list(dict.fromkeys(re.sub(r"\s+#.*$", "", line) for line in lines))


def yaml_blocks():
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", README, re.M | re.S)]


def test_every_command_has_its_test():
    found = commands()
    assert "kubectl apply -f crds/" in found and "kubectl explain restatedeployment.spec" in found
    assert [command for command in found if command not in TESTS] == [], "name the test that runs it in TESTS"


def test_no_test_is_named_for_a_command_that_is_gone():
    assert [command for command in TESTS if command not in commands()] == []


@pytest.mark.parametrize("test", sorted(set(TESTS.values())))
def test_the_named_tests_are_there(test):
    file, _, function = test.partition("::")
    assert ("TEST_CASE(" if file.endswith(".cpp") else f"def {function or 'test'}") in (ROOT / file).read_text()


def test_every_block_is_of_a_kind_that_is_looked_at():
    kinds = re.findall(r"^```(\w*)$", README, re.M)
    assert set(kinds) <= {"yaml", "sh", "bash", "console", ""}, "a new kind of block: have a test look at it"
    assert len(yaml_blocks()) == kinds.count("yaml")


def test_the_definitions_are_applied(lab):
    applied = lab.kubectl("apply", "-f", f"{ROOT / 'crds'}/", "--dry-run=server")
    assert len(applied.splitlines()) == 3 and "error" not in applied


def test_each_field_is_explained(lab, running):
    told = lab.kubectl("explain", "restatedeployment.spec")
    for field in ("replicas", "template", "restate", "selector"):
        assert re.search(rf"^  {field}\t", told, re.M), told
    assert "registered with Restate" in lab.kubectl("explain", "restatedeployment.spec.restate")


def test_help_lists_all_settings():
    told = subprocess.run([restate_operator.program(), "--help"], capture_output=True, text=True, check=True).stdout
    settings = (ROOT / "docs/settings.md").read_text()
    for flag in re.findall(r"^\| `(--[\w-]+)`", settings, re.M):
        assert flag in told


def test_the_operator_starts_with_that_variable_alone(lab, running, tmp_path):
    """With an administrator's kubeconfig, on another port, beside the one of these tests, and in no namespace."""
    environment = {"OPERATOR_NAMESPACE": "default", "OPERATOR_HTTP_PORT": "8097", "KUBECONFIG": str(lab.pki / "admin.kubeconfig"),
                   "OPERATOR_WATCH_NAMESPACES": "nobody"}
    with (tmp_path / "log").open("wb") as log:
        started = lab.popen([str(restate_operator.program())], dns=True, env=environment, stdout=log, stderr=log,
                            stdin=subprocess.DEVNULL)
    try:
        for path in ("/health", "/ready", "/metrics"):
            eventually(f"{path} answers", lambda path=path: (restate_operator.get(lab, path, 8097) or [0])[0] == 200,
                       told=(tmp_path / "log").read_text)
    finally:
        started.terminate()
        started.wait(20)


class Block(Example):
    """The object of the README, in a lab."""

    def __init__(self, lab, namespace):
        Service.__init__(self, lab, namespace, "greeter")
        self.handlers = "ReadmeGreeter"
        self.item, = examples.for_lab(yaml_blocks(), self.handlers)


@pytest.fixture
def block(lab, the_operator, namespace):
    made = Block(lab, namespace)
    yield made
    if made.object():
        made.leave()


def test_the_object_becomes_ready_and_answers(block):
    block.apply().works()


def test_kubectl_shows_how_far_it_is_and_why_it_waits(lab, block):
    block.item["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/none:1"
    block.apply()
    eventually("it says that it waits", lambda: block.condition()[1] == "ReplicaSetPodNotReady", told=block.status)
    row = lab.kubectl("get", "restatedeployments", "-n", block.namespace).splitlines()
    assert row[0].split()[:2] == ["NAME", "DESIRED"] and row[1].split()[:2] == ["greeter", "2"]
    told = lab.kubectl("describe", "restatedeployment", "greeter", "-n", block.namespace)
    assert "ReplicaSetPodNotReady" in told and "registry.example/none:1" in told


def test_files_that_it_names_are_there():
    for name in re.findall(r"`((?:[\w.-]+/)*[\w-]+\.md)`", README):
        assert (ROOT / name).exists(), name
    assert os.access(ROOT / "justw", os.X_OK)
