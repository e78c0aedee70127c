"""Changes of a good RestateCluster's manifest, field by field."""
from .bad_objects import put, spec


def numbered(prefix, change, values):
    return {f"{prefix}-{number}": change(value) for number, value in enumerate(values)}


def compute(value, *path):
    return spec(value, "compute", *path)


def security(value, *path):
    def change(manifest):
        manifest["spec"].setdefault("security", {})
        put(value, "spec", "security", *path)(manifest)
    return change


def peers(**lists):
    return security(lists, "networkPeers")


def provisioned(config, *env):
    """The operator is to provision; the servers have this configuration and these variables."""
    def change(manifest):
        manifest["spec"].update(cluster={"autoProvision": True}, config=config)
        manifest["spec"]["compute"]["env"] = list(env)
    return change


def both(*changes):
    def change(manifest):
        for one in changes:
            one(manifest)
    return change


def variable(name="RESTATE_AUTO_PROVISION", **source):
    return {"name": name, **source}


def env(*variables):
    return compute(list(variables), "env")


def volumes(*names, **source):
    return compute([{"name": name, **(source or {"emptyDir": {}})} for name in names], "extraVolumes")


def mounts(*paths, **more):
    return both(volumes("x"), compute([{"name": "x", "mountPath": path, **more} for path in paths],
                                      "extraVolumeMounts"))


def sidecars(*names, **more):
    return compute([{"name": name, "image": "sidecar:1", **more} for name in names], "sidecars")


def signing(secret=("s", "k"), path=None, version="v1", **provider):
    def change(manifest):
        key = {"version": version}
        if secret:
            key["secret"] = {"secretName": secret[0], "key": secret[1]}
        if path is not None:
            key["secretProvider"] = {"path": path, **provider}
        security(key, "requestSigningPrivateKey")(manifest)
    return change


def certs(*items):
    return security([{"secretName": name, "key": key} for name, key in items], "trustedCaCerts")


def google(email):
    return security({"iam.gke.io/gcp-service-account": email}, "serviceAccountAnnotations")


def toleration(**more):
    return compute([more], "tolerations")


def affinity(expression):
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return compute({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}, "affinity")


def spread(**more):
    return compute([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", **more}],
                   "topologySpreadConstraints")


def resources(limits=None, **requests):
    return compute({"requests": requests, **({"limits": limits} if limits else {})}, "resources")


def many(count, **more):
    return {f"key-{number}": "x" for number in range(count)} | more
