"""The lab's background processes: started detached, remembered by pid and start time, ended by pid only.

A pid alone says nothing once its process has ended, because the kernel gives it to another one. The pid file
therefore also holds the start time of the process, and nobody is signalled unless both still match.
"""
import os
import signal
import subprocess
import time
from pathlib import Path

from . import tools

# Every process of a lab carries this variable: the lab's directory, a colon and the name of the part. It finds the
# ones whose pid file is missing because the lab tool itself was killed between starting them and writing it.
MARK = "RESTATE_LAB_PROCESS"
# Percent by which a Go program's memory grows between two collections, as GOGC has it; 100 without it. Labs side by side
# have less of the processor than of memory.
GARBAGE = "400"
# What else a Go program is told where the caller says it: how many cores it is to use.
CORES = "GOMAXPROCS"


def start_time(pid):
    """When the process started, in clock ticks since boot; None when it is gone or only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold spaces
    state, threads, started = fields[0], int(fields[17]), fields[19]
    # The first thread of a program may be through while others still hold its sockets.
    return None if state in "ZX" and threads <= 1 else started


def boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def pid_file(directory, name):
    return Path(directory) / "pids" / name


def remember(directory, name, pid):
    path = pid_file(directory, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{name}.draft")
    draft.write_text(f"{pid} {start_time(pid)} {boot_id()}\n")
    draft.rename(path)


def pid_of(directory, name):
    """The pid of a running part, or None. A pid that belongs to another process by now counts as not running."""
    try:
        pid, started, boot = pid_file(directory, name).read_text().split()
    except (OSError, ValueError):
        return None
    if boot != boot_id() or start_time(pid) != started:
        return None
    return int(pid)


def names(directory):
    """The parts that were started in this lab, running or not."""
    pids = Path(directory) / "pids"
    return sorted(p.name for p in pids.iterdir() if not p.name.startswith(".")) if pids.is_dir() else []


def start(directory, name, command, prefix=(), env=None):
    """Starts a part unless it runs already. Its output goes to log/NAME.log; it outlives the caller.

    Of the caller's environment it sees CORES, and else what is given here: a proxy or a KUBECONFIG would lead it astray.
    """
    if pid_of(directory, name):
        return False
    end(_orphans(directory, name, str(command[0])))
    log = Path(directory) / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": tools.search_path(), "HOME": str(directory), "LANG": "C.UTF-8", "GOGC": GARBAGE,
                   **({CORES: os.environ[CORES]} if CORES in os.environ else {}), **(env or {}),
                   MARK: f"{directory}:{name}"}
    with log.open("ab") as out:
        process = subprocess.Popen([*prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   start_new_session=True, cwd="/", env=environment)
    process.returncode = 0  # it outlives the caller: no complaint that nobody has waited for it
    remember(directory, name, process.pid)
    return True


def send(pid, started, sig):
    """Signals exactly the process that had this start time, and nobody who got its pid afterwards."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if start_time(pid) != started:
            return False
        signal.pidfd_send_signal(handle, sig)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def stop(directory, name, sig=signal.SIGKILL, wait=30):
    """Ends a part and waits until it is gone. SIGKILL by default: what a lab holds is thrown away with it."""
    pid = pid_of(directory, name)
    if pid:
        end([pid], sig, wait)
    pid_file(directory, name).unlink(missing_ok=True)


def end(pids, sig=signal.SIGKILL, wait=10):
    """Signals the given processes and waits until they are gone; returns those that are not."""
    left = {pid: start_time(pid) for pid in pids}
    for pid, started in left.items():
        if started:
            send(pid, started, sig)
    deadline = time.monotonic() + wait
    while True:
        left = {pid: started for pid, started in left.items() if started and start_time(pid) == started}
        if not left or time.monotonic() > deadline:
            return list(left)
        time.sleep(0.02)


def all_pids():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def marked(directory, name=""):
    """Processes of this lab (or of one part) by the variable they were started with, and what they started."""
    wanted = f"{MARK}={directory}:{name}".encode()
    spared = lineage()
    found = []
    for pid in all_pids():
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(entry == wanted if name else entry.startswith(wanted) for entry in environment) and pid not in spared:
            found.append(pid)
    return found


def _orphans(directory, name, program):
    """Earlier runs of a part that nobody remembers; not what it started, such as the shims of containerd."""
    def runs(pid):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] == program.encode()
        except OSError:
            return False
    return [pid for pid in marked(directory, name) if runs(pid)]


def lineage():
    """This process and the ones it descends from: whoever asks for the end of a lab is not ended with it."""
    pid, found = os.getpid(), []
    while pid > 0:
        found.append(pid)
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            break
        pid = int(stat.rpartition(")")[2].split()[1])
    return found
