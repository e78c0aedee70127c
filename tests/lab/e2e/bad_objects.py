"""What a good manifest is made into: objects that cannot work, and odd ones that can.

Each table has its answer: the schema refuses (REFUSED), we refuse and make nothing (INVALID), another server refuses
what we ask it for (REJECTED), or it works (FINE: without pods, SERVING: with them).
"""
NAMES = {  # where the name is the point; the key of a row is the object's name otherwise
    "name-63": "n" * 63, "name-64": "n" * 64, "name-240": "n" * 240, "name-253": "n" * 253, "name-52": "n" * 52,
    "name-with-a-dot": "with.dot", "name-with-a-digit": "1st"}


def at(value, *path):
    for key in path:
        value = value[key]
    return value


def without(*path):
    def change(manifest):
        del at(manifest, *path[:-1])[path[-1]]
    return change


def put(value, *path):
    def change(manifest):
        at(manifest, *path[:-1])[path[-1]] = value
    return change


def also(value, *path):
    """Adds to a map."""
    def change(manifest):
        at(manifest, *path[:-1]).setdefault(path[-1], {}).update(value)
    return change


def spec(value, *path):
    return put(value, "spec", *path)


def pod(value, *path):
    return put(value, "spec", "template", "spec", *path)


def restate(value, *path):
    return put(value, "spec", "restate", *path)


def register(**value):
    return restate(value, "register")


def service(**changed):
    return register(service={"name": "restate-tap", "namespace": "restate", **changed})


def container(value, name):
    return put(value, "spec", "template", "spec", "containers", 0, name)


def greeting(text):
    return put(text, "spec", "template", "spec", "containers", 0, "env", 0, "value")


def nothing(manifest):
    pass


def rows(prefix, change, values, *answer):
    return {f"{prefix}-{number}": (change(value), *answer) for number, value in enumerate(values)}


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"deeper": value}
    return value


OURS = {"app.kubernetes.io/managed-by": "me", "restate.dev/owned-by": "me", "pod-template-hash": "me"}
RESERVED = {f"restate.dev/{name}": "mine" for name in (
    "deployment-id", "remove-version-at", "pod-template", "tunnel-name", "registered-at", "tag", "deployment")}
KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"
LONG = "x" * 65536
INT32, INT64 = 2 ** 31, 2 ** 63

CLUSTERS = ["", "a.b", "x/../y", "x@host", "Upper", LONG]
SERVICE_NAMES = ["", "attacker.example/", "a@b", "127.0.0.1:80/?", "x/#", "Upper"]
PATHS = ["../x", "a/../../x", "?a", "#", "a/%2e%2e/b", "a//b"]
# Not among them: loopback. An operator outside of the cluster, as here, may have Restate beside itself.
URLS = ["", "x", "//h", "http:", "http://", "ftp://h/", "file:///etc/passwd", "data:text/plain,x", "http://[::1]:9070/",
        "http://[::ffff:169.254.169.254]/", "http://169.254.169.254/", "http://metadata.google.internal/",
        "http://kubernetes.default.svc/", "http://kubernetes.default.svc.cluster.local/", "http://user:pw@h/",
        "http://h:0/", "http://h:65536/", "http://h:x/", "http://b\u00fccher.example/", f"http://{LONG}/",
        "http://h/../x", "http://h/?a", "http://h/#a", "http://h\r\nX: y/"]
CLIMBING = ["../../..", "%2e%2e/x", "..\\..\\x", "a/./b"]

INVALID = {  # name -> (change, reason, text in the message)
    "name-63": (nothing, "InvalidSpec", "metadata.name"),
    "name-64": (nothing, "InvalidSpec", "metadata.name"),
    "name-240": (nothing, "InvalidSpec", "metadata.name"),
    "name-253": (nothing, "InvalidSpec", "metadata.name"),
    "name-with-a-dot": (nothing, "InvalidSpec", "metadata.name"),
    "name-with-a-digit": (nothing, "InvalidSpec", "metadata.name"),
    "no-selector": (without("spec", "selector"), "InvalidSpec", "spec.selector"),
    "selector-mismatch": (spec({"app": "other"}, "selector", "matchLabels"), "InvalidSpec",
                          "spec.selector.matchLabels: app=other"),
    "selector-with-hash": (also({"pod-template-hash": "1"}, "spec", "selector", "matchLabels"), "InvalidSpec",
                           "spec.selector.matchLabels: pod-template-hash"),
    "pod-list": (spec([], "template", "spec"), "InvalidSpec", "spec.template.spec"),
    "pod-text": (spec("x", "template", "spec"), "InvalidSpec", "spec.template.spec"),
    "pod-number": (spec(5, "template", "spec"), "InvalidSpec", "spec.template.spec"),
    "no-containers": (without("spec", "template", "spec", "containers"), "InvalidSpec",
                      "spec.template.spec.containers"),
    "empty-containers": (pod([], "containers"), "InvalidSpec", "spec.template.spec.containers"),
    "containers-map": (pod({}, "containers"), "InvalidSpec", "spec.template.spec.containers"),
    "containers-of-numbers": (pod([5], "containers"), "InvalidSpec", "spec.template.spec.containers"),
    "template-of-256-kib": (greeting("x" * 256 * 1024), "InvalidSpec", "spec.template: is 26"),
    "limit-too-large": (spec(INT32, "revisionHistoryLimit"), "InvalidSpec", "spec.revisionHistoryLimit"),
    "cloud": (register(cloud="env"), "RestateCloudEnvironmentNotFound", "spec.restate.register.cloud: there is no"),
    "tunnel": (restate("in-process", "tunnelMode"), "InvalidSpec", "spec.restate.tunnelMode: in-process needs"),
    **rows("cluster", lambda name: register(cluster=name), CLUSTERS, "InvalidRestateConfig",
           "spec.restate.register.cluster: must be the name"),
    **rows("service-name", lambda name: service(name=name), SERVICE_NAMES, "InvalidRestateConfig",
           "spec.restate.register.service.name: "),
    **rows("service-namespace", lambda name: service(namespace=name), ["", "a.b", "x/#"], "InvalidRestateConfig",
           "spec.restate.register.service.namespace: "),
    **rows("service-path", lambda path: service(path=path), PATHS, "InvalidRestateConfig",
           "spec.restate.register.service.path: "),
    **rows("url", lambda url: register(url=url), URLS, "InvalidRestateConfig", "spec.restate.register.url: "),
    **rows("climbing", lambda path: restate(path, "servicePath"), CLIMBING, "InvalidSpec",
           "spec.restate.servicePath: "),
}

REJECTED = {  # name -> (change, status, reason, text in the message)
    "no-image": (pod([{"name": "UPPER CASE"}], "containers"), "Unknown", "FailedReconcile", "containers[0].name"),
    "no-room-for-ours": (put({"a": "x" * 261_900}, "metadata", "annotations"), "Unknown", "FailedReconcile",
                         "metadata.annotations: Too long"),
    "env-no-list": (container("x", "env"), "Unknown", "FailedReconcile", "env"),
    "a-fraction": (pod(1.5, "terminationGracePeriodSeconds"), "Unknown", "FailedReconcile",
                   "terminationGracePeriodSeconds"),
    "expressions-mismatch": (spec({"matchExpressions": [{"key": "app", "operator": "In", "values": ["other"]}]},
                                  "selector"), "Unknown", "FailedReconcile", "selector"),
    "expressions-without-values": (spec({"matchExpressions": [{"key": "app", "operator": "In", "values": []}]},
                                        "selector"), "Unknown", "FailedReconcile", "values"),
    "cluster-missing": (register(cluster="missing"), "False", "InvalidRestateConfig",
                        "spec.restate.register.cluster: there is no RestateCluster missing"),
    "namespace-missing": (service(namespace="missing"), "False", "AdminCallFailed", "restate-tap.missing.svc"),
    "path-of-nothing": (service(path="/api/"), "False", "AdminCallRejected", "404"),
    "path-with-slashes": (service(path="//h"), "False", "AdminCallRejected", "404"),
    "http11": (restate(True, "useHttp11"), "False", "AdminCallRejected", "META0"),
}

REFUSED = {  # name -> (change, text in the API server's answer)
    "replicas-below-0": (spec(-1, "replicas"), "spec.replicas"),
    "replicas-too-large": (spec(INT32, "replicas"), "spec.replicas"),
    "limit-below-0": (spec(-1, "revisionHistoryLimit"), "spec.revisionHistoryLimit"),
    "min-ready-below-0": (spec(-1, "minReadySeconds"), "spec.minReadySeconds"),
    "unknown-mode": (spec("Knative", "deploymentMode"), "spec.deploymentMode"),
    "min-scale-below-0": (spec({"minScale": -1}, "knative"), "spec.knative.minScale"),
    "tag": (spec({"tag": "Latest"}, "knative"), "spec.knative.tag"),
    "autoscaled-knative": (lambda m: m["spec"].update(deploymentMode="knative", autoscaling={}), "spec.autoscaling"),
    "autoscaling-text": (spec("x", "autoscaling"), "spec.autoscaling"),
    "pod-null": (spec(None, "template", "spec"), "spec.template.spec"),
    "no-template": (without("spec", "template"), "spec.template"),
    "no-restate": (without("spec", "restate"), "spec.restate"),
    "no-register": (without("spec", "restate", "register"), "spec.restate.register"),
    "register-nothing": (register(), "spec.restate.register"),
    "register-two": (register(cluster="c", url="http://restate.example:9070/"), "spec.restate.register"),
    "register-null": (register(cluster=None), "spec.restate.register"),
    "register-all-null": (register(cluster=None, cloud=None, service=None, url=None), "spec.restate.register"),
    "port-0": (service(port=0), "spec.restate.register.service.port"),
    "port-65536": (service(port=65536), "spec.restate.register.service.port"),
    "service-without-name": (register(service={"namespace": "restate"}), "spec.restate.register.service.name"),
    "service-without-namespace": (register(service={"name": "restate"}), "spec.restate.register.service.namespace"),
    "delay-below-0": (restate(-1, "drainDelaySeconds"), "spec.restate.drainDelaySeconds"),
    "delay-too-large": (restate(INT64, "drainDelaySeconds"), "spec.restate.drainDelaySeconds"),
    "timeout-below-0": (restate({"timeoutSeconds": -1}, "drain"), "spec.restate.drain.timeoutSeconds"),
    "unknown-on-timeout": (restate({"onTimeout": "kill"}, "drain"), "spec.restate.drain.onTimeout"),
    "unknown-policy": (restate("later", "deletePolicy"), "spec.restate.deletePolicy"),
    "policy-null": (restate(None, "deletePolicy"), "spec.restate.deletePolicy"),  # null is none of the values
    "unknown-tunnel": (restate("none", "tunnelMode"), "spec.restate.tunnelMode"),
    "http11-text": (restate("true", "useHttp11"), "spec.restate.useHttp11"),
    "label-number": (spec({"labels": {"app": 5}}, "template", "metadata"), "spec.template.metadata.labels"),
}

FINE = {  # name -> change; spec.replicas is 0
    "no-replicas": nothing,
    "labels-of-ours": put(OURS, "metadata", "labels"),
    "labels-1000": put({f"l{number}": "x" for number in range(1000)}, "metadata", "labels"),
    "applyset-labels": put({"applyset.kubernetes.io/part-of": "x"}, "metadata", "labels"),
    "reserved-annotations": put(RESERVED, "metadata", "annotations"),
    "last-applied-of-200-kib": put({KUBECTL: "x" * 200 * 1024}, "metadata", "annotations"),
    "finalizers-50": put([f"lab.example/f{number}" for number in range(50)], "metadata", "finalizers"),
    "pod-labels-of-ours": also(OURS, "spec", "template", "metadata", "labels"),
    "pod-label-of-a-cluster": also({"allow.restate.dev/other": "true"}, "spec", "template", "metadata", "labels"),
    "empty-selector": spec({}, "selector"),
    "template-of-200-kib": greeting("x" * 200 * 1024),
    "unknown-field": pod({"a": [None, {}]}, "unknown"),
    "duplicate-env": lambda m: m["spec"]["template"]["spec"]["containers"][0]["env"].append(
        {"name": "GREETING", "value": "again"}),
    "privileged": container({"privileged": True}, "securityContext"),
    "host-network": pod(True, "hostNetwork"),
    "a-float": pod(1.0, "terminationGracePeriodSeconds"),
    "nested-127": pod(nested(127), "unknown"),
    "nested-129": pod(nested(129), "unknown"),
    "nested-300": pod(nested(300), "unknown"),  # deeper ones, Python cannot read in the audit log
    "limit-0": spec(0, "revisionHistoryLimit"),
    "limit-of-int32": spec(INT32 - 1, "revisionHistoryLimit"),
    "delay-0": restate(0, "drainDelaySeconds"),
    "delay-null": restate(None, "drainDelaySeconds"),
    "delay-past-year-9999": restate(260_000_000_000, "drainDelaySeconds"),
    "delay-of-int64": restate(INT64 - 1, "drainDelaySeconds"),
    "timeout-of-int64": restate({"timeoutSeconds": INT64 - 1}, "drain"),
    "force-with-drain": lambda m: m["spec"]["restate"].update(deletePolicy="force", drain={"timeoutSeconds": 0}),
    "everything-null": lambda m: m["spec"]["restate"].update(dict.fromkeys(
        ("servicePath", "useHttp11", "drainDelaySeconds", "drain"))),
    "autoscaling-null": spec(None, "autoscaling"),
    "empty-autoscaling": spec({}, "autoscaling"),  # nothing drains
}

UNICODE = "Gr\u00fc\u00dfe \u202e\u0301 \U0001f600\t\ufeff\x7f"
SERVING = {  # name -> (change, what it answers to a greeting)
    "name-52": (nothing, "v1"),
    "expressions-only": (lambda m: m["spec"].update(
        selector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}), "v1"),
    "unicode": (greeting(UNICODE), UNICODE),
    "dollars": (greeting("$(SERVICE_NAME) $$(X) ${X} $(id) `id` {{ .Values }}"),
                "$(SERVICE_NAME) $(X) ${X} $(id) `id` {{ .Values }}"),  # Kubernetes' own rules
    "path-absolute": (restate("http://elsewhere/", "servicePath"), "v1"),
    "path-to-escape": (restate("a b?c#d", "servicePath"), "v1"),
    "path-of-slashes": (restate("//evil/", "servicePath"), "v1"),
}
