"""The node: containerd, kubelet and kube-proxy, and beside them DNS, volumes and network policies."""
import fcntl
import json
from pathlib import Path

from . import cgroups, containerd, control_plane, dns, netns, policies, storage, tools

PARTS = ["containerd", "kubelet", "kube-proxy", "coredns", "storage", "policies"]
NAME = "lab"
DEVICES = "/var/lib/kubelet/device-plugins/kubelet.sock"  # the one path that kubelet has wherever its directory is
KUBELET_LOCK = Path("/run/lock/restate-lab-kubelet")


def start(lab):
    """Starts what does not run yet and waits until the node takes pods."""
    tools.require("containerd", "ctr", "runc", "iptables", "ip", "nsenter")
    tools.require_cni()
    cgroups.create(lab.name)
    write_network_config(lab)
    write_kubelet_config(lab)
    lab.apply(storage.CLASS)
    dns.start(lab)
    containerd.start(lab)
    start_kubelet(lab)
    lab.start("kube-proxy", kube_proxy(lab))
    lab.start("storage", storage.command(lab))
    lab.start("policies", policies.command(lab))
    lab.step("DNS ready", lambda: lab.wait_for(lambda: dns.ready(lab), "coredns"))
    lab.step("node ready", lambda: lab.wait_for(lambda: lab.node_ready(NAME), "kubelet", "kube-proxy"))


def start_kubelet(lab):
    """One lab at a time: a kubelet removes what is at DEVICES and then listens there, and ends if that fails."""
    with KUBELET_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lab.start("kubelet", kubelet(lab))
        lab.step("kubelet listens", lambda: lab.wait_for(lambda: kubelet_listens(lab), "kubelet"))


def kubelet_listens(lab):
    """The sockets that are listed are those of the lab's network."""
    try:
        return DEVICES in Path(f"/proc/{lab.pid('kubelet')}/net/unix").read_text()
    except OSError:  # it has ended
        return False


def enter_network(lab, container):
    """The command prefix that runs a program of this machine in the network of a container's pod."""
    tasks = dict(line.split()[:2] for line in containerd.ctr(lab.directory, "-n", "k8s.io", "tasks", "ls").splitlines()[1:])
    return ["nsenter", f"--net=/proc/{tasks[container.removeprefix('containerd://')]}/ns/net"]


def write_network_config(lab):
    """A bridge inside the lab's network. Addresses are remembered in the lab's directory, not in the machine's."""
    addresses = {"type": "host-local", "dataDir": str(lab.directory / "cni-addresses"),
                 "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "lab0", "isGateway": True, "hairpinMode": True,  # nothing leaves the lab
              "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    (lab.directory / "cni").mkdir(exist_ok=True)
    (lab.directory / "cni" / "10-lab.conflist").write_text(json.dumps(
        {"cniVersion": "0.4.0", "name": netns.name_of(lab.name), "plugins": [bridge, ports]}))


def write_kubelet_config(lab):
    here, keys = lab.directory, lab.pki
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": "0.0.0.0",  # logs and exec come to the node's address
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": f"{keys}/ca.crt"}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{keys}/kubelet.crt", "tlsPrivateKeyFile": f"{keys}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{here}/containerd.sock",
        "cgroupDriver": "cgroupfs", "cgroupRoot": cgroups.parent(lab.name), "failCgroupV1": False,
        "enforceNodeAllocatable": [], "failSwapOn": False, "localStorageCapacityIsolation": False,
        "clusterDNS": [dns.SERVICE_ADDRESS], "clusterDomain": "cluster.local", "resolvConf": str(lab.resolv_conf),
        "podLogsDir": f"{here}/pod-logs", "volumePluginDir": f"{here}/volume-plugins",
        # The disk is shared with everything else on the machine: how full it is says nothing about the lab.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"imagefs.available": "1%", "nodefs.available": "1%", "memory.available": "100Mi"},
        "nodeStatusUpdateFrequency": "5s", "syncFrequency": "10s", "registryPullQPS": 0, "eventRecordQPS": 0,
        "kubeAPIQPS": 500, "kubeAPIBurst": 1000, "maxPods": 200,
    }
    (here / "kubelet.json").write_text(json.dumps(config, indent=1) + "\n")


def kubelet(lab):
    return [lab.program("kubelet"), f"--config={lab.directory}/kubelet.json",
            f"--kubeconfig={lab.pki}/kubelet.kubeconfig", f"--hostname-override={NAME}",
            f"--root-dir={lab.directory}/kubelet", f"--cert-dir={lab.directory}/kubelet-certificates",
            f"--node-ip={netns.NODE_ADDRESS}"]


def kube_proxy(lab):
    return [lab.program("kube-proxy"), f"--kubeconfig={lab.pki}/proxy.kubeconfig", f"--hostname-override={NAME}",
            f"--cluster-cidr={control_plane.POD_RANGE}", "--proxy-mode=iptables", "--conntrack-max-per-core=0",
            "--bind-address=127.0.0.1", "--metrics-bind-address=127.0.0.1:10249"]
