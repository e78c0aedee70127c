"""The programs the lab takes from the machine, and the one line that says what to install when one is missing."""
import os
import shutil
from pathlib import Path

PACKAGES = {
    "ip": "iproute2", "nsenter": "util-linux", "openssl": "openssl", "npm": "npm", "gcc": "gcc libc6-dev",
    "containerd": "containerd", "ctr": "containerd", "runc": "runc", "iptables": "iptables",
    "busybox": "busybox-static", "ldd": "libc-bin", "lua5.4": "lua5.4",
}
CNI_DIRECTORY = Path("/usr/lib/cni")


class Missing(RuntimeError):
    pass


def require(*names):
    """Fails with one line when this is not root or a program is missing."""
    if os.geteuid():
        raise Missing("the lab makes network namespaces and containers: run it as root")
    packages = sorted({PACKAGES[name] for name in names if not find(name)})
    if packages:
        raise Missing(f"missing programs; install them with: apt-get install -y {' '.join(packages)}")


def require_cni():
    if not (CNI_DIRECTORY / "bridge").exists():
        raise Missing("missing CNI plugins; install them with: apt-get install -y containernetworking-plugins")


def search_path():
    """The caller's PATH and the system directories: /usr/sbin is often missing from it."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"])


def find(name):
    return shutil.which(name, path=search_path())
