"""The control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""
import json

from . import netns, pki

PARTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.244.0.0/16"
DEFAULT_QPS = 2000  # with Kubernetes' own limit of 20 these two would decide how long a benchmark takes


def start(lab, qps=DEFAULT_QPS, audit="Metadata"):
    """Starts what does not run yet and waits until the API server is ready and its first objects exist."""
    lab.step("keys and certificates", lambda: pki.create(lab.pki))
    lab.step("network namespace", lambda: netns.create(lab.name))
    write_audit_policy(lab, audit)
    lab.start("etcd", etcd(lab))
    lab.start("kube-apiserver", api_server(lab))
    lab.step("etcd and API server ready", lambda: lab.wait_for(lab.api.ready, "kube-apiserver", "etcd"))
    lab.start("kube-controller-manager", controller_manager(lab, qps))
    lab.start("kube-scheduler", scheduler(lab, qps))
    lab.step("controller manager ready", lambda: lab.wait_for(lambda: default_account(lab), "kube-controller-manager"))


def default_account(lab):
    """Without it no pod is admitted to the default namespace, so a test that starts at once would fail."""
    return lab.api.request("GET", "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200


def etcd(lab):
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return [lab.program("etcd"), "--data-dir", lab.directory / "etcd", "--unsafe-no-fsync", "--log-level=warn",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
            "--heartbeat-interval=500", "--election-timeout=5000",  # nobody hears its heart
            "--backend-batch-interval=1s", "--backend-batch-limit=100000"]  # nothing here has to outlive the machine


def api_server(lab):
    keys = lab.pki
    return [lab.program("kube-apiserver"), "--etcd-servers=http://127.0.0.1:2379", "--secure-port=6443",
            "--bind-address=0.0.0.0", f"--advertise-address={netns.NODE_ADDRESS}", "--allow-privileged",
            f"--tls-cert-file={keys}/apiserver.crt", f"--tls-private-key-file={keys}/apiserver.key",
            f"--client-ca-file={keys}/ca.crt", f"--token-auth-file={keys}/{pki.TOKENS}", "--authorization-mode=Node,RBAC",
            f"--service-account-key-file={keys}/sa.pub", f"--service-account-signing-key-file={keys}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-cluster-ip-range={SERVICE_RANGE}",
            f"--kubelet-client-certificate={keys}/admin.crt", f"--kubelet-client-key={keys}/admin.key",
            "--kubelet-preferred-address-types=InternalIP",
            f"--audit-policy-file={lab.directory}/audit-policy.json", f"--audit-log-path={lab.audit_log}",
            # For those of a lab's own, such as clusters.PROBE_SOON.
            "--feature-gates=MutatingAdmissionPolicy=true", "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
            # Its few clients are all wanted, and to queue them fairly takes time too.
            "--enable-priority-and-fairness=false", "--max-requests-inflight=3000", "--max-mutating-requests-inflight=1000",
            # Rotation would hide requests from a test that counts them.
            "--audit-log-maxsize=4000", "--audit-log-mode=blocking"]


def controller_manager(lab, qps):
    keys = lab.pki
    return [lab.program("kube-controller-manager"), f"--kubeconfig={keys}/kcm.kubeconfig", "--leader-elect=false",
            f"--service-account-private-key-file={keys}/sa.key", f"--root-ca-file={keys}/ca.crt",
            "--use-service-account-credentials", "--allocate-node-cidrs", f"--cluster-cidr={POD_RANGE}",
            "--node-cidr-mask-size=24", f"--cluster-signing-cert-file={keys}/ca.crt",
            f"--cluster-signing-key-file={keys}/ca.key", "--bind-address=127.0.0.1", *limits(qps)]


def scheduler(lab, qps):
    return [lab.program("kube-scheduler"), f"--kubeconfig={lab.pki}/scheduler.kubeconfig", "--leader-elect=false",
            "--bind-address=127.0.0.1", *limits(qps),
            # It was seen to miss that a claim was bound (1.34.4), and would look at the pod again after 5 minutes.
            "--pod-max-in-unschedulable-pods-duration=20s"]


def limits(qps):
    return [f"--kube-api-qps={qps}", f"--kube-api-burst={qps * 3 // 2}"]


def write_audit_policy(lab, audit):
    """One line per request, written when it is answered; a long watch also gets one when it starts."""
    rules = [{"level": audit}] if isinstance(audit, str) else audit
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
    (lab.directory / "audit-policy.json").write_text(json.dumps(policy) + "\n")
