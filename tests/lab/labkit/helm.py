"""Helm, which renders and installs the charts."""
import os
import shutil
import subprocess
from pathlib import Path

from . import binaries, cache, containerd, go, images, restate_operator

MODULE = binaries.LAB / "helm"
SOURCES = restate_operator.ROOT / "charts"
CRDS, OPERATOR = "restate-operator-crds", "restate-operator-helm"
RELEASE = "restate-operator"


def program(say=print):
    """Built to believe, where it sees no cluster, that there is one of the lab's version."""
    major, minor, _ = binaries.KUBERNETES.split(".")
    kubernetes = " ".join(f"-X helm.sh/helm/v3/pkg/{package}.k8sVersion{part}={number}"
                          for package in ("chartutil", "lint/rules")
                          for part, number in (("Major", major), ("Minor", minor)))
    key = cache.digest(*(MODULE / name for name in ("go.mod", "go.sum")), kubernetes)
    return cache.entry("helm", key, lambda directory: go.build(
        MODULE, directory / "helm", say, "helm.sh/helm/v3/cmd/helm", ldflags=f"-s -w {kubernetes}"), say) / "helm"


def charts(directory, sources=SOURCES):
    """A copy of both charts, the one with the other in it: nothing writes into the checkout. Returns their directory."""
    directory = Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    for name in (CRDS, OPERATOR):
        shutil.copytree(Path(sources) / name, directory / name)
    done = run(directory, "dependency", "build", directory / OPERATOR)
    if done.returncode:
        raise RuntimeError(f"helm dependency build: {done.stderr.strip()}")
    return directory


def run(home, *arguments):
    """Where there is no cluster. `home` is where Helm keeps its files."""
    return subprocess.run([program(), *map(str, arguments)], env={**os.environ, **environment(home)}, capture_output=True,
                          text=True)


def in_lab(lab, namespace, *arguments):
    """What Helm says, at the lab's API server."""
    command = [program(lab.say), *map(str, arguments), "--namespace", namespace]
    done = lab.exec(command, env=environment(lab.directory / "helm"), text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"helm {' '.join(command[1:])}: {done.stderr.strip()}")
    return done.stdout


def image_values(lab, tag=None):
    """Makes the image of the program that is to be tried, brings it to the node, and returns the values that name it.

    Without a tag it is made of the program, so that another one is another version.
    """
    program_file = restate_operator.program()
    tag = tag or cache.digest(program_file)
    containerd.load(lab.directory, images.operator(program_file, tag, lab.directory))
    return ["--set", f"image.repository={images.OPERATOR},version={tag}"]


def environment(home):
    """Variables that keep Helm's files in one place."""
    return {f"HELM_{kind}_HOME": str(Path(home) / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
