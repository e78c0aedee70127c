"""Helm, which renders and installs the charts."""
from . import binaries, cache, go

MODULE = binaries.LAB / "helm"


def program(say=print):
    """Built to believe, where it sees no cluster, that there is one of the lab's version."""
    major, minor, _ = binaries.KUBERNETES.split(".")
    kubernetes = " ".join(f"-X helm.sh/helm/v3/pkg/{package}.k8sVersion{part}={number}"
                          for package in ("chartutil", "lint/rules")
                          for part, number in (("Major", major), ("Minor", minor)))
    key = cache.digest(*(MODULE / name for name in ("go.mod", "go.sum")), kubernetes)
    return cache.entry("helm", key, lambda directory: go.build(
        MODULE, directory / "helm", say, "helm.sh/helm/v3/cmd/helm", ldflags=f"-s -w {kubernetes}"), say) / "helm"
