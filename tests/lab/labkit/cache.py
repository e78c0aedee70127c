"""Things that take long to make and are the same every time: made once, under a lock, kept outside the checkout.

An entry is a directory named after the component and a hash of what it was made from. It is made under another name
and renamed when complete, so that one that exists is whole.
"""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

PROGRESS_EVERY = 15  # seconds


def root():
    return Path(os.environ.get("RESTATE_LAB_CACHE") or Path.home() / ".cache" / "restate-operator-lab")


def digest(*parts):
    """A short hash over strings and the contents of files."""
    summary = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        summary.update(f"{len(content)}:".encode() + content)
    return summary.hexdigest()[:16]


def entry(component, key, make, say=print):
    """The directory of this component and key; `make(directory)` fills it when it does not exist yet."""
    path = root() / f"{component}-{key}"
    if path.is_dir():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path, component, say):
        if path.is_dir():
            return path
        draft = path.with_name(f".{path.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # left by a caller that was killed
        draft.mkdir()
        begin = time.monotonic()
        make(draft)
        draft.rename(path)
        say(f"{component} made and kept in {path}, {time.monotonic() - begin:.0f} s")
    return path


@contextlib.contextmanager
def _locked(path, component, say):
    with open(path.with_name(f".{path.name}.lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{component} is being made by somebody else; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(what, command, say=print, **options):
    """Runs a long command quietly, with a line now and then that says it is still at it."""
    begin = time.monotonic()
    with subprocess.Popen(["nice", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=PROGRESS_EVERY)
                break
            except subprocess.TimeoutExpired:
                say(f"{what}, {time.monotonic() - begin:.0f} s so far")
            except BaseException:
                process.kill()
                raise
    if process.returncode:
        tail = "\n".join(output.splitlines()[-20:])
        raise RuntimeError(f"{what} failed (exit {process.returncode}): {' '.join(map(str, command))}\n{tail}")
    return output
