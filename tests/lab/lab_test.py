#!/usr/bin/python3
"""The lab itself: does a cluster come up, does it go away without a trace, do two live side by side?"""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab, cache, cgroups, greeter, netns, process, restate, teardown  # noqa: E402

JSON = {"Content-Type": "application/json"}


def quiet(name):
    return Lab(name, say=lambda text: None)


def traces(lab):
    """Everything a lab that was taken down must not leave behind."""
    found = [f"process {pid}" for pid in [*process.marked(lab.directory), *teardown.shims(lab),
                                          *cgroups.processes(lab.name), *netns.processes(lab.name)]]
    found += [f"mount {point}" for point in teardown.mounts_below(lab.directory)]
    found += [f"cgroup {hierarchy}" for hierarchy in cgroups.hierarchies()
              if (hierarchy / cgroups.parent(lab.name).strip("/")).exists()]
    found += [f"network {name}" for name in netns.inner(lab.name)]
    found += [f"file {path}" for path in [lab.directory, netns.path_of(lab.name), *teardown.log_links(lab),
                                          *teardown.cni_results(lab)] if path.exists()]
    return found


def until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s")
        time.sleep(0.1)


class ProcessTest(unittest.TestCase):
    """The part that decides who is killed, without any cluster."""

    def setUp(self):
        self.directory = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        self.addCleanup(subprocess.run, ["rm", "-r", self.directory])

    def test_a_reused_pid_is_not_killed(self):
        bystander = subprocess.Popen(["sleep", "60"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        process.remember(self.directory, "part", bystander.pid)
        file = process.pid_file(self.directory, "part")
        pid, started, boot = file.read_text().split()
        for text in (f"{pid} {int(started) - 1} {boot}", f"{pid} {started} another-boot", pid, "", "x y z"):
            with self.subTest(text):
                file.write_text(text)
                process.stop(self.directory, "part")
                self.assertIsNone(bystander.poll())
                self.assertFalse(file.exists())

    def test_a_part_is_started_once_and_ended(self):
        self.assertTrue(process.start(self.directory, "part", ["sleep", "60"]))
        pid = process.pid_of(self.directory, "part")
        self.assertFalse(process.start(self.directory, "part", ["sleep", "60"]))
        self.assertEqual(process.pid_of(self.directory, "part"), pid)
        process.stop(self.directory, "part")
        self.assertIsNone(process.start_time(pid))
        self.assertEqual(process.marked(self.directory), [])

    def test_a_part_without_its_pid_file_is_found_and_replaced(self):
        process.start(self.directory, "part", ["sleep", "60"])
        first = process.pid_of(self.directory, "part")
        process.pid_file(self.directory, "part").unlink()
        until(lambda: process.marked(self.directory) == [first], 10)  # a program that is just being started has no environment
        process.start(self.directory, "part", ["sleep", "60"])
        self.assertIsNone(process.start_time(first))
        process.stop(self.directory, "part")


class CacheTest(unittest.TestCase):
    def setUp(self):
        directory = subprocess.check_output(["mktemp", "-d"], text=True).strip()
        self.addCleanup(subprocess.run, ["rm", "-r", directory])
        before = os.environ.get("RESTATE_LAB_CACHE")
        os.environ["RESTATE_LAB_CACHE"] = directory
        self.addCleanup(lambda: os.environ.update(RESTATE_LAB_CACHE=before) if before
                        else os.environ.pop("RESTATE_LAB_CACHE"))

    def test_the_second_caller_waits_and_says_so(self):
        made, said = [], []

        def make(directory):
            made.append(directory)
            time.sleep(0.5)
        callers = [threading.Thread(target=cache.entry, args=("thing", "1", make, said.append)) for _ in range(2)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.assertEqual(len(made), 1)
        self.assertTrue(any("made by somebody else" in line for line in said), said)

    def test_what_was_not_finished_is_not_used(self):
        def fail(directory):
            (directory / "half").touch()
            raise RuntimeError("interrupted")
        with self.assertRaises(RuntimeError):
            cache.entry("thing", "1", fail, str)
        path = cache.entry("thing", "1", lambda directory: (directory / "whole").touch(), str)
        self.assertEqual([file.name for file in path.iterdir()], ["whole"])


class ControlPlaneTest(unittest.TestCase):
    def setUp(self):
        self.labs = []

    def lab(self, name):
        lab = quiet(name)
        self.addCleanup(lab.down)
        lab.down()
        return lab

    def test_two_labs_side_by_side(self):
        first, second = self.lab("test-a"), self.lab("test-b")
        starts = [threading.Thread(target=lab.up) for lab in (first, second)]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
        first.kubectl("create", "namespace", "only-here")
        self.assertEqual(second.api.request("GET", "/api/v1/namespaces/only-here")[0], 404)
        requests = first.audit("kubectl")
        self.assertEqual([(event["verb"], event["responseStatus"]["code"]) for event in requests], [("create", 201)])
        self.assertTrue(requests[0]["requestReceivedTimestamp"])
        first.down()
        self.assertEqual(traces(first), [])
        self.assertTrue(second.api.ready())
        second.down()
        self.assertEqual(traces(second), [])

    def test_up_again_mends_and_down_ends_everything(self):
        lab = self.lab("test-a")
        lab.up()
        begin = time.monotonic()
        lab.up()
        self.assertLess(time.monotonic() - begin, 1)
        lab.kubectl("create", "namespace", "kept")
        lab.stop("etcd")
        lab.stop("kube-apiserver")
        lab.up()
        self.assertEqual(lab.api.request("GET", "/api/v1/namespaces/kept")[0], 200)
        # An outsider in the lab's network, and a part nobody remembers, as after the end of the lab tool.
        outsider = lab.popen(["sleep", "300"])
        process.pid_file(lab.directory, "kube-scheduler").unlink()
        os.kill(lab.pid("kube-controller-manager"), signal.SIGKILL)
        lab.down()
        self.assertEqual(outsider.wait(5), -signal.SIGKILL)
        self.assertEqual(traces(lab), [])
        lab.down()

    def test_down_after_the_lab_tool_was_killed(self):
        lab = self.lab("test-a")
        tool = Path(__file__).resolve().parent / "lab"
        for delay in (0.15, 0.3, 0.6, 1.5):
            with self.subTest(delay):
                up = subprocess.Popen([tool, "up", "--name", lab.name], stdout=subprocess.DEVNULL)
                time.sleep(delay)
                up.kill()
                up.wait()
                lab.down()
                self.assertEqual(traces(lab), [])

    def test_an_operator_can_run_with_its_own_rights_only(self):
        lab = self.lab("test-a")
        lab.up()
        lab.kubectl("create", "serviceaccount", "weak")
        config = lab.service_account_kubeconfig("default", "weak")
        done = lab.exec(["kubectl", "get", "secrets"], env={"KUBECONFIG": str(config)}, capture_output=True, text=True)
        self.assertIn("system:serviceaccount:default:weak", done.stderr)
        self.assertIn("orbidden", done.stderr)

    def test_simulated_pods_become_ready(self):
        lab = self.lab("test-a")
        lab.kwok(nodes=2)
        lab.kubectl("create", "deployment", "many", "--image=none", "--replicas=50")
        lab.kubectl("rollout", "status", "deployment/many", "--timeout=30s")


class NodeTest(unittest.TestCase):
    """One node for all of these: a cluster with Restate and a service registered at it."""

    @classmethod
    def setUpClass(cls):
        cls.lab = quiet("test-node")
        cls.addClassCleanup(cls.end)
        cls.lab.down()
        cls.lab.node()
        cls.lab.restate()
        cls.lab.apply(*greeter.objects("restate"))
        cls.lab.kubectl("rollout", "status", "deployment/greeter", "-n", "restate", "--timeout=60s")

    @classmethod
    def end(cls):
        """Ends the parts as an accident would, and expects `down` to find the rest."""
        for part in ("kubelet", "containerd"):
            if cls.lab.pid(part):
                cls.lab.stop(part)
        cls.lab.down()
        if traces(cls.lab):
            raise AssertionError(traces(cls.lab))

    def call(self, handler, argument):
        address = restate.address(self.lab)
        return self.lab.http("POST", address, 8080, f"/Greeter/{handler}", json.dumps(argument), JSON)

    def test_1_restate_registers_the_service_by_name_and_calls_it(self):
        uri = f"http://greeter.restate.svc.cluster.local:{greeter.PORT}"
        status, text = self.lab.http("POST", restate.address(self.lab), 9070, "/deployments", json.dumps({"uri": uri}),
                                     JSON)
        self.assertEqual(status, 201, text)
        self.assertEqual(self.call("greet", "lab"), (200, '"Hello, lab"'))
        self.assertEqual(self.call("slow", 1), (200, '"Hello after 1s"'))

    def test_2_a_held_call_is_released(self):
        answers = []
        holder = threading.Thread(target=lambda: answers.append(self.lab.http(
            "POST", restate.address(self.lab), 8080, "/Greeter/hold", timeout=30)))
        holder.start()

        def held():
            return [line.split()[-1] for line in self.logs().splitlines() if line.startswith("holding ")]
        until(held)
        self.call("release", held()[-1])
        holder.join()
        self.assertEqual(answers, [(200, '"Hello"')])

    def logs(self):
        return self.lab.kubectl("logs", "-n", "restate", "deployment/greeter")

    def test_exec_and_names_work_in_pods_and_beside_them(self):
        name = "restate.restate.svc.cluster.local"
        address = restate.address(self.lab)
        inside = self.lab.kubectl("exec", "-n", "restate", "deployment/greeter", "--", "nslookup", name)
        self.assertIn(address, inside)
        beside = self.lab.exec(["getent", "ahostsv4", name], dns=True, capture_output=True, text=True)
        self.assertIn(address, beside.stdout)
        outside = Path("/etc/resolv.conf").read_text()
        self.assertNotIn(netns.NODE_ADDRESS, outside)

    def test_restatectl_works_in_the_pod(self):
        self.assertIn("restate-0", self.lab.kubectl("exec", "-n", "restate", "restate-0", "--", "restatectl", "status"))

    def test_a_claim_gets_a_volume_that_grows_and_goes(self):
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                 "metadata": {"name": "claim", "namespace": "default"},
                 "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
        path = "/api/v1/namespaces/default/persistentvolumeclaims/claim"

        def status():
            return self.lab.api.request("GET", path)[1]["status"]
        self.lab.apply(claim)
        until(lambda: status()["phase"] == "Bound")
        claim["spec"]["resources"]["requests"]["storage"] = "2Gi"
        self.lab.apply(claim)
        until(lambda: status()["capacity"]["storage"] == "2Gi")
        self.lab.kubectl("delete", "persistentvolumeclaim", "claim")
        until(lambda: not self.lab.api.request("GET", "/api/v1/persistentvolumes")[1]["items"])

    def test_node_again_changes_nothing(self):
        before = {part: self.lab.pid(part) for part in self.lab.parts()}
        self.lab.node()
        self.assertEqual({part: self.lab.pid(part) for part in self.lab.parts()}, before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
