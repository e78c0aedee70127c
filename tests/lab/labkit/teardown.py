"""Takes a lab down, whatever state it is in: nothing here relies on the lab tool having ended in good order.

The order matters. What restarts other things goes first (kubelet, then containerd and its shims), then the containers,
then the mounts, then the directory; the other way round things come back or are busy.
"""
import ctypes
import os
import re
import shutil
import socket
import time
from pathlib import Path

from . import cgroups, netns, process

FIRST = ["kubelet", "storage", "kwok", "containerd"]


def run(lab):
    if not lab.directory.exists() and not netns.exists(lab.name):
        lab.say("not there, nothing to do")
        return
    begin = time.monotonic()
    running = process.names(lab.directory)
    for part in [*(p for p in FIRST if p in running), *(p for p in running if p not in FIRST)]:
        process.stop(lab.directory, part)
    sockets = shim_sockets(lab)
    for find in (lambda: shims(lab), lambda: process.marked(lab.directory), lambda: cgroups.processes(lab.name),
                 lambda: inhabitants(lab)):
        end_all(find)
    unmount_below(lab.directory)
    netns.remove(lab.name)
    cgroups.remove(lab.name)
    for leftover in [*sockets, *log_links(lab), *cni_results(lab)]:
        leftover.unlink(missing_ok=True)
    remove_plugin_socket()
    shutil.rmtree(lab.directory)
    lab.say(f"down, {time.monotonic() - begin:.1f} s")


def end_all(find):
    """Ends what `find` returns until it returns nothing: a process may have started another one meanwhile."""
    for _ in range(50):
        pids = find()
        if not pids:
            return
        process.end(pids)
    raise RuntimeError(f"processes do not end: {pids}")


def shims(lab):
    """The shims of this lab's containerd: each names its socket on the command line."""
    address = str(lab.directory / "containerd.sock").encode()
    found = []
    for pid in process.all_pids():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"containerd-shim" in arguments[0] and address in arguments:
            found.append(pid)
    return found


def inhabitants(lab):
    """Whatever else runs in the lab's network, such as a test's operator, except who asks for the end."""
    spared = process.lineage()
    return [pid for pid in netns.processes(lab.name) if pid not in spared]


def shim_sockets(lab):
    """Where the shims listened: outside the lab's directory, at a path each has written down inside."""
    bundles = (lab.directory / "containerd" / "state").glob("io.containerd.runtime.v2.task/*/*/address")
    addresses = [bundle.read_text() for bundle in bundles]
    return [Path(address.removeprefix("unix://")) for address in addresses if address.startswith("unix:///run/")]


def log_links(lab):
    """kubelet keeps links to container logs in a fixed place; only those into this lab are ours."""
    links = Path("/var/log/containers")
    prefix = f"{lab.directory}/"
    return [link for link in links.iterdir() if link.is_symlink() and os.readlink(link).startswith(prefix)] \
        if links.is_dir() else []


def cni_results(lab):
    """What CNI noted about this lab's pods, in a fixed place; the loopback notes only carry the container's id."""
    notes = Path("/var/lib/cni/results")
    pattern = re.compile(f"{re.escape(netns.name_of(lab.name))}-([0-9a-f]{{64}})-eth0")
    ours = [found[1] for found in map(pattern.fullmatch, os.listdir(notes)) if found] if notes.is_dir() else []
    return [note for container in ours for note in notes.glob(f"*-{container}-*")]


def remove_plugin_socket():
    """Every kubelet makes this socket in the same place; it is left over when nobody listens any more."""
    path = Path("/var/lib/kubelet/device-plugins/kubelet.sock")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError:
            return
    for directory in (path.parent, path.parent.parent):
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()


def unmount_below(directory):
    """Lazily, innermost first. Deleting a directory with a busy mount in it fails."""
    for _ in range(3):  # one mount may cover another at the same place
        mounts = mounts_below(directory)
        if not mounts:
            return
        for mount in mounts:
            umount(mount)


def mounts_below(directory):
    prefix = f"{directory}/"
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return sorted((point for point in points if point.startswith(prefix)), reverse=True)


def umount(point):
    detach = 2
    ctypes.CDLL(None).umount2(os.fsencode(point), detach)
