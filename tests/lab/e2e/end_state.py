"""What is there when all is done, in words that are the same in every run: versions instead of hashes and ids."""
import json
import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
CLUSTER_KINDS = ("serviceaccounts", "configmaps", "services", "persistentvolumeclaims", "poddisruptionbudgets",
                 "networkpolicies", "statefulsets")
RANDOM = ("clusterIP", "clusterIPs", "volumeName")
VOLUMES = ("volume.", "pv.")  # annotations by which Kubernetes remembers how a claim got its volume
POD_TEMPLATE = "restate.dev/pod-template"  # is what the version's name is made of


def end_state(service):
    """A dictionary of the object, its versions, their Services, and what Restate has of it."""
    sets = service.replica_sets()
    names = {item["metadata"]["name"]: greeting_of(item) for item in sets}
    deployments = service.deployments()
    state = normalised({"object": object_state(service.object()),
                        "versions": [version_state(item) for item in sets],
                        "services": [service_state(item) for item in services_of(service)],
                        "registrations": [found["uri"] for found in deployments],
                        "latest": service.latest()}, service, names, deployments)
    return {what: sorted(found, key=str) if isinstance(found, list) else found for what, found in state.items()}


def cluster_state(cluster):
    """The same of a RestateCluster: the object and all that it is made of."""
    made = {kind: [child_state(item) for item in cluster.list(kind).values()] for kind in CLUSTER_KINDS}
    state = {"object": object_state(cluster.object()), **made}
    return json.loads(TIME.sub("TIME", json.dumps(state, sort_keys=True).replace(cluster.name, "NAME")))


def environment_state(environment):
    """The same of a RestateCloudEnvironment."""
    found = environment.object()
    children = {kind: environment.child(kind) for kind in ("deployments", "services")}
    made = {kind: child and child_state(child) for kind, child in children.items()}
    text = json.dumps({"object": object_state(found), **made}, sort_keys=True).replace(environment.name, "NAME")
    return json.loads(TIME.sub("TIME", text.replace(found["metadata"]["uid"], "UID") if found else text))


def knative_state(service):
    """The same of a service in Knative mode."""
    configurations = service.configurations()
    names = {name: greeting_of(item) for name, item in configurations.items()}
    deployments = service.deployments()
    state = normalised({"object": object_state(service.object()),
                        "configurations": [configuration_state(item, len(service.revisions(name)))
                                           for name, item in configurations.items()],
                        "routes": [route_state(item) for item in service.list("routes").values()],
                        "registrations": [found["uri"] for found in deployments],
                        "latest": service.latest()}, service, names, deployments)
    return {what: sorted(found, key=str) if isinstance(found, list) else found for what, found in state.items()}


def route_state(item):
    return {**metadata_state(item), "traffic": item["spec"]["traffic"]}


def configuration_state(item, revisions):
    return {**metadata_state(item), "generation": item["metadata"]["generation"], "revisions": revisions,
            "template": item["spec"]["template"]["metadata"], "latest": item["status"]["latestReadyRevisionName"]}


def name_in(uri):
    return uri.split("//")[1].split(".")[0]


def child_state(item):
    spec = {name: value for name, value in item.get("spec", {}).items() if name not in RANDOM}
    return {**metadata_state(item), "spec": spec, "data": item.get("data")}


def object_state(found):
    return found and {"finalizers": found["metadata"].get("finalizers"), "generation": found["metadata"]["generation"],
                      "deleted": "deletionTimestamp" in found["metadata"], "status": status_of(found)}


def status_of(found):
    """Without the state of each call: one that waits is suspended after a minute, whatever the operator does."""
    status = found.get("status", {})
    for version in status.get("versions", []):
        version["invocations"] = sum(version.get("invocations", {}).values())
    return status


def version_state(item):
    status = item["status"]
    return {**metadata_state(item), "wanted": item["spec"]["replicas"], "replicas": status["replicas"],
            "ready": status.get("readyReplicas", 0)}


def service_state(item):
    spec = item["spec"]
    return {**metadata_state(item), "selector": spec["selector"], "ports": spec["ports"]}


def metadata_state(item):
    metadata = item["metadata"]
    annotations = {name: value for name, value in metadata.get("annotations", {}).items()
                   if name != POD_TEMPLATE and not name.startswith(VOLUMES)}
    return {"name": metadata["name"], "annotations": annotations, "labels": metadata["labels"],
            "owners": [owner["name"] for owner in metadata.get("ownerReferences", [])],
            "deleted": "deletionTimestamp" in metadata}


def services_of(service):
    """The Services of versions, also of ones that are gone: they would be left over."""
    return service.get(f"/api/v1/namespaces/{service.namespace}/services")["items"]


def greeting_of(item):
    container = item["spec"]["template"]["spec"]["containers"][0]
    return next(variable["value"] for variable in container["env"] if variable["name"] == "GREETING")


def normalised(state, service, names, deployments):
    """Names of versions, ids, times and the namespace replaced by what they stand for."""
    text = json.dumps(state, sort_keys=True)
    for found in deployments:
        text = text.replace(found["id"], f"id of {names.get(name_in(found['uri']), 'a version that is gone')}")
    for name, greeting in names.items():
        text = text.replace(name, f"{service.name}-{greeting}").replace(name.rpartition("-")[2], f"hash of {greeting}")
    if url := service.options["register"].get("url"):  # the proxy of this run
        text = text.replace(url, "RESTATE")
    text = text.replace(service.handlers, "HANDLERS").replace(service.namespace, "NAMESPACE")
    return json.loads(TIME.sub("TIME", text))


def differences(expected, found, path=""):
    """Where two end states differ, one line each."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key in sorted({*expected, *found})
                for line in differences(expected.get(key), found.get(key), f"{path}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [line for number, pair in enumerate(zip(expected, found))
                for line in differences(*pair, f"{path}/{number}")]
    return [] if expected == found else [f"{path}: {found!r}, without a crash {expected!r}"]
