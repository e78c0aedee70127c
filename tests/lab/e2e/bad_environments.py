"""What a good RestateCloudEnvironment is made into: ones that cannot work, and odd ones that can.

Each table has its answer: the schema refuses (REFUSED), we refuse and make nothing (INVALID), the API server refuses
what we ask it for (REJECTED), or it works (FINE).
"""
from .bad_objects import INT32, KUBECTL, LONG, rows, spec

NAMES = {"name-with-a-dot": "with.dot", "name-56": "n" * 56, "name-57": "n" * 57}


def tunnel(value, name):
    return lambda body: body["spec"].setdefault("tunnel", {}).update({name: value})


def secret(value, name):
    return spec(value, "authentication", "secret", name)


def metadata(value, name):
    return lambda body: body["metadata"].update({name: value})


def nothing(body):
    pass


def variable(name, **value):
    return {"name": name, **value}


FOREIGN = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "somebody", "key": "k", "optional": True}}}
OURS = {"app.kubernetes.io/name": "me", "app.kubernetes.io/instance": "me", "app.kubernetes.io/managed-by": "me"}
DIGEST = "restate.dev/bearer-token-digest"

REFUSED = {
    "name-57": nothing,
    "env-twice": tunnel([variable("A", value="1"), variable("A", value="2")], "env"),
    "env-is-a-map": tunnel({"A": "1"}, "env"),
    "affinity-is-text": tunnel("x", "affinity"),
}

INVALID = {  # name -> (change, how the message begins)
    "name-with-a-dot": (nothing, "metadata.name: "),
    **rows("id", lambda value: spec(value, "environmentId"),
           ["env_", "", "env_a b", "env_x@attacker.example/", "201kabc", "env_a.b", "env_a\n", LONG],
           "spec.environmentId: "),
    **rows("region", lambda value: spec(value, "region"),
           ["x/#", "x/?", "us.", ".us", "a..b", "US", "", "r" * 250, LONG], "spec.region: "),
    **rows("key", lambda value: spec(value, "signingPublicKey"),
           ["", "publickeyv2_a", "publickeyv1_", "publickeyv1_a\n", "publickeyv1_" + LONG], "spec.signingPublicKey: "),
    **rows("secret-name", lambda value: secret(value, "name"), ["", "a/b", "../x", "Upper", LONG],
           "spec.authentication.secret.name: "),
    **rows("secret-key", lambda value: secret(value, "key"), ["", "a/b", "..", "../x", LONG],
           "spec.authentication.secret.key: "),
    "replicas-below-0": (tunnel(-1, "replicas"), "spec.tunnel.replicas: must be 0 or more"),
    "replicas-of-int32": (tunnel(INT32, "replicas"), "spec.tunnel.replicas: "),
    **rows("amount", lambda value: tunnel({"limits": {"memory": value}}, "resources"), ["1e3m", "", "a lot", "1 Gi"],
           "spec.tunnel.resources.limits.memory: is no amount"),
    "image-empty": (tunnel("", "image"), "spec.tunnel.image: must not be empty"),
    "claims-twice": (tunnel({"claims": [{"name": "a"}, {"name": "a"}]}, "resources"),
                     "spec.tunnel.resources.claims[1]: "),
    "annotations-too-long": (metadata({"a": "x" * (256 * 1024 - 20)}, "annotations"), "metadata.annotations: "),
}

REJECTED = {  # name -> (change, text in the message)
    "pull-policy": (tunnel("always", "imagePullPolicy"), "imagePullPolicy"),
    "dns-policy": (tunnel("None", "dnsPolicy"), "dnsConfig"),
    "limits-below-requests": (tunnel({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}, "resources"), "limit"),
    "toleration": (tunnel([{"key": "a", "operator": "Sometimes"}], "tolerations"), "operator"),
    "env-with-two-sources": (tunnel([{**FOREIGN, "value": "1"}], "env"), "valueFrom"),
    "node-selector": (tunnel({"a b": "c"}, "nodeSelector"), "nodeSelector"),
}

FINE = {
    "name-56": nothing,
    "region-byoc": spec("abc.byoc", "region"),
    "no-pods": tunnel(0, "replicas"),
    "empty-tunnel": lambda body: body["spec"].update(tunnel={}),
    "env-of-ours": tunnel([variable("RESTATE_BEARER_TOKEN_FILE", value="/x"),
                           variable("RESTATE_TUNNEL_NAME", value="x"),
                           variable("A", value="$(B) ${B} $$(B)"), FOREIGN], "env"),
    "labels-of-ours": metadata(OURS, "labels"),
    "annotations-of-ours": metadata({DIGEST: "mine", KUBECTL: "{}"}, "annotations"),
    "resources-empty": tunnel({}, "resources"),
    "quantities": tunnel({"requests": {"cpu": "5e-1", "memory": "1.5Gi"}, "limits": {"memory": "2048Mi"}}, "resources"),
    "affinity-empty": tunnel({}, "affinity"),
    "nowhere": tunnel({"no": "where"}, "nodeSelector"),
}
