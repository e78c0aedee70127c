"""The control groups of a lab's pods: one parent per lab, so that two kubelets do not end each other's pods."""
import os
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
CONTROLLERS_V2 = ["cpuset", "cpu", "io", "memory", "pids"]


def parent(lab_name):
    """The path kubelet gets as its root; pods are below it in `kubepods`."""
    return f"/restate-lab/{lab_name}"


def hierarchies():
    """One directory with cgroup v2, one per controller with v1."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return [entry for entry in MOUNT.iterdir() if entry.is_dir() and not entry.is_symlink()]


def create(lab_name):
    """Makes the parent in every hierarchy: kubelet refuses to start below one that does not exist."""
    for hierarchy in hierarchies():
        directory = hierarchy
        for part in parent(lab_name).strip("/").split("/"):
            _delegate(directory)
            directory = directory / part
            directory.mkdir(exist_ok=True)
            _inherit_cpuset(directory)
        _delegate(directory)


def _delegate(directory):
    """cgroup v2 hands controllers down one level at a time."""
    for controller in CONTROLLERS_V2 if (directory / "cgroup.subtree_control").exists() else []:
        try:
            (directory / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            pass  # not every kernel has all of them; kubelet says so if it misses one


def _inherit_cpuset(directory):
    """cgroup v1 starts a cpuset empty, and an empty one can hold no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = directory / name
        if (directory / "tasks").exists() and file.exists() and not file.read_text().strip():
            file.write_text((directory.parent / name).read_text())


def _below(lab_name):
    """The lab's groups, innermost first."""
    for hierarchy in hierarchies():
        top = hierarchy / parent(lab_name).strip("/")
        for directory, _, _ in os.walk(top, topdown=False):
            yield Path(directory)


def processes(lab_name):
    found = set()
    for group in _below(lab_name):
        try:
            found.update(int(pid) for pid in (group / "cgroup.procs").read_text().split())
        except OSError:
            pass  # gone meanwhile
    return sorted(found)


def remove(lab_name):
    """Removes the lab's groups, and the directory above them when this was the last lab."""
    for group in _below(lab_name):
        _rmdir(group)
    for hierarchy in hierarchies():
        _rmdir((hierarchy / parent(lab_name).strip("/")).parent)


def _rmdir(directory):
    try:
        directory.rmdir()
    except OSError:
        pass
