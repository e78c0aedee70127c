"""Volumes for claims: gives every pending claim a directory of the node. Runs inside the lab, beside the node.

Each volume is made for one claim and names it, so storage classes and binding modes do not matter. A claim that grows
is told that it has grown, which is all a directory needs; so is one that gets another class of attributes.
"""
import http.client
import json
import shutil
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labkit.client import MERGE, ApiServer  # noqa: E402

CLASS = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "lab/directory",
         "metadata": {"name": "lab", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
         "volumeBindingMode": "Immediate", "allowVolumeExpansion": True}
NOBODYS = "missing"  # claims of this class wait for a volume, as those of a class that there is not do elsewhere
FAST = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": {"name": "fast"},
        "driverName": "lab/directory", "parameters": {"iops": "4000"}}


def command(lab):
    return ["/usr/bin/python3", "-B", Path(__file__).resolve(), lab.pki, lab.directory / "volumes"]


def serve(api, volumes):
    """Follows the claims for ever; every start of the watch begins with those that exist already."""
    while True:
        try:
            connection, response = api.open("GET", "/api/v1/persistentvolumeclaims?watch=true&timeoutSeconds=600",
                                            timeout=700)
            for line in response:
                event = json.loads(line)
                print(event["type"], event["object"].get("metadata", {}).get("name"), flush=True)
                handle(api, volumes, event["type"], event["object"])
            connection.close()
        except (OSError, ValueError, http.client.HTTPException) as problem:
            print("the watch has ended:", problem, flush=True)
        time.sleep(0.5)


def handle(api, volumes, kind, claim):
    if claim.get("kind") != "PersistentVolumeClaim":
        return
    name = "lab-" + claim["metadata"]["uid"]
    directory = volumes / name
    if kind == "DELETED":
        api.request("DELETE", f"/api/v1/persistentvolumes/{name}")
        shutil.rmtree(directory, ignore_errors=True)
    elif claim["spec"].get("storageClassName") == NOBODYS:
        return
    elif claim["status"].get("phase") == "Pending" and not claim["spec"].get("volumeName"):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o777)  # kubelet does not hand a hostPath to the pod's group
        report(api.request("POST", "/api/v1/persistentvolumes", volume(name, directory, claim)))
    elif claim["status"].get("phase") == "Bound":
        if wanted(claim) != claim["status"].get("capacity", {}).get("storage", wanted(claim)):
            grow(api, name, claim)
        if attributes(claim) and attributes(claim) != claim["status"].get("currentVolumeAttributesClassName"):
            modify(api, name, claim)


def wanted(claim):
    return claim["spec"]["resources"]["requests"]["storage"]


def attributes(claim):
    return claim["spec"].get("volumeAttributesClassName")


def volume(name, directory, claim):
    spec, meta = claim["spec"], claim["metadata"]
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
        "capacity": {"storage": wanted(claim)}, "accessModes": spec["accessModes"],
        "storageClassName": spec.get("storageClassName", ""), "volumeMode": spec.get("volumeMode", "Filesystem"),
        **({"volumeAttributesClassName": attributes(claim)} if attributes(claim) else {}),
        "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": str(directory)},
        "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"],
                     "name": meta["name"], "uid": meta["uid"]}}}


def grow(api, name, claim):
    capacity = {"capacity": {"storage": wanted(claim)}}
    change(api, name, claim, capacity, {**capacity, "conditions": None})


def modify(api, name, claim):
    change(api, name, claim, {"volumeAttributesClassName": attributes(claim)},
           {"currentVolumeAttributesClassName": attributes(claim), "modifyVolumeStatus": None})


def change(api, name, claim, spec, status):
    meta = claim["metadata"]
    report(api.request("PATCH", f"/api/v1/persistentvolumes/{name}", {"spec": spec}, content_type=MERGE))
    path = f"/api/v1/namespaces/{meta['namespace']}/persistentvolumeclaims/{meta['name']}/status"
    report(api.request("PATCH", path, {"status": status}, content_type=MERGE))


def report(answer):
    status, body = answer
    if status != 409:  # a second event for a claim that got its volume at the first
        print(status, body.get("message") or body["metadata"]["name"], flush=True)


if __name__ == "__main__":
    serve(ApiServer(None, Path(sys.argv[1]), "lab-storage"), Path(sys.argv[2]))
