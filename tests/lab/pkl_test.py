"""The Pkl modules in pkl/ and the examples that amend them: they evaluate, refuse what the API server would refuse, and
the committed YAML is theirs. Without a cluster.
"""
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

sys.dont_write_bytecode = True  # nothing writes into the checkout

from labkit import binaries, examples, pkl  # noqa: E402: the bytecode first

ROOT = examples.DIRECTORY.parent
KINDS = sorted(path.stem for path in (ROOT / "pkl").glob("Restate*.pkl"))

GOOD = {
    "RestateDeployment": """
metadata { name = "a" }
spec {
  template { spec { containers { new { name = "a"; image = "a:1" } } } }
  restate { register { url = "http://restate:9070" } }
}
""",
    "RestateCluster": """
metadata { name = "a" }
spec { storage { storageRequestBytes = 1 } compute { image = "a:1" } }
""",
    "RestateCloudEnvironment": """
metadata { name = "a" }
spec {
  environmentId = "env_a"
  region = "us"
  signingPublicKey = "publickeyv1_a"
  authentication { secret { name = "a"; key = "b" } }
}
"""}

# What stands in the file, what is written there instead, and the field that Pkl names.
BAD = [
    ("RestateDeployment", 'spec {\n  template', "spec {\n  replicas = -1\n  template", "replicas"),
    ("RestateDeployment", 'spec {\n  template', 'spec {\n  replicas = "2"\n  template', "replicas"),
    ("RestateDeployment", 'spec {\n  template', "spec {\n  replicaz = 2\n  template", "replicaz"),
    ("RestateDeployment", 'spec {\n  template', 'spec {\n  deploymentMode = "Knative"\n  template', "deploymentMode"),
    ("RestateDeployment", 'spec {\n  template', 'spec {\n  knative { tag = "A_1" }\n  template', "tag"),
    ("RestateDeployment", 'name = "a" }\nspec', 'labels { ["a"] = 1 }; name = "a" }\nspec', "labels"),
    ("RestateDeployment", 'url = "http://restate:9070"', 'url = "http://a"; cluster = "a"', "register"),
    ("RestateDeployment", 'url = "http://restate:9070"', "", "register"),
    ("RestateDeployment", 'url = "http://restate:9070"', 'service { name = "a" }', "namespace"),
    ("RestateDeployment", 'url = "http://restate:9070"', 'service { name = "a"; namespace = "b"; port = 70000 }', "port"),
    ("RestateCluster", 'image = "a:1"', "", "image"),
    ("RestateCluster", 'image = "a:1"', 'image = "a:1"; affinity { nodeAffinities {} }', "nodeAffinities"),
    ("RestateCluster", 'image = "a:1"', 'image = "a:1"; tolerations { new { tolerationSeconds = "1" } }',
     "tolerationSeconds"),
    ("RestateCluster", 'name = "a"', f'name = "{"a" * 64}"', "name"),
    ("RestateCluster", 'name = "a"', 'name = "A"', "name"),
    ("RestateCluster", 'name = "a"', 'name = "a"; namespace = "b"', "namespace"),
    ("RestateCloudEnvironment", 'region = "us"', "", "region"),
    ("RestateCloudEnvironment", 'key = "b"', "", "key"),
]


@pytest.fixture
def evaluate(tmp_path):
    """Evaluates a text that amends the module of a kind."""
    def run(kind, text):
        file = tmp_path / "object.pkl"
        file.write_text(f'amends "{ROOT / "pkl" / kind}.pkl"\n{text}')
        return pkl.evaluate(file)
    return run


@pytest.mark.parametrize("module", ["Kubernetes", *KINDS])
def test_every_type_that_a_module_names_is_there(module, tmp_path):
    file = tmp_path / "types.pkl"
    file.write_text(f'import "pkl:reflect"\nimport "{ROOT / "pkl" / module}.pkl" as it\n'
                    "types = reflect.Module(it).classes.values.toList().flatMap((found) -> found.properties.values.toList())"
                    ".map((property) -> property.type).length\n")
    done = pkl.evaluate(file)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.rpartition("=")[2]) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_object_evaluates_to_an_object(kind, evaluate):
    done = evaluate(kind, GOOD[kind])
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load(done.stdout)
    assert made["kind"] == kind and made["apiVersion"].startswith("restate.dev/")
    assert made["metadata"] == {"name": "a"}
    assert None not in made["spec"].values()  # what is left out is not written


@pytest.mark.parametrize("kind, there, instead, field", BAD, ids=lambda value: re.sub(r"\W+", "-", str(value))[:40])
def test_a_mistake_is_refused_with_the_name_of_the_field(kind, there, instead, field, evaluate):
    assert GOOD[kind].count(there) == 1
    done = evaluate(kind, GOOD[kind].replace(there, instead))
    assert done.returncode != 0
    assert re.search(rf"\b{field}\b", done.stderr), done.stderr


def test_the_examples_are_what_their_modules_evaluate_to():
    for name, text in examples.evaluated().items():
        file = examples.DIRECTORY / name
        assert file.exists() and file.read_text() == text, (
            f"examples/{name} is stale: run `just generate-examples` and commit the result")


def test_no_example_is_left_of_a_module_that_is_gone():
    assert {path.name for path in examples.DIRECTORY.glob("*.yaml")} == set(examples.evaluated())


@pytest.mark.parametrize("path", sorted(examples.DIRECTORY.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_says_what_it_shows_and_what_to_change(path):
    comment = re.match(r"(#.*\n)+", path.read_text())
    assert comment and len(comment[0]) > 150, f"{path.name} begins with a comment that says what it shows"
    assert "# Change: " in comment[0], f"{path.name}: the comment says what to change"


def unknown(wanted, known, path=""):
    """The keys of a configuration that another one does not have."""
    for key, value in wanted.items():
        if key not in known:
            yield path + key
        elif isinstance(value, dict):
            yield from unknown(value, known[key], f"{path}{key}.")


@pytest.mark.parametrize("name", ["cluster-one-node.yaml", "cluster-three-nodes.yaml"])
def test_restate_knows_each_key_of_the_configuration(name, tmp_path):
    """It ignores what it does not know, so one asks it what it has understood."""
    item, = examples.files()[name]
    (tmp_path / "config.toml").write_text(item["spec"]["config"])
    server = binaries.node_modules() / "@restatedev/restate-server-linux-x64/bin/restate-server"
    dumped = subprocess.run([server, "--config-file", tmp_path / "config.toml", "--dump-config"], text=True,
                            capture_output=True, check=True, cwd=tmp_path).stdout
    assert list(unknown(tomllib.loads(item["spec"]["config"]), tomllib.loads(dumped))) == []
