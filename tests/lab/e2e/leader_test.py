"""Two operators that take turns by a Lease, as pods do: who leads, who takes over and when, and that nobody else writes.

Needs the control plane only. What the defaults promise is tested with them: 15 s until somebody takes over, 10 s until a
leader that cannot renew gives up; what happens then, with shorter times.
"""
import json
import signal
import time

import pytest
from labkit import Lab, restate_operator
from labkit.audit import seconds
from labkit.client import MERGE

from .waiting import Quiet, eventually

QUICK = ("--lease-duration", 6, "--lease-renew-deadline", 4, "--lease-retry-period", 1)
LEASE = "/apis/coordination.k8s.io/v1/namespaces/restate-operator/leases/restate-operator"


@pytest.fixture(scope="module")
def lab():
    found = Lab("e2e-leader", say=lambda text: None)
    found.down()
    try:
        found.up()
        found.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": restate_operator.NAMESPACE}})
        restate_operator.install_crds(found)
        yield found
    finally:
        found.down()


class Peer(restate_operator.Operator):
    """One of them, told from the others by its pod's name and, in the audit log, by its account."""

    def __init__(self, lab, name, port, *arguments):
        self.name, self.account = name, f"system:serviceaccount:{restate_operator.NAMESPACE}:{name}"
        account = {"kind": "ServiceAccount", "name": name, "namespace": restate_operator.NAMESPACE}
        lab.apply({"apiVersion": "v1", "kind": "ServiceAccount",
                   "metadata": {"name": name, "namespace": restate_operator.NAMESPACE}},
                  {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                   "subjects": [account]})
        config = lab.service_account_kubeconfig(restate_operator.NAMESPACE, name)
        super().__init__(lab, lab.directory / f"log/{name}.log", port, "--leader-elect",
                         "--operator-pod-name", name, *arguments, env={"KUBECONFIG": str(config)})

    def leadership(self):
        """Empty while nobody answers: who steps back begins anew, with its server."""
        self.assert_alive()
        answer = restate_operator.get(self.lab, "/", self.port)
        return json.loads(answer[1])["leadership"] if answer else {}

    def leads(self):
        return self.leadership().get("leads", False)

    def requests(self, *verbs, about=""):
        """Those that are over, or go on as watches do."""
        found = {event["auditID"]: event for event in self.lab.audit(restate_operator.AGENT)
                 if event["user"]["username"] == self.account and event["verb"] in verbs
                 and about in event.get("objectRef", {}).get("resource", "")}
        return list(found.values())

    def writes(self):
        """Those that the API server let through; the Lease too."""
        return [event for event in self.requests(*Quiet.WRITES) if event["responseStatus"]["code"] < 400]


def moment(event):
    return seconds(event["requestReceivedTimestamp"])


def lease(lab):
    status, found = lab.api.request("GET", LEASE)
    return found["spec"] if status == 200 else None


def change_lease(lab, **spec):
    patch = json.dumps({"spec": spec})
    lab.kubectl("patch", "lease", "restate-operator", "-n", restate_operator.NAMESPACE, "--type", "merge", "-p", patch)


@pytest.fixture
def quick():
    """Asked for by a test that is to have the shorter times."""


@pytest.fixture
def peers(lab, request):
    """Two that a test starts, with the default times unless it asks for `quick`."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:30].strip("-")
    times = QUICK if "quick" in request.fixturenames else ()
    made = [Peer(lab, f"{name}-{letter}", 8090 + i, *times) for i, letter in enumerate("ab")]
    lab.kubectl("delete", "lease", "restate-operator", "-n", restate_operator.NAMESPACE, "--ignore-not-found")
    yield made
    for peer in made:
        if peer.process and peer.alive():
            peer.process.send_signal(signal.SIGCONT)
            peer.kill()


@pytest.fixture
def pair(lab, peers, busy):
    """A leader at work, and its standby, which has seen all that there is."""
    leader, standby = peers
    eventually("the first is ready", leader.start().ready, 30)
    eventually("it leads", leader.leads)
    eventually("the second is ready", standby.start().ready, 30)
    assert not standby.leads()
    return leader, standby


@pytest.fixture
def busy(lab):
    """A RestateDeployment that the leader has to write for."""
    name = f"work-{time.monotonic_ns()}"
    yield Work(lab, name)
    lab.kubectl("delete", "rsd", name, "--ignore-not-found", "--wait=false")
    lab.api.request("PATCH", Work.path(name), {"metadata": {"finalizers": None}},
                    content_type=MERGE)


class Work:
    """Something whose every change makes an operator write: a status, a finalizer, a ReplicaSet."""

    def __init__(self, lab, name):
        self.lab, self.name, self.generation = lab, name, 0

    @staticmethod
    def path(name):
        return f"/apis/restate.dev/v1beta1/namespaces/default/restatedeployments/{name}"

    def change(self):
        """A new version; returns what tells that somebody has looked at it."""
        self.generation += 1
        self.lab.apply({
            "apiVersion": "restate.dev/v1beta1", "kind": "RestateDeployment",
            "metadata": {"name": self.name, "namespace": "default"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": self.name}},
                     "template": {"metadata": {"labels": {"app": self.name}}, "spec": {"containers": [
                         {"name": "c", "image": f"registry.example/c:{self.generation}",
                          "ports": [{"name": "restate", "containerPort": 9080}]}]}},
                     "restate": {"register": {"url": "http://restate.example:9070"}}}})
        return self.seen

    def seen(self):
        """The version has its ReplicaSet."""
        _, found = self.lab.api.request("GET", "/apis/apps/v1/namespaces/default/replicasets")
        pods = [item["spec"]["template"] for item in found["items"]]
        return any(pod["metadata"]["labels"].get("app") == self.name
                   and pod["spec"]["containers"][0]["image"].endswith(f":{self.generation}") for pod in pods)


def test_of_two_that_start_at_once_one_leads_and_the_other_writes_nothing(lab, peers, busy):
    began = time.monotonic()
    for peer in peers:
        peer.start()
    for peer in peers:
        eventually(f"{peer.name} is ready", peer.ready, 30)
    eventually("one leads", lambda: sum(peer.leads() for peer in peers) == 1)
    leader, standby = sorted(peers, key=lambda peer: not peer.leads())
    eventually("it has written", busy.change())

    identity = leader.leadership()["identity"]
    assert identity.startswith(leader.name + "_") and lease(lab)["holderIdentity"] == identity
    assert lease(lab)["leaseDurationSeconds"] == 15
    told = standby.leadership()
    assert (told["leads"], told["holder"], told["since"]) == (False, identity, lease(lab)["acquireTime"])
    assert told["identity"] != identity
    assert (leader.metric("restate_operator_leader"), standby.metric("restate_operator_leader")) == ({"": 1}, {"": 0})
    # Everything that a pass reads is there, and nobody waits for a pass.
    objects = '{resource="restatedeployments.restate.dev"}'
    eventually("the standby has seen it", lambda: standby.metric("restate_operator_cache_objects")[objects] >= 1, 10)
    assert set(standby.metric("restate_operator_workqueue_depth").values()) <= {0}
    assert sum(standby.metric("restate_operator_reconciliations_total").values()) == 0

    def renewals():
        return leader.requests("update", about="leases")

    eventually("three renewals", lambda: len(renewals()) >= 3)
    assert not standby.writes()
    # Half the deadline lies between one and the next; not where they arrive: one that is late is close to its follower.
    assert len(renewals()) <= (time.monotonic() - began) / 5
    asked = standby.requests("get", "list", "watch", about="leases")
    assert len(asked) <= 4, asked  # however long it stands by


def test_a_clean_stop_hands_over_within_three_seconds(lab, pair, busy):
    leader, standby = pair
    eventually("the leader works", busy.change())
    began = time.monotonic()
    leader.process.send_signal(signal.SIGTERM)
    eventually("the standby leads", standby.leads, 3, interval=0.02)
    print(f"handed over in {time.monotonic() - began:.2f} s")
    assert leader.process.wait(5) == 0
    eventually("and works", busy.change())
    assert lease(lab)["leaseTransitions"] == 1
    first = moment(standby.writes()[0])
    assert all(moment(event) < first for event in leader.writes())


def test_a_killed_leader_is_followed_within_twenty_seconds(lab, pair, busy):
    leader, standby = pair
    eventually("the leader works", busy.change())
    leader.kill()
    began = time.monotonic()
    seen = busy.change()
    eventually("the standby writes for it", lambda: [
        event for event in standby.writes() if event["objectRef"].get("name", "").startswith(busy.name)], 20)
    print(f"followed in {time.monotonic() - began:.2f} s")
    eventually("and finishes", seen)
    assert standby.ready() and standby.leads()


def test_a_leader_that_sleeps_through_its_lease_writes_nothing_afterwards(lab, pair, busy, quick):
    leader, standby = pair
    eventually("the leader works", busy.change())
    for _ in range(3):  # so that it is stopped with work at hand
        busy.change()
    leader.process.send_signal(signal.SIGSTOP)
    seen = busy.change()
    eventually("the standby works", seen, 25)
    first = moment(standby.writes()[0])
    writes = len(leader.writes())
    leader.process.send_signal(signal.SIGCONT)
    assert leader.process.wait(10) == 1
    assert "could not be renewed" in leader.log.read_text().splitlines()[-1]
    eventually("the standby goes on", busy.change())
    assert len(leader.writes()) == writes and all(moment(event) < first for event in leader.writes())


def test_a_lease_that_is_deleted_or_blanked_out_changes_nothing(lab, pair, busy, quick):
    leader, standby = pair
    identity, since = lease(lab)["holderIdentity"], lease(lab)["acquireTime"]
    lab.kubectl("delete", "lease", "restate-operator", "-n", restate_operator.NAMESPACE)
    eventually("it is back", lambda: lease(lab), 10)
    assert (lease(lab)["holderIdentity"], lease(lab)["acquireTime"]) == (identity, since)
    change_lease(lab, holderIdentity=None)
    eventually("it has its holder again", lambda: lease(lab).get("holderIdentity") == identity, 10)
    eventually("the leader works", busy.change())
    assert leader.leads() and not standby.leads() and not standby.writes()


def test_a_lease_that_a_stranger_takes_ends_leadership_until_its_time_is_over(lab, pair, busy, quick):
    leader, standby = pair
    eventually("the leader works", busy.change())
    former = leader.leadership()["identity"]
    change_lease(lab, holderIdentity="a-stranger", leaseDurationSeconds=15)
    taken = time.monotonic()
    eventually("nobody leads", lambda: not leader.leads() and not standby.leads(), 10, told=leader.leadership)

    def waits(peer):
        """In the life after the lost term: that which lost it may still answer, until it is gone."""
        told = peer.leadership()
        return told.get("identity", former) != former and told["holder"] == "a-stranger" and peer.ready()

    for peer in pair:
        eventually("it says for whom it waits", lambda peer=peer: waits(peer), 10, told=peer.leadership)
        assert peer.metric("restate_operator_leader") == {"": 0}
    seen = busy.change()
    eventually("one of them works", seen, 25)
    assert time.monotonic() - taken > 15
    assert sum(peer.leads() for peer in pair) == 1


def test_an_outage_of_the_api_server_ends_with_one_leader(lab, pair, busy):
    # With the default times: a server that starts may be slower than the shorter ones allow.
    leader, standby = pair
    eventually("the leader works", busy.change())
    lab.stop("kube-apiserver")
    assert leader.process.wait(20) == 1  # where it runs as a pod, Kubernetes starts it anew
    assert "could not be renewed" in leader.log.read_text().splitlines()[-1]
    assert standby.ready() and not standby.leads()
    eventually("the standby says what is wrong", lambda: standby.leadership()["trouble"], 20)
    leader.start()
    lab.up()
    seen = busy.change()
    eventually("somebody works", seen, 40)
    eventually("both are ready", lambda: leader.ready() and standby.ready(), 40)
    assert sum(peer.leads() for peer in pair) == 1


def test_without_the_right_to_the_lease(lab, peers):
    alone, _ = peers
    lab.kubectl("delete", "clusterrolebinding", alone.name)
    began = time.monotonic()
    done = alone.start().process.wait(30)
    line = alone.log.read_text().splitlines()[-1]
    assert done == 1 and "leases.coordination.k8s.io" in line and restate_operator.NAMESPACE in line, line
    assert time.monotonic() - began < 30
