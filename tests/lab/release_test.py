"""The life of a release on a real node: the operator is two pods of the image made here, looks after a Restate and a
service that is called all the time, and is upgraded, removed and installed again under them.

The tests are the steps of one story, in order.
"""
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from e2e.waiting import eventually  # noqa: E402: the path first
from labkit import Lab, clusters, greeter, helm, images, restate_operator  # noqa: E402
from labkit.audit import seconds  # noqa: E402
from labkit.caller import Caller  # noqa: E402
from labkit.client import MERGE  # noqa: E402

pytestmark = pytest.mark.long
NAMESPACE = restate_operator.NAMESPACE
DEPLOYMENT = "/apis/restate.dev/v1beta1/namespaces/shop/restatedeployments/greeter"
CLUSTER = f"{clusters.PATH}/restate"
REFERENCE_VALUES = restate_operator.ROOT / "tests/golden/charts/reference.values.yaml"
HERE = {  # what those values say of a place that is not this one
    "nameOverride": helm.RELEASE, "image.pullPolicy": "IfNotPresent", "clusterDns": "cluster.local",
    "serviceMonitor.enabled": "false"}
COPIES = 2
RETRY_PERIOD = 2  # seconds from one try for the Lease to the next; the operator's default


def earlier_charts(directory):
    """The charts of the commit before this one."""
    done = subprocess.run(["git", "-C", restate_operator.ROOT, "archive", "HEAD~1", "charts"], capture_output=True)
    assert done.returncode == 0, f"the commit before this one is needed (a clone with history): {done.stderr.decode()}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(directory)
    return helm.charts(directory / "earlier", directory / "charts")


class Release:
    """The operator's release, and what it looks after."""

    def __init__(self, lab):
        self.lab = lab
        self.charts = helm.charts(lab.directory / "charts")
        self.caller = Caller(lab)

    def helm(self, *arguments):
        return helm.in_lab(self.lab, NAMESPACE, *arguments)

    def upgrade(self, charts, *values):
        self.helm("upgrade", "--install", helm.RELEASE, charts / helm.OPERATOR, "--create-namespace", "--wait",
                  "--timeout=120s", *values)

    def get(self, path):
        status, found = self.lab.api.request("GET", path)
        assert status == 200, f"GET {path}: {found}"
        return found

    def list(self, path):
        return self.get(path)["items"]

    def operators(self):
        """Its pods that are not on their way out."""
        return [pod for pod in self.list(f"/api/v1/namespaces/{NAMESPACE}/pods") if "deletionTimestamp" not in pod["metadata"]]

    def leader(self):
        lease = self.get(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{helm.RELEASE}")
        return lease["spec"].get("holderIdentity", "").partition("_")[0]

    def leads(self, tag):
        """Whether a pod of this version leads, and all are of it."""
        pods = {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in self.operators()}
        return set(pods.values()) == {f"{images.OPERATOR}:{tag}"} and self.leader() in pods

    def up_to_date(self, path):
        found = self.get(path)
        status = found.get("status", {})
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
        return ready and status.get("observedGeneration") == found["metadata"]["generation"]

    def pods(self):
        """Those that nobody may restart."""
        return sorted((pod["metadata"]["name"], pod["metadata"]["uid"], container["restartCount"])
                      for namespace in ("restate", "shop") for pod in self.list(f"/api/v1/namespaces/{namespace}/pods")
                      for container in pod["status"]["containerStatuses"])

    def works(self, seconds):
        """Whether somebody acts on a change, by one that rolls no pods."""
        status, found = self.lab.api.request("PATCH", DEPLOYMENT, {"spec": {"restate": {"drainDelaySeconds": seconds}}},
                                             content_type=MERGE)
        assert status == 200, found
        eventually("the change is seen", lambda: self.up_to_date(DEPLOYMENT), told=lambda: self.get(DEPLOYMENT)["status"])


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The commit before this one, with a Restate and a service."""
    lab = Lab(f"{(os.environ.get('LAB_NAME') or 'e2e')[:13]}-release", say=lambda text: None)
    lab.down()
    try:
        lab.node()
        found = Release(lab)
        found.upgrade(earlier_charts(tmp_path_factory.mktemp("charts")), *helm.image_values(lab, "earlier"))
        lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, clusters.restate_cluster("restate"))
        eventually("the Restate is ready", lambda: found.up_to_date(CLUSTER), 180, lambda: found.get(CLUSTER).get("status"))
        lab.apply(greeter.restate_deployment("shop", register={"cluster": "restate"}))
        eventually("the service is ready", lambda: found.up_to_date(DEPLOYMENT), 90, lambda: found.get(DEPLOYMENT).get("status"))
        found.before = found.pods()
        found.caller.start()
        yield found
        found.caller.stop()
    finally:
        lab.down()


def test_two_pods_of_the_image_work_under_the_restricted_level(release):
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    status, found = release.lab.api.request("PATCH", f"/api/v1/namespaces/{NAMESPACE}", label, content_type=MERGE)
    assert status == 200, found
    assert len(release.operators()) == COPIES
    assert release.leads("earlier")


def test_the_image_is_small_and_says_which_version_it_is(release):
    assert (release.lab.directory / "operator-image.tar").stat().st_size < 60e6
    said = release.lab.kubectl("exec", "-n", NAMESPACE, f"deployment/{helm.RELEASE}", "--", "/usr/bin/restate-operator", "version")
    chart = (restate_operator.ROOT / f"charts/{helm.OPERATOR}/Chart.yaml").read_text()
    assert f"appVersion: {said.strip()}" in chart.replace('"', "")


def test_an_upgrade_from_the_commit_before_hands_over(release):
    release.upgrade(release.charts, *helm.image_values(release.lab, "this"))
    eventually("a pod of this version leads", lambda: release.leads("this"), told=release.leader)
    release.works(11)
    assert release.pods() == release.before


def test_diff_in_its_pod_finds_no_difference(release):
    """As README.md has it; the exit code says so."""
    as_it_is = greeter.restate_deployment("shop", register={"cluster": "restate"}, drainDelaySeconds=11)
    said = release.lab.kubectl("exec", "-i", "-n", NAMESPACE, "deploy/restate-operator", "--", "restate-operator", "diff", "-f",
                               "-", input=json.dumps(as_it_is))
    assert said == ""


def test_its_page_is_reached_by_a_forwarded_port(release):
    """As README.md has it."""
    lab = release.lab
    forward = lab.popen([lab.program("kubectl"), "port-forward", "-n", NAMESPACE, "deployment/restate-operator", "8080"],
                        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert forward.stdout.readline().startswith("Forwarding from 127.0.0.1:8080")
        tree = json.loads(lab.http("GET", "127.0.0.1", 8080, "/tree")[1])
        assert [service["name"] for root in tree["roots"] for service in root["children"]] == ["greeter"]
    finally:
        forward.terminate()
        forward.wait(20)


def test_the_values_of_the_references_chart_do(release):
    release.lab.kubectl("label", "node", "lab", "pool=system")  # where they want their pods
    release.lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca", "namespace": NAMESPACE},
                       "data": {"path": str(images.CERTIFICATES)}})
    overrides = ",".join(f"{name}={value}" for name, value in HERE.items())
    release.upgrade(release.charts, "--values", REFERENCE_VALUES, "--set", overrides, *helm.image_values(release.lab, "theirs"))
    eventually("a pod of that version leads", lambda: release.leads("theirs"), told=release.leader)
    assert len(release.operators()) == 1
    release.works(12)
    assert release.pods() == release.before


def test_uninstalled_it_leaves_everything_else_as_it_was(release):
    objects = {path: release.get(path) for path in (DEPLOYMENT, CLUSTER)}
    began = time.time()
    release.helm("uninstall", helm.RELEASE, "--wait", "--timeout=60s")
    eventually("its pods are gone", lambda: release.list(f"/api/v1/namespaces/{NAMESPACE}/pods") == [])
    release.uninstalled = (began, time.time())
    assert restate_operator.crds_are_established(release.lab)
    assert {path: release.get(path) for path in objects} == objects
    assert release.pods() == release.before


def test_installed_again_it_goes_on(release):
    release.upgrade(release.charts, *helm.image_values(release.lab, "again"))
    eventually("a pod leads", lambda: release.leads("again"), told=release.leader)
    release.works(13)
    assert release.pods() == release.before


def test_no_call_was_lost_all_the_while(release):
    release.caller.stop()
    assert release.caller.lost == []
    assert set(release.caller.answers) == {"Hello, Ada"}


def test_it_asked_for_nothing_that_it_may_not(release):
    """But a pod that goes with its release may renew the lease, and gives it back, when Helm has already taken its rights."""
    began, over = release.uninstalled
    denied = [event for event in release.lab.audit(restate_operator.AGENT) if event["responseStatus"]["code"] in (401, 403)]
    assert {(event["verb"], event["objectRef"]["resource"]) for event in denied} <= {("update", "leases")}
    assert all(began < seconds(event["requestReceivedTimestamp"]) < over for event in denied), denied
    assert len(denied) <= 1 + (over - began) / RETRY_PERIOD
