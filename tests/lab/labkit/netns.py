"""The lab's network namespace: its processes see one another and nothing outside, and no two labs collide."""
import contextlib
import ctypes
import os
import subprocess
from pathlib import Path

from . import tools

NODE_ADDRESS = "172.30.0.1"  # the node, the API server and the DNS server; the same in every lab
CLONE_NEWNET = 0x40000000


def name_of(lab_name):
    return f"restate-lab-{lab_name}"


def path_of(lab_name):
    return Path("/run/netns") / name_of(lab_name)


def exists(lab_name):
    return name_of(lab_name) in _names()


def _names():
    return [line.split()[0] for line in _ip("netns", "list").splitlines() if line]


def _ip(*arguments):
    done = subprocess.run([tools.find("ip"), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def create(lab_name):
    """Makes the namespace with a node address and a default route that leads nowhere.

    The address sits on a veth pair with both ends inside, because a kernel without modules may have no dummy device.
    The default route is needed because kube-proxy's rules only see packets that have a route to begin with.
    """
    if exists(lab_name):
        return False
    name = name_of(lab_name)
    _ip("netns", "add", name)
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "link", "add", "node0", "type", "veth", "peer", "name", "node0p")
    _ip("-n", name, "addr", "add", f"{NODE_ADDRESS}/24", "dev", "node0")
    _ip("-n", name, "link", "set", "node0", "up")
    _ip("-n", name, "link", "set", "node0p", "up")
    _ip("-n", name, "route", "add", "default", "via", "172.30.0.254", "dev", "node0")
    with inside(lab_name):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    return True


def create_inner(lab_name, part, number):
    """Makes a namespace for a part that wants ports of its own: a link leads to the lab's, over which everything goes."""
    outer, name, link = name_of(lab_name), inner_name(lab_name, part), f"inner{number}"
    if name in _names() and _ip("-n", name, "route", "show", "default"):
        return False
    _delete(name)  # one whose maker was killed
    if f"{link}@" in _ip("-n", outer, "link"):
        _ip("-n", outer, "link", "delete", link)
    _ip("netns", "add", name)
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", outer, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("-n", outer, "addr", "add", f"{inner_address(number, 1)}/24", "dev", link)
    _ip("-n", outer, "link", "set", link, "up")
    _ip("-n", name, "addr", "add", f"{inner_address(number)}/24", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "route", "add", "default", "via", inner_address(number, 1))  # the last: it is complete then
    return True


def inner_name(lab_name, part):
    return f"{name_of(lab_name)}.{part}"  # no lab's name has a dot


def inner_address(number, host=2):
    return f"172.31.{number}.{host}"


def inner(lab_name):
    """The names of the namespaces beside the lab's own, also of half-made ones."""
    return sorted(path.name for path in path_of(lab_name).parent.glob(f"{name_of(lab_name)}.*"))


def remove(lab_name):
    for name in (*inner(lab_name), name_of(lab_name)):
        _delete(name)


def _delete(name):
    path = path_of("").with_name(name)
    if name in _names():
        _ip("netns", "delete", name)
    elif path.exists():  # killed between making the file and mounting the namespace on it
        path.unlink()


def enter(lab_name, part=None):
    """The command prefix that runs a program inside, or in the namespace of a part.

    Not `ip netns exec`: that mounts a fresh /sys over the old one, and the cgroup mounts below it are lost.
    """
    path = path_of(lab_name)
    return ["nsenter", f"--net={path.with_name(inner_name(lab_name, part)) if part else path}"]


@contextlib.contextmanager
def inside(lab_name):
    """Moves the calling thread, and only it, into the namespace; a socket made meanwhile stays there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(path_of(lab_name), os.O_RDONLY)
    try:
        _setns(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(there)
        os.close(home)


def _setns(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


def processes(lab_name):
    """The pids of the processes that are in the lab's namespaces."""
    names = {name_of(lab_name), *inner(lab_name)}.intersection(_names())
    return [int(pid) for name in names for pid in _ip("netns", "pids", name).split()]
