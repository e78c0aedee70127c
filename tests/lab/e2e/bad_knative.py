"""As bad_objects.py, in Knative mode: what we refuse, what Knative refuses, and odd objects that serve all the same."""
from .bad_objects import also, container, nothing, pod, put, restate, rows, spec, without

AUTOSCALING = "autoscaling.knative.dev"
CONTAINERS = "spec.template.spec.containers"


def knative(**members):
    return spec(members, "knative")


def annotated(**annotations):
    """Annotations of the template."""
    return put({f"{AUTOSCALING}/{name.replace('_', '-')}": value for name, value in annotations.items()},
               "spec", "template", "metadata", "annotations")


def port(**members):
    return container([{"containerPort": 9080, **members}], "ports")


def second_container(**members):
    return lambda manifest: manifest["spec"]["template"]["spec"]["containers"].append(
        {"name": "second", "image": "docker.io/lab/greeter:1", **members})


def both(*changes):
    def change(manifest):
        for each in changes:
            each(manifest)
    return change


NAMES = {"tag-too-long": "t" * 40, "dot-and-tag": "with.dot"}

INVALID = {  # name -> (change, reason, text in the message)
    "no-ports": (without("spec", "template", "spec", "containers", 0, "ports"), "InvalidSpec", CONTAINERS),
    "no-port-in-ports": (container([], "ports"), "InvalidSpec", CONTAINERS),
    "two-with-ports": (second_container(ports=[{"containerPort": 9081, "name": "h2c"}]), "InvalidSpec", CONTAINERS),
    "port-without-a-name": (port(), "InvalidSpec", CONTAINERS),
    **rows("port", lambda name: port(name=name), ["http", "grpc", "H2C"], "InvalidSpec", CONTAINERS),
    "in-process": (restate("in-process", "tunnelMode"), "InvalidSpec", "spec.restate.tunnelMode"),
    "min-above-max": (knative(minScale=3, maxScale=2), "InvalidSpec", "spec.knative.minScale: is 3"),
    "target-0": (knative(target=0), "InvalidSpec", "spec.knative.target: is 0"),
    "tag-too-long": (knative(tag="x" * 30), "InvalidSpec", "spec.knative.tag"),
    "dot-and-tag": (knative(tag="x"), "InvalidSpec", "metadata.name"),
    "no-containers": (without("spec", "template", "spec", "containers"), "InvalidSpec", CONTAINERS),
    "pod-list": (spec([], "template", "spec"), "InvalidSpec", "spec.template.spec"),
    "mistake-without-a-tag": (both(knative(), port(name="x")), "InvalidSpec", CONTAINERS),
}

REJECTED = {  # name -> (change, text of Knative's in the message)
    "min-scale-below-0": (annotated(min_scale="-1"), f"{AUTOSCALING}/min-scale"),
    "min-scale-no-number": (annotated(min_scale="x"), f"{AUTOSCALING}/min-scale"),
    "annotation-above-the-field": (both(annotated(min_scale="5"), knative(maxScale=3)),
                                   "max-scale=3 is less than min-scale=5"),
    "window": (annotated(window="1s"), f"{AUTOSCALING}/window"),
    "initial-scale-0": (annotated(initial_scale="0"), "initial-scale=0 not allowed by cluster"),
    "class": (annotated(**{"class": f"x.{AUTOSCALING}"}), f"{AUTOSCALING}/class"),
    "host-network": (pod(True, "hostNetwork"), "spec.template.spec.hostNetwork"),
    "long-time-out": (pod(100_000, "timeoutSeconds"), "spec.template.spec.timeoutSeconds"),
    "port-h2c-2": (port(name="h2c-2"), "h2c-2"),
    "two-ports": (container([{"containerPort": 9080, "name": "h2c"}, {"containerPort": 9081}], "ports"), "ports"),
    "no-image": (without("spec", "template", "spec", "containers", 0, "image"), "image"),
    "rollout-duration": (also({"serving.knative.dev/rollout-duration": "soon"}, "metadata", "annotations"),
                         "serving.knative.dev/rollout-duration"),
}

REFUSED = {  # name -> (change, text in the API server's answer)
    **rows("tag", lambda tag: knative(tag=tag), ["", "Blue", "-x", "x-", "1st", "a.b", "a_b"], "spec.knative.tag"),
    "max-scale-below-0": (knative(maxScale=-1), "spec.knative.maxScale"),
    "target-below-0": (knative(target=-1), "spec.knative.target"),
    "scale-text": (knative(minScale="1"), "spec.knative.minScale"),
    "autoscaling": (spec({"maxReplicas": 2}, "autoscaling"), "spec.autoscaling"),
}

SERVING = {  # name -> change; each answers with "v1"
    "without-settings": nothing,
    "empty-settings": knative(),
    "null-settings": spec(None, "knative"),
    "everything-null": knative(tag=None, minScale=None, maxScale=None, target=None),
    "no-selector": without("spec", "selector"),
    "replicas-do-not-count": spec(0, "replicas"),
    "no-limit": knative(tag="x", minScale=2, maxScale=0),
    "a-second-container": second_container(env=[{"name": "PORT", "value": "9180"}]),
    "own-annotation-wins": both(annotated(min_scale="1"), knative(minScale=0)),
    "a-short-rollout": also({"serving.knative.dev/rollout-duration": "1s"}, "metadata", "annotations"),
}
