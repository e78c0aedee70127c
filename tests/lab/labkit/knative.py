"""Knative Serving: its controllers, webhook, autoscaler and activator, and an ingress of our own (knative/main.go), as
processes beside the node.

Each listens on fixed ports, so each has a network namespace of its own, linked to the lab's.
"""
from . import binaries, containerd, images, netns

NAMESPACE = "knative-serving"
API = "/apis/serving.knative.dev/v1"
KINDS = ("configuration", "route", "revision")
GATEWAY = "gateway"
# Name -> the ports of its Service, (name, port, where it listens). The position decides the address.
PARTS = {
    "controller": [],
    "autoscaler": [("http", 8080, 8080)],
    "webhook": [("https-webhook", 443, 8443)],
    "activator": [("http", 80, 8012), ("http2", 81, 8013)],
    GATEWAY: [("http2", 80, 8080)],
}
SERVICES = {"activator": "activator-service"}  # where Knative expects another name than that of the part
SETTINGS = {
    "config-deployment": {"queue-sidecar-image": images.QUEUE, "queue-sidecar-cpu-request": "10m",
                          "registries-skipping-tag-resolving": "docker.io,index.docker.io"},
    "config-network": {"ingress-class": "lab.ingress.networking.knative.dev"},
    # The shortest that Knative admits: with its minute, a test would wait for two until idle pods are gone.
    "config-autoscaler": {"stable-window": "6s"},
}
SECRETS = {"routing-serving-certs": {"networking.internal.knative.dev/certificate-uid": "serving-certs"},
           "serving-certs-ctrl-ca": {}}  # name -> labels; the controller ends without them


def start(lab):
    """Starts what does not run yet and waits until the webhook takes objects and requests find their way."""
    files = binaries.knative(lab.say)
    archive = images.queue(lab.say)
    lab.step("Knative installed", lambda: install(lab, files, archive))
    for part in PARTS:
        netns.create_inner(lab.name, part, number(part))
        lab.start(f"knative-{part}", command(lab, files, part), environment(part), dns=True, network=part)
    lab.step("Knative ready", lambda: lab.wait_for(lambda: admits(lab) and activates(lab),
                                                   *(f"knative-{part}" for part in PARTS)))


def install_crds(lab):
    """The kinds that a user of Knative writes, for an operator that finds them without anybody who acts on them."""
    lab.kubectl("apply", "--server-side", *definitions(lab))
    lab.wait_for(lambda: served(lab), "kube-apiserver", timeout=30)


def remove_crds(lab):
    """Returns when they are gone, and with them all objects of their kinds."""
    lab.kubectl("delete", "--ignore-not-found", *definitions(lab))
    lab.wait_for(lambda: not any(found(lab)), "kube-apiserver", timeout=60)


def definitions(lab):
    files = binaries.knative(lab.say) / "crds"
    return [word for kind in KINDS for word in ("-f", files / f"{kind}.yaml")]


def served(lab):
    return all(found(lab))


def found(lab):
    return [lab.api.request("GET", f"{API}/{kind}s?limit=1")[0] == 200 for kind in KINDS]


def install(lab, files, archive):
    """What the processes look for, once per lab; and the kinds, where a test has removed them meanwhile."""
    done = lab.directory / "knative-installed"
    complete = done.exists() and done.read_text() == str(files)
    if complete and served(lab):
        return False
    lab.kubectl("apply", "--server-side", "-f", files / "crds")
    lab.wait_for(lambda: served(lab), "kube-apiserver", timeout=60)
    if not complete:
        containerd.load(lab.directory, archive)
        install_configuration(lab, files)
        done.write_text(str(files))
    return True


def install_configuration(lab, files):
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-n", NAMESPACE, "-f", files / "configmaps")
    lab.apply(*map(config_map, SETTINGS), *map(secret, SECRETS))
    lab.apply(*(item for part, ports in PARTS.items() if ports for item in service(part, ports)))
    lab.kubectl("apply", "--server-side", "-f", files / "webhooks")


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE},
            "data": SETTINGS[name]}


def secret(name):
    return {"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": SECRETS[name]}}


def service(part, ports):
    """The Service of a part. Endpoints, not a slice, because Knative copies those of the activator."""
    name = SERVICES.get(part, part)
    metadata = {"name": name, "namespace": NAMESPACE}
    return [{"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [
                {"name": port, "port": number, "targetPort": target} for port, number, target in ports]}},
            {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [
                {"addresses": [{"ip": address(part)}],
                 "ports": [{"name": port, "port": target} for port, _, target in ports]}]}]


def number(part):
    return list(PARTS).index(part) + 1


def address(part):
    return netns.inner_address(number(part))


def command(lab, files, part):
    line = [files / "bin" / part, "-kubeconfig", lab.pki / "lab.kubeconfig"]
    return [*line, "-domain", f"{GATEWAY}.{NAMESPACE}.svc.cluster.local"] if part == GATEWAY else line


def environment(part):
    """What their Deployments would tell them."""
    return {"SYSTEM_NAMESPACE": NAMESPACE, "POD_NAME": f"{part}-0", "POD_IP": address(part),
            "CONFIG_LOGGING_NAME": "config-logging", "CONFIG_OBSERVABILITY_NAME": "config-observability",
            "METRICS_DOMAIN": "knative.dev/serving", "KUBERNETES_MIN_VERSION": "v1.20.0",
            "WEBHOOK_NAME": "webhook", "WEBHOOK_PORT": "8443"}


def admits(lab):
    """Whether the webhook completes an object and refuses a bad one. Before it is asked at all, neither happens."""
    def dry_run(**annotations):
        template = {"metadata": {"annotations": annotations},
                    "spec": {"containers": [{"image": "docker.io/lab/nothing:1"}]}}
        status, answer = lab.api.request("POST", f"{API}/namespaces/default/configurations?dryRun=All", {
            "apiVersion": "serving.knative.dev/v1", "kind": "Configuration", "metadata": {"name": "probe"},
            "spec": {"template": template}})
        return answer["spec"]["template"]["spec"].get("timeoutSeconds") if status == 201 else None
    return dry_run() and not dry_run(**{"autoscaling.knative.dev/min-scale": "-1"})


def activates(lab):
    """Whether the activator is up, which it is when the autoscaler is, and the ingress."""
    try:
        probe = lab.http("GET", address("activator"), 8012, "/", headers={"K-Kubelet-Probe": "activator"}, timeout=2)
        return probe[0] == 200 and lab.http("GET", address(GATEWAY), 8080, "/", timeout=2)[0] == 404
    except OSError:
        return False
