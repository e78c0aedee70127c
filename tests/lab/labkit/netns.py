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
    return name_of(lab_name) in (line.split()[0] for line in _ip("netns", "list").splitlines() if line)


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


def remove(lab_name):
    if exists(lab_name):
        _ip("netns", "delete", name_of(lab_name))
    elif path_of(lab_name).exists():  # killed between making the file and mounting the namespace on it
        path_of(lab_name).unlink()


def enter(lab_name):
    """The command prefix that runs a program inside.

    Not `ip netns exec`: that mounts a fresh /sys over the old one, and the cgroup mounts below it are lost.
    """
    return ["nsenter", f"--net={path_of(lab_name)}"]


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
    """The pids of the processes that are in the namespace."""
    return [int(pid) for pid in _ip("netns", "pids", name_of(lab_name)).split()] if exists(lab_name) else []
