"""A lab's containerd: its configuration, its client, and the images that it has from the start.

To import the images costs seven seconds of a core. So one containerd does it, once on a machine, and every lab's begins
with what that one left behind: hard links to the files, which nothing writes to, and copies of the databases.
"""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import cache, images, process, tools

PATIENCE = 60  # seconds
IMPORTED = "images-imported"  # in a lab's directory: the archives it has


def start(lab):
    """Starts it with the images that pods need."""
    archives = images.archives(lab.say)
    write_config(lab.directory)
    begin_with_images(lab, archives)
    lab.start("containerd", command(lab.directory))
    lab.step("containerd ready", lambda: lab.wait_for(lambda: ready(lab.directory), "containerd"))
    renew_images(lab, archives)


def imported(archives, say):
    """The directory of a containerd that has imported these archives and ended."""
    def make(directory):
        write_config(directory)
        process.start(directory, "containerd", command(directory))
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready(directory):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"containerd does not answer: {(directory / 'log/containerd.log').read_text()[-2000:]}")
                time.sleep(0.05)
            for archive in archives:
                load(directory, archive)
        finally:
            process.stop(directory, "containerd", signal.SIGTERM)
    version = subprocess.run([tools.find("containerd"), "--version"], capture_output=True, text=True, check=True).stdout
    return cache.entry("containerd-images", cache.digest(version, Path(__file__), *map(str, archives)), make, say)


def begin_with_images(lab, archives):
    root = lab.directory / "containerd/root"
    if root.exists():
        return
    draft = root.with_name("draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(imported(archives, lab.say) / "containerd/root", draft, symlinks=True, copy_function=link)
    draft.rename(root)
    (lab.directory / IMPORTED).write_text(names(archives))


def link(source, target):
    """What a containerd may write to becomes a file of its own, and so does all that is on another file system."""
    if not source.endswith(".db"):
        try:
            os.link(source, target, follow_symlinks=False)
            return
        except OSError:
            pass
    shutil.copy2(source, target, follow_symlinks=False)


def renew_images(lab, archives):
    """For a lab that is older than its images."""
    if (lab.directory / IMPORTED).read_text() != names(archives):
        for archive in archives:
            load(lab.directory, archive)
        (lab.directory / IMPORTED).write_text(names(archives))


def names(archives):
    return "\n".join(map(str, archives))


def load(directory, archive):
    """Makes an image archive available to the pods of the containerd in this directory, a lab's as a rule."""
    ctr(directory, "-n", "k8s.io", "images", "import", str(archive))


def ctr(directory, *arguments):
    done = subprocess.run([tools.find("ctr"), "-a", str(directory / "containerd.sock"), *arguments],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ctr {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def ready(directory):
    try:
        return bool(ctr(directory, "version"))
    except RuntimeError:
        return False


def command(directory):
    return [tools.find("containerd"), "--config", directory / "containerd.toml"]


def write_config(directory):
    (directory / "containerd.toml").write_text(f"""version = 2
root = "{directory}/containerd/root"
state = "{directory}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs"]
[grpc]
  address = "{directory}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{tools.CNI_DIRECTORY}"
    conf_dir = "{directory}/cni"
""")
