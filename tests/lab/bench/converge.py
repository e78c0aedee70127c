"""N new objects at once: what they cost, beside a writer that only writes; then a restart with all of them there.

With the program of the reference the same is measured for it, in the same run.
"""
from . import bare_writer, measure
from .scene import Scene, reference

QUIET = 5  # seconds without a request after which the operator counts as at rest


def run(count, build, other=None):
    names = [f"bench-{number:05}" for number in range(count)]
    with Scene("bench-converge", build) as scene:
        bare = bare_writer.run(scene.server, names, "http://127.0.0.1:1/")
        print(f"bare writer: {bare:.1f} s for {count} objects, 8 writes each", flush=True)
        remove(scene, names)
        ours = measured(scene, names, bare)
        if other:
            remove(scene, names)
            scene.program = reference(other)
            theirs = measured(scene, [f"other-{number:05}" for number in range(count)], bare)
            print("beside the reference: " + ", ".join(f"{ours[what] / theirs[what]:.2f} of its {what}" for what in ours), flush=True)


def remove(scene, names):
    bare_writer.remove(scene.server, names)
    wait_until_gone(scene)


def measured(scene, names, bare):
    print(f"{scene.program.path.name} {'of the reference' if not scene.program.agent else ''}".strip(), flush=True)
    figures = converge(scene, names, bare)
    figures.update(restart(scene, len(names)))
    scene.stop_operator()
    return figures


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
    cpu, memory = measure.cpu_seconds(pid) - idle, measure.memory_mib(pid)
    print(f"  {seconds:.1f} s, {seconds / bare:.2f} times the bare writer")
    print(f"  {len(requests) / count:.2f} API requests each, {len(measure.writes(requests)) / count:.2f} of them writes")
    print(f"  {measure.table(requests)}")
    print(f"  {own / count:.2f} admin calls each, and {queries} shared queries in all")
    print(f"  {1000 * cpu / count:.2f} ms CPU each, {memory:.0f} MiB peak memory", flush=True)
    return {"time": seconds, "requests": len(requests), "CPU": cpu, "peak memory": memory}


def restart(scene, count):
    scene.stop_operator()
    audit = scene.audit()
    pid = scene.start_operator()
    requests, active = audit.until_quiet(QUIET, 120)
    cpu, memory = measure.cpu_seconds(pid), measure.memory_mib(pid)
    print(f"  restart with {count}: {len(requests)} API requests, {len(measure.writes(requests))} of them writes, quiet after "
          f"{active:.1f} s, {memory:.0f} MiB peak memory, {cpu:.2f} s CPU")
    print(f"  {measure.table(requests)}", flush=True)
    return {"requests at restart": len(requests), "CPU at restart": cpu, "peak memory at restart": memory}
