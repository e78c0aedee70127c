"""The programs the lab makes for itself: Kubernetes with etcd and CoreDNS, kwok, and Restate with the SDK."""
from pathlib import Path

from . import cache, go, tools

LAB = Path(__file__).resolve().parent.parent
KUBERNETES = "1.34.4"
COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
              "coredns"]


def kubernetes(say=print):
    """The directory with one link per component, all to the same program."""
    module = LAB / "kube"
    key = cache.digest(*(module / name for name in ("go.mod", "go.sum", "main.go")))

    def make(directory):
        version = "k8s.io/component-base/version"
        major, minor, _ = KUBERNETES.split(".")
        go.build(module, directory / "kube", say, ldflags=f"-s -w -X {version}.gitVersion=v{KUBERNETES} "
                 f"-X {version}.gitMajor={major} -X {version}.gitMinor={minor}")
        for component in COMPONENTS:
            (directory / component).symlink_to("kube")
    return cache.entry(f"kubernetes-{KUBERNETES}", key, make, say)


def kwok(say=print):
    module = LAB / "kwok"
    key = cache.digest(*(module / name for name in ("go.mod", "go.sum")))
    return cache.entry("kwok", key, lambda directory: go.build(
        module, directory / "kwok", say, package="sigs.k8s.io/kwok/cmd/kwok"), say) / "kwok"


def node_modules(say=print):
    """restate-server, restatectl, Node and the SDK, at the versions and checksums of the lock file."""
    source = LAB / "npm"
    files = [source / "package.json", source / "package-lock.json"]

    def make(directory):
        tools.require("npm")
        for file in files:
            (directory / file.name).write_bytes(file.read_bytes())
        cache.run("fetching Restate, Node and the SDK", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                  say, cwd=directory)
    return cache.entry("npm", cache.digest(*files), make, say) / "node_modules"
