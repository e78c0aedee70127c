"""N new objects at once: what they cost, beside a writer that only writes; then a restart with all of them there."""
from . import bare_writer, measure
from .scene import Scene

QUIET = 5  # seconds without a request after which the operator counts as at rest


def run(count, build):
    names = [f"bench-{number:05}" for number in range(count)]
    with Scene("bench-converge", build) as scene:
        bare = bare_writer.run(scene.server, names, "http://127.0.0.1:1/")
        print(f"bare writer: {bare:.1f} s for {count} objects, 8 writes each", flush=True)
        bare_writer.remove(scene.server, names)
        wait_until_gone(scene)
        converge(scene, names, bare)
        restart(scene, count)


def wait_until_gone(scene):
    for path in (bare_writer.DEPLOYMENTS, bare_writer.REPLICA_SETS, bare_writer.SERVICES):
        scene.lab.wait_for(lambda: not scene.server.send("GET", f"{path}?limit=1")["items"], "kube-controller-manager", timeout=300)
    pods = "/api/v1/namespaces/bench/pods?limit=1"
    scene.lab.wait_for(lambda: not scene.server.send("GET", pods)["items"], "kube-controller-manager", timeout=300)


def converge(scene, names, bare):
    audit = scene.audit()
    pid = scene.start_operator()
    idle = measure.cpu_seconds(pid)
    calls_before = scene.admin_counters()
    seconds = scene.converge(names)
    requests, _ = audit.until_quiet(QUIET, 120)
    calls = {call: number - calls_before.get(call, 0) for call, number in scene.admin_counters().items()}
    queries = calls["query"]
    own = calls["register"] + calls["forget"] + calls["services"] + calls["deployments"] + calls["other"]
    count = len(names)
    print(f"operator: {seconds:.1f} s, {seconds / bare:.2f} times the bare writer")
    print(f"  {len(requests) / count:.2f} API requests each, {len(measure.writes(requests)) / count:.2f} of them writes")
    print(f"  {measure.table(requests)}")
    print(f"  {own / count:.2f} admin calls each, and {queries} shared queries in all")
    print(f"  {1000 * (measure.cpu_seconds(pid) - idle) / count:.2f} ms CPU each, {measure.memory_mib(pid):.0f} MiB peak memory", flush=True)


def restart(scene, count):
    scene.stop_operator()
    audit = scene.audit()
    pid = scene.start_operator()
    requests, active = audit.until_quiet(QUIET, 120)
    print(f"restart with {count}: {len(requests)} API requests, {len(measure.writes(requests))} of them writes, quiet after "
          f"{active:.1f} s, {measure.memory_mib(pid):.0f} MiB peak memory, {measure.cpu_seconds(pid):.2f} s CPU")
    print(f"  {measure.table(requests)}", flush=True)
