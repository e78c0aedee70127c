"""A Go that is new enough for Kubernetes: the machine's own, or a toolchain fetched as a Go module by an older one."""
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from . import cache, tools

MINIMUM = (1, 24)
TOOLCHAIN = "v0.0.1-go1.25.5.linux-amd64"
OLD_PLACES = ["/usr/local/go/bin/go", "/usr/bin/go", "/usr/lib/go/bin/go", "/usr/lib/go-1.19/bin/go"]


def version_of(go):
    output = subprocess.run([go, "version"], capture_output=True, text=True,
                            env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    match = re.search(r"go(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def go_binary(say=print):
    """The path of a Go of at least the minimum version."""
    candidates = [go for go in [shutil.which("go"), *OLD_PLACES] if go and os.access(go, os.X_OK)]
    for go in candidates:
        if version_of(go) >= MINIMUM:
            return go
    if not candidates:
        raise tools.Missing("no Go found; install it with: apt-get install -y golang-go")
    if platform.machine() != "x86_64":
        raise tools.Missing(f"Go {MINIMUM[0]}.{MINIMUM[1]} or newer is needed on this kind of machine")
    directory = cache.entry("go", TOOLCHAIN, lambda draft: _fetch(candidates[0], draft, say), say)
    return str(directory / "bin" / "go")


def _fetch(go, draft, say):
    """Unpacks the toolchain module: a plain copy of a Go distribution, only without its executable bits."""
    modules = draft / "modules"
    environment = {**os.environ, "GOMODCACHE": str(modules), "GOFLAGS": "-modcacherw", "GO111MODULE": "on"}
    cache.run("fetching the Go toolchain", [go, "mod", "download", f"golang.org/toolchain@{TOOLCHAIN}"], say,
              cwd=draft, env=environment)
    unpacked = modules / "golang.org" / f"toolchain@{TOOLCHAIN}"
    for part in unpacked.iterdir():
        part.rename(draft / part.name)
    shutil.rmtree(modules)
    for program in [*(draft / "bin").iterdir(), *(draft / "pkg" / "tool").rglob("*")]:
        if program.is_file():
            program.chmod(0o755)


def build(module, output, say, *packages, ldflags="-s -w"):
    """Builds programs from a committed go.mod and go.sum, and from nothing else: one file, or several in a directory."""
    cache.run(f"building {Path(output).name}", [go_binary(say), "build", "-trimpath", "-ldflags", ldflags, "-o", output,
                                                *(packages or ["."])], say, cwd=module, env=_environment())


def sources(module, dependency, say):
    """The directory with the files of a module that this one requires."""
    return Path(cache.run(f"looking for {dependency}", [
        go_binary(say), "list", "-m", "-f", "{{.Dir}}", dependency], say, cwd=module, env=_environment()).strip())


def _environment():
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false",
                   "GOTOOLCHAIN": "local", "GOWORK": "off"}
    environment.pop("GOROOT", None)
    return environment
