"""CoreDNS, as a process beside the node rather than a pod: no image, and host processes can ask it too. What is outside
of the cluster has its names in a hosts file, which programs in the lab find at the usual place.
"""
from . import netns, pki

SERVICE_ADDRESS = "10.96.0.10"


def start(lab):
    lab.resolv_conf.write_text(f"nameserver {netns.NODE_ADDRESS}\nsearch svc.cluster.local cluster.local\n"
                               "options ndots:5\n")
    lab.hosts.write_text("127.0.0.1 localhost\n" + f"{netns.NODE_ADDRESS} {' '.join(pki.CLOUD_HOSTS)}\n")
    corefile = lab.directory / "Corefile"
    corefile.write_text(f""".:53 {{
  bind {netns.NODE_ADDRESS}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {lab.pki}/lab.kubeconfig lab
  }}
  cache 2
}}
""")
    if lab.start("coredns", [lab.program("coredns"), "-conf", corefile]):
        lab.apply(*service())


def ready(lab):
    try:
        return lab.http("GET", "127.0.0.1", 8181, "/ready", timeout=2)[0] == 200
    except OSError:
        return False


def service():
    """Pods reach it under the usual Service address; the endpoint is made by hand, as no pod stands behind it."""
    def ports():
        return [{"name": name, "port": 53, "protocol": protocol}
                for name, protocol in (("dns", "UDP"), ("dns-tcp", "TCP"))]
    meta = {"name": "kube-dns", "namespace": "kube-system"}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {**meta, "labels": {"k8s-app": "kube-dns"}},
         "spec": {"clusterIP": SERVICE_ADDRESS, "ports": ports()}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports(),
         "metadata": {**meta, "labels": {"kubernetes.io/service-name": "kube-dns"}},
         "endpoints": [{"addresses": [netns.NODE_ADDRESS]}]},
    ]
