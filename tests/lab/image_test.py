"""The operator's image: what is in it, and that it needs nothing else."""
import os
import re
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout

from labkit import images, restate_operator, tools  # noqa: E402: the bytecode first

LIMIT = 60e6  # bytes
USER = "65532"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Its archive and, beside it, the files that it holds."""
    return images.operator(restate_operator.program(), "test", tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def root(image):
    return image.parent / "operator-root"


def run(root, *command):
    """With nothing but the image's files, as the image's user."""
    done = subprocess.run([tools.find("chroot"), f"--userspec={USER}:{USER}", root, *command], capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_small(image):
    assert image.stat().st_size < LIMIT


def test_it_runs_on_nothing_else_and_not_as_root(root):
    chart = (restate_operator.ROOT / "charts/restate-operator-helm/Chart.yaml").read_text()
    assert run(root, "/usr/bin/restate-operator", "version").strip() == re.search('appVersion: "?([^"\n]*)', chart)[1]
    assert "status" in run(root, "/usr/bin/kubectl-restate", "--help")


def test_its_program_has_no_symbols_and_they_are_kept(image, root):
    program = root / "usr/bin/restate-operator"
    identity = re.search("Build ID: ([0-9a-f]+)", readelf("--notes", program))[1]
    assert ".symtab" not in readelf("--sections", program)
    symbols = image.parent / f"operator-debug/usr/lib/debug/.build-id/{identity[:2]}/{identity[2:]}.debug"
    assert ".debug_info" in readelf("--sections", symbols)


def test_its_program_is_hardened(root):
    program = root / "usr/bin/restate-operator"
    flags = readelf("--dynamic", program)
    assert "PIE" in flags and "NOW" in flags
    assert "GNU_RELRO" in readelf("--segments", program)
    assert re.search(r"GNU_STACK.* RW  ", readelf("--segments", program)), "an executable stack"


def test_it_has_a_licence_for_each_library(root):
    assert (root / "usr/share/doc/restate-operator/LICENSE").exists()
    assert {"libc6", "libssl3", "libcpprest2.10"} <= {path.parent.name for path in root.glob("usr/share/doc/*/copyright")}


def test_nothing_in_it_can_be_written_by_its_user(root):
    mine = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]
    assert mine == []


def test_the_containerfile_installs_what_justw_does():
    """Two lists of packages, of which one must not forget what the other has learnt."""
    containerfile = (restate_operator.ROOT / "Containerfile").read_text()
    there = set(re.search(r"--no-install-recommends \\\n(.*?)\nCOPY", containerfile, re.S)[1].replace("\\", "").split())
    listed = re.search(r"^packages=\((.*?)^\)", (restate_operator.ROOT / "justw").read_text(), re.S | re.M)[1]
    known = {word for line in listed.splitlines() for word in line.partition("#")[0].split()}
    assert there <= known
    assert {name for name in known if name.endswith("-dev")} - there == {"libclang-rt-14-dev"}


def readelf(*arguments):
    return subprocess.run(["readelf", "--wide", *arguments], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout
