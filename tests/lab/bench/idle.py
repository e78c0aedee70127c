"""Converged objects that nobody touches: the operator must not write, neither as time goes by nor after a restart."""
import time

from . import measure
from .scene import Scene

QUIET = 5


def run(count, clusters, minutes, build):
    """True when nothing was written."""
    with Scene("bench-idle", build) as scene:
        audit = scene.audit()
        pid = scene.start_operator()
        scene.converge([f"bench-{number:05}" for number in range(count)])
        if clusters:
            took = scene.converge_clusters([f"cluster-{number:05}" for number in range(clusters)])
            print(f"{clusters} RestateClusters are Ready after {took:.1f} s", flush=True)
        audit.until_quiet(QUIET, 120)
        print(f"{count} RestateDeployments are Ready; now {minutes} minutes of nothing", flush=True)
        cpu = measure.cpu_seconds(pid)
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60:
            time.sleep(min(30, max(0.1, minutes * 60 - (time.monotonic() - began))))
        idle = audit.new()
        print(f"idle: {len(measure.writes(idle))} writes in {minutes} minutes, {len(idle)} requests in all "
              f"({measure.table(idle)}), {measure.cpu_seconds(pid) - cpu:.2f} s CPU, "
              f"{measure.memory_mib(pid, 'VmRSS'):.0f} MiB memory", flush=True)
        scene.stop_operator()
        scene.start_operator()
        restarted, active = audit.until_quiet(QUIET, 120)
        print(f"restart: {len(measure.writes(restarted))} writes, {len(restarted)} requests in all "
              f"({measure.table(restarted)}), quiet after {active:.1f} s", flush=True)
        return not measure.writes(idle) and not measure.writes(restarted)
