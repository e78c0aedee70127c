"""The programs the lab makes for itself: Kubernetes with etcd and CoreDNS, kwok, Knative, and Restate with the SDK."""
import shutil
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
        module, directory / "kwok", say, "sigs.k8s.io/kwok/cmd/kwok"), say) / "kwok"


SERVING, NETWORKING, CACHING = "knative.dev/serving", "knative.dev/networking", "knative.dev/caching"
KNATIVE_PROGRAMS = ["controller", "autoscaler", "webhook", "activator", "queue"]
KNATIVE_FILES = [  # where they go, whose they are, which
    ("crds", SERVING, "config/core/300-resources/*.yaml"),
    ("crds", NETWORKING, "config/ingress.yaml"), ("crds", NETWORKING, "config/serverlessservice.yaml"),
    ("crds", NETWORKING, "config/certificate.yaml"), ("crds", NETWORKING, "config/domain-claim.yaml"),
    ("crds", CACHING, "config/image.yaml"),
    ("configmaps", SERVING, "config/core/configmaps/*.yaml"), ("configmaps", NETWORKING, "config/config-network.yaml"),
    ("webhooks", SERVING, "config/core/webhooks/*.yaml")]


def knative(say=print):
    """A directory with Knative's programs and the lab's ingress for it (bin), and the objects that they need."""
    module = LAB / "knative"
    key = cache.digest(*(module / name for name in ("go.mod", "go.sum", "main.go")), KNATIVE_FILES)

    def make(directory):
        programs = directory / "bin"
        programs.mkdir()
        go.build(module, programs / "gateway", say)
        go.build(module, programs, say, *(f"{SERVING}/cmd/{program}" for program in KNATIVE_PROGRAMS))
        for kind, dependency, pattern in KNATIVE_FILES:
            (directory / kind).mkdir(exist_ok=True)
            for file in go.sources(module, dependency, say).glob(pattern):
                shutil.copyfile(file, directory / kind / file.name)
    return cache.entry("knative", key, make, say)


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
