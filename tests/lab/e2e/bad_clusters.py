"""What a good RestateCluster is made into that cannot work. (What can: odd_clusters.py.)

Each table has its answer: the schema refuses (REFUSED), we refuse and make nothing (INVALID), the API server refuses
one of the objects that we ask for and has the others (REJECTED), its pods do not start (UNSTARTED), or others who look
after its identity have their say (WAITING). In a text, NAME is the name of the row's cluster.
"""
from .bad_objects import INT32, INT64, LONG, nothing, put, rows, spec
from .cluster_changes import (affinity, both, certs, compute, env, google, mounts, peers, provisioned, resources,
                              security, sidecars, signing, spread, toleration, variable, volumes)

NAMES = {  # where the name is the point; otherwise that of a cluster is its row's
    "name-63": "n" * 63, "name-64": "n" * 64, "name-with-a-dot": "with.dot", "name-with-a-digit": "1st",
    "name-kube-system": "kube-system", "name-kube-public": "kube-public", "name-kube-node-lease": "kube-node-lease",
    "name-default": "default", "name-of-the-operator": "restate-operator", "name-of-somebody": "odd-somebody",
    "replicas-1000": "odd-quota"}
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": "odd-quota"},
         "spec": {"hard": {"pods": "0", "persistentvolumeclaims": "0"}}}
KIB, MIB = 1024, 1024 * 1024


def named(row):
    return NAMES.get(row, f"odd-{row}")


POD_NAME = {"fieldRef": {"fieldPath": "metadata.name"}}
FALSE = {"name": "RESTATE_AUTO_PROVISION", "value": "false"}
OFF = "auto-provision = false\n"
ANNOTATION = "iam.gke.io/gcp-service-account"
SIGNING = "spec.security.requestSigningPrivateKey"
VARIABLE = "spec.compute.env[RESTATE_AUTO_PROVISION]: must be \"false\""
FILE = "spec.config: must have the line `auto-provision = false` before the first [section]"

INVALID = {  # name -> (change, text in the message[, reason])
    **{row: (nothing, "metadata.name: ") for row in ("name-with-a-dot", "name-kube-system", "name-kube-public",
                                                     "name-kube-node-lease")},
    "annotations-with-those-of-pods": (
        both(put({"a": "x" * 200 * KIB}, "metadata", "annotations"), compute({"b": "x" * 100 * KIB}, "annotations")),
        "metadata.annotations: with it, the annotations of the pods have 307202 bytes"),
    "pod-annotations-of-256-kib": (compute({"a": "x" * 256 * KIB}, "annotations"), "spec.compute.annotations: "),
    "service-annotations-of-256-kib": (security({"a": "x" * 256 * KIB}, "serviceAnnotations"),
                                       "spec.security.serviceAnnotations: "),
    "account-annotations-of-256-kib": (security({"a": "x" * 256 * KIB}, "serviceAccountAnnotations"),
                                       "spec.security.serviceAccountAnnotations: "),
    "cluster-name-empty": (spec("", "clusterName"), "spec.clusterName: "),
    **rows("provision", provisioned, ["", "# none\n", "auto-provision = true", 'auto-provision = "false"',
                                      "[common]\nauto-provision = false"], FILE),
    **rows("provision-no-toml", provisioned, ["nonsense", OFF + OFF, OFF + "a = " + "[" * 50_000 + "]" * 50_000],
           "spec.config: is no valid TOML, see line "),
    "provision-without-config": (lambda m: (m["spec"].update(cluster={"autoProvision": True}),
                                            m["spec"].pop("config")), FILE),
    **rows("provision-variable", lambda value: provisioned(OFF, variable(value=value)),
           [" false", "", "true", "no", "0"], VARIABLE),
    "provision-from-elsewhere": (provisioned("", variable(valueFrom=POD_NAME)), FILE),
    **rows("storage-class", lambda name: spec(name, "storage", "storageClassName"), ["Not Valid", "a/b", LONG],
           "spec.storage.storageClassName: must be the name of a StorageClass"),
    "attributes-class": (spec("Not Valid", "storage", "volumeAttributesClassName"),
                         "spec.storage.volumeAttributesClassName: must be the name of a VolumeAttributesClass"),
    "replicas-of-int32": (compute(INT32, "replicas"), "spec.compute.replicas: ", "InvalidSpec"),
    "replicas-below-0": (compute(-1, "replicas"), "spec.compute.replicas: must be 0 or more"),
    **rows("image", lambda image: compute(image, "image"), ["", " ", " restate:1", "restate:1\n"],
           "spec.compute.image: must "),
    "pull-secrets-twice": (compute([{"name": "a"}, {"name": "a"}], "imagePullSecrets"),
                           "spec.compute.imagePullSecrets[1]: "),
    **rows("env-of-ours", lambda name: env(variable("A", value="x"), variable(name, value="x")),
           ["POD_NAME", "POD_ZONE", "POD_REGION"], "spec.compute.env[1]: POD_"),
    "env-of-signing": (both(signing(), env(variable("RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE"))),
                       "spec.compute.env[0]: RESTATE_WORKER__INVOKER"),
    "env-of-certs": (both(certs(("s", "k")), env(variable("SSL_CERT_FILE", value="/x"))),
                     "spec.compute.env[0]: SSL_CERT_FILE is set by the operator, for spec.security"),
    "env-without-a-name": (env(variable("")), "spec.compute.env[0]: must have a name"),
    "claims-twice": (compute({"claims": [{"name": "a"}, {"name": "a"}]}, "resources"),
                     "spec.compute.resources.claims[1]: "),
    "spread-twice": (lambda m: (spread()(m), m["spec"]["compute"]["topologySpreadConstraints"].append(
        {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"})),
        "spec.compute.topologySpreadConstraints[1]: "),
    "sidecar-restate": (sidecars("restate"), "spec.compute.sidecars[0]: the name restate is taken"),
    "sidecar-of-certs": (both(certs(("s", "k")), sidecars("combine-ca-certs")), "spec.compute.sidecars[0]: "),
    "sidecars-of-one-name": (sidecars("a", "a"), "spec.compute.sidecars[1]: the name a is taken by a sidecar before"),
    "sidecar-mounts-twice": (sidecars("a", volumeMounts=[{"name": "tmp", "mountPath": "/a"}] * 2),
                             "spec.compute.sidecars[0].volumeMounts[1]: "),
    "sidecar-env-twice": (sidecars("a", env=[{"name": "A", "value": "x"}] * 2), "spec.compute.sidecars[0].env[1]: "),
    **rows("volume", volumes, ["storage", "tmp", "config", ""], "spec.compute.extraVolumes[0]: "),
    "volume-of-certs": (both(certs(("s", "k")), volumes("combined-ca-certs")), "spec.compute.extraVolumes[0]: "),
    "volume-of-a-cert": (both(certs(("s", "k")), volumes("a", "trusted-ca-0")), "spec.compute.extraVolumes[1]: "),
    "volume-of-signing": (both(signing(), volumes("request-signing-private-key-secret")),
                          "spec.compute.extraVolumes[0]: "),
    "volumes-of-one-name": (volumes("a", "a"), "spec.compute.extraVolumes[1]: "),
    **rows("mount", mounts, ["/restate-data", "/restate-data/", "/tmp", "//config", "/./tmp/."],
           "spec.compute.extraVolumeMounts[0].mountPath: /"),
    **rows("mount-path", mounts, ["relative", "", "/restate-data/../config", "/.."],
           "spec.compute.extraVolumeMounts[0].mountPath: must be an absolute path"),
    "mount-sub-path": (mounts("/x", subPath="a/../../b"), "spec.compute.extraVolumeMounts[0].subPath: "),
    "mounts-of-one-path": (mounts("/x", "/x/"), "spec.compute.extraVolumeMounts[1].mountPath: /x is taken"),
    "mount-of-nothing": (compute([{"name": "x", "mountPath": "/x"}], "extraVolumeMounts"),
                         "spec.compute.extraVolumeMounts[0].name: there is no volume 'x'"),
    **rows("google", google, ["a", "a@b@c.iam.gserviceaccount.com", "a@.iam.gserviceaccount.com",
                              "a@p].iam.gserviceaccount.com", "a@p.example.com"],
           f"spec.security.serviceAccountAnnotations[{ANNOTATION}]: must be"),
    "google-by-metadata": (put({ANNOTATION: "a"}, "metadata", "annotations"), f"metadata.annotations[{ANNOTATION}]: "),
    "role-empty": (security("", "awsPodIdentityAssociationRoleArn"), "awsPodIdentityAssociationRoleArn: must not be"),
    "role-of-256-kib": (security("x" * 256 * KIB, "awsPodIdentityAssociationRoleArn"),
                        "spec.security.awsPodIdentityAssociationRoleArn: with it"),
    **rows("signing-version", lambda version: signing(version=version), ["", "v2", LONG], f"{SIGNING}.version: "),
    "signing-by-two": (signing(path="a"), f"{SIGNING}: has both secret and secretProvider"),
    **rows("signing-key", lambda key: signing(("s", key)), ["../x", "", "..", "a b"], f"{SIGNING}.secret.key: "),
    **rows("signing-secret", lambda name: signing((name, "k")), ["", "S", "a/b"], f"{SIGNING}.secret.secretName: "),
    **rows("signing-path", lambda path: signing(None, path), ["../../etc/passwd", "/etc/passwd", "", "a/../../b"],
           f"{SIGNING}.secretProvider.path: "),
    **rows("cert", lambda item: certs(("s", "k"), item), [("", "k"), ("s", ""), ("s", "../k"), ("S", "k")],
           "spec.security.trustedCaCerts[1]."),
    "config-of-more-than-1-mib": (spec("#" * (MIB + 1), "config"), "spec.config: has 1048577 bytes"),
}

REFUSED = {  # name -> (change, text in the API server's answer)
    "name-64": (nothing, "metadata.name"),
    "storage-0": (spec(0, "storage", "storageRequestBytes"), "spec.storage.storageRequestBytes"),
    "storage-below-0": (spec(-1, "storage", "storageRequestBytes"), "spec.storage.storageRequestBytes"),
    "storage-of-int64": (spec(INT64, "storage", "storageRequestBytes"), "spec.storage.storageRequestBytes"),
    "storage-text": (spec("1Gi", "storage", "storageRequestBytes"), "spec.storage.storageRequestBytes"),
    "pull-secret-without-a-name": (compute([{}], "imagePullSecrets"), "spec.compute.imagePullSecrets[0].name"),
    "grace-of-int64": (compute(INT64, "terminationGracePeriodSeconds"), "spec.compute.terminationGracePeriodSeconds"),
    "provision-text": (spec({"autoProvision": "true"}, "cluster"), "spec.cluster.autoProvision"),
    "provision-number": (spec({"autoProvision": 1}, "cluster"), "spec.cluster.autoProvision"),
    "provision-variable-twice": (provisioned(OFF, FALSE, FALSE), "spec.compute.env"),
    "env-twice": (env(variable("A", value="1"), variable("A", value="2")), "spec.compute.env"),
    "env-no-list": (compute("x", "env"), "spec.compute.env"),
    "no-image": (lambda m: m["spec"]["compute"].pop("image"), "spec.compute.image"),
    "image-null": (compute(None, "image"), "spec.compute.image"),
    "no-compute": (lambda m: m["spec"].pop("compute"), "spec.compute"),
    "no-storage": (lambda m: m["spec"].pop("storage"), "spec.storage"),
    "sidecar-without-a-name": (compute([{"image": "a"}], "sidecars"), "spec.compute.sidecars[0].name"),
    "volume-without-a-name": (compute([{"emptyDir": {}}], "extraVolumes"), "spec.compute.extraVolumes[0].name"),
    "volume-null": (compute([None], "extraVolumes"), "spec.compute.extraVolumes[0]"),
    "mount-without-a-path": (compute([{"name": "x"}], "extraVolumeMounts"), "spec.compute.extraVolumeMounts[0]"),
    "cert-without-a-key": (security([{"secretName": "s"}], "trustedCaCerts"), "spec.security.trustedCaCerts[0].key"),
    "signing-without-a-version": (security({}, "requestSigningPrivateKey"), f"{SIGNING}.version"),
    "signing-without-a-path": (security({"version": "v1", "secretProvider": {}}, "requestSigningPrivateKey"),
                               f"{SIGNING}.secretProvider.path"),
    "hook-without-a-port": (compute({"preStop": {"httpGet": {"path": "/"}}}, "lifecycle"),
                            "spec.compute.lifecycle.preStop.httpGet.port"),
    "object-of-2-mib": (spec("#" * 2 * MIB, "config"), "large"),
}

SPREADING = "spec.template.spec.topologySpreadConstraints[0]."
CONTAINER = "spec.template.spec.containers[0]."
SIDECAR = "spec.template.spec.initContainers[0]."

REJECTED = {  # name -> (change, kind of what is refused, text in the message)
    "level-of-pods": (put({"pod-security.kubernetes.io/enforce": "high"}, "metadata", "labels"), "namespaces",
                      "pod-security.kubernetes.io/enforce"),
    **{f"peers-of-{who}": (peers(**{who: [{}]}), "networkpolicies", "must specify a peer")
       for who in ("ingress", "admin", "node", "metrics")},
    **rows("peer-block", lambda block: peers(ingress=[{"ipBlock": block}]),
           [{"cidr": "10.0.0.0"}, {"cidr": ""}, {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]},
            {"cidr": "2001:db8::/129"}], "networkpolicies", "spec.ingress[0].from[0].ipBlock."),
    "peer-operator": (peers(admin=[{"podSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}]),
                      "networkpolicies", "matchExpressions[0].operator"),
    **rows("egress", lambda port: security([{"ports": [port]}], "networkEgressRules"),
           [{"port": 90, "endPort": 80}, {"port": "a", "endPort": 80}, {"port": 0}, {"port": 80, "protocol": "ICMP"},
            {"port": "Not A Name"}], "networkpolicies", "spec.egress[0].ports[0]."),
    "service-annotation": (security({"a b": "x"}, "serviceAnnotations"), "services", "metadata.annotations"),
    "account-annotation": (security({"a b": "x"}, "serviceAccountAnnotations"), "serviceaccounts",
                           "metadata.annotations"),
    **{row: (change, "statefulsets", text) for row, (change, text) in {
        **rows("pull-policy", lambda value: compute(value, "imagePullPolicy"), ["always", "Foo"],
               f"{CONTAINER}imagePullPolicy"),
        "env-value-and-source": (env(variable("A", value="x", valueFrom=POD_NAME)),
                                 f"{CONTAINER}env"),
        "env-name": (env(variable("A=B", value="x")), f"{CONTAINER}env"),
        "env-field": (env(variable("A", valueFrom={"fieldRef": {"fieldPath": "spec.nothing"}})), f"{CONTAINER}env"),
        "requests-beyond-limits": (resources({"cpu": "1"}, cpu="2"), f"{CONTAINER}resources.requests"),
        "cpu-below-0": (resources(cpu="-1"), f"{CONTAINER}resources.requests[cpu]"),
        "resource-name": (resources(nothing="1"), f"{CONTAINER}resources.requests[nothing]"),
        "hugepages": (resources(**{"hugepages-2Mi": "2Mi"}), f"{CONTAINER}resources"),
        "claims-of-nothing": (compute({"claims": [{"name": "a"}]}, "resources"), f"{CONTAINER}resources.claims[0]"),
        "dns-none": (compute("None", "dnsPolicy"), "spec.template.spec.dnsConfig"),
        "dns-policy": (compute("Foo", "dnsPolicy"), "spec.template.spec.dnsPolicy"),
        "nameservers-4": (compute({"nameservers": [f"10.0.0.{n}" for n in range(4)]}, "dnsConfig"), "nameservers"),
        "dns-option": (compute({"options": [{}]}, "dnsConfig"), "spec.template.spec.dnsConfig.options[0]"),
        "nameserver": (compute({"nameservers": ["a"]}, "dnsConfig"), "nameservers[0]"),
        **rows("toleration", lambda more: toleration(**more),
               [{"operator": "Is", "key": "a"}, {"operator": "Equal"}, {"key": "a b"}, {"key": "a", "effect": "Go"}],
               "spec.template.spec.tolerations[0]"),
        "node-selector": (compute({"a b": "x"}, "nodeSelector"), "spec.template.spec.nodeSelector"),
        "affinity": (affinity({"key": "a", "operator": "Is"}), "matchExpressions[0].operator"),
        "spread-key": (spread(topologyKey=""), f"{SPREADING}topologyKey"),
        "spread-when": (spread(whenUnsatisfiable="Schedule"), f"{SPREADING}whenUnsatisfiable"),
        "spread-skew": (spread(maxSkew=0), f"{SPREADING}maxSkew"),
        "priority-class": (compute("Not Valid", "priorityClassName"), "spec.template.spec.priorityClassName"),
        **rows("hook", lambda hook: compute({"preStop": hook}, "lifecycle"),
               [{"exec": {"command": []}}, {}, {"sleep": {"seconds": -1}},
                {"exec": {"command": ["a"]}, "sleep": {"seconds": 1}}], f"{CONTAINER}lifecycle.preStop"),
        "sidecar-name": (sidecars("Not Valid"), f"{SIDECAR}name"),
        "sidecar-port": (sidecars("a", ports=[{"containerPort": 0}]), f"{SIDECAR}ports[0]"),
        "sidecar-mount": (sidecars("a", volumeMounts=[{"name": "b", "mountPath": "/b"}]), f"{SIDECAR}volumeMounts[0]"),
        "pod-annotation": (compute({"a b": "x"}, "annotations"), "spec.template.annotations"),
        "pod-label": (compute({"a": "b c"}, "labels"), "spec.template.labels"),
        "volume-name": (volumes("Not Valid"), "].name: Invalid value: \"Not Valid\""),
        "volume-of-two": (volumes("x", emptyDir={}, hostPath={"path": "/"}), "may not specify more than 1 volume type"),
        "service-account-token": (volumes("x", projected={"sources": [{"serviceAccountToken": {
            "path": "../x", "audience": "a"}}]}), "projected.path"),
    }.items()},
}

UNSTARTED = {  # name -> (change, reason, text in the message); spec.compute.replicas is 1
    "image-upper-case": (compute("Example/Restate:1", "image"), "StatefulSetPodNotReady", "InvalidImageName"),
    "image-missing": (compute("registry.invalid/restate@sha256:" + "0" * 64, "image"), "StatefulSetPodNotReady",
                      "ImagePull"),
    "secret-of-variable": (env(variable("A", valueFrom={"secretKeyRef": {"name": "missing", "key": "a"}})),
                           "StatefulSetPodNotReady", 'CreateContainerConfigError: secret "missing" not found'),
    "secret-of-signing": (signing(("missing", "k")), "StatefulSetPodNotReady",
                          "ContainerCreating), see kubectl describe pod -n NAME restate-0"),
    "secret-of-certs": (certs(("missing", "k")), "StatefulSetPodNotReady",
                        "see kubectl describe pod -n NAME restate-0"),
    "no-node": (compute({"a": "b"}, "nodeSelector"), "StatefulSetPodNotReady", "nodes are available: "),
    "too-much-memory": (resources(memory="100Ti"), "StatefulSetPodNotReady", "Insufficient memory"),
    "no-priority-class": (compute("missing", "priorityClassName"), "StatefulSetScaling",
                          "see kubectl describe statefulset -n NAME restate"),
    "replicas-1000": (compute(1000, "replicas"), "StatefulSetScaling",  # a quota spares us most of them
                      "0 replicas instead of the expected 1000, see kubectl describe statefulset -n NAME restate"),
    "level-baseline": (both(put({"pod-security.kubernetes.io/enforce": "baseline"}, "metadata", "labels"),
                            volumes("x", hostPath={"path": "/"})), "StatefulSetScaling",
                       "see kubectl describe statefulset -n NAME restate"),
    "grace-of-int64": (compute(INT64 - 1, "terminationGracePeriodSeconds"), "StatefulSetNoStatus",
                       "see kubectl describe statefulset -n NAME restate"),  # it rounds that
    "no-volume": (spec("missing", "storage", "storageClassName"), "PersistentVolumeClaimNotBound",
                  "PersistentVolumeClaim NAME/storage-restate-0 is not bound"),
    "config-no-toml": (spec("nonsense", "config"), "StatefulSetPodNotReady", "after exit code 1 (Error)"),
    "config-nul": (spec("a = 1\x00", "config"), "StatefulSetPodNotReady", "after exit code 1 (Error)"),
    "sidecar-image": (sidecars("a", restartPolicy="Never", imagePullPolicy="Never"), "StatefulSetPodNotReady",
                      "container a: ErrImageNeverPull"),
}

WAITING = {  # name -> (change, reason, text in the message)
    **rows("role", lambda arn: security(arn, "awsPodIdentityAssociationRoleArn"), ["x", "arn:aws:iam::1:role/r", LONG],
           "PodIdentityAssociationNotSynced", "it is no good role"),
    "google-account": (google("a@project.iam.gserviceaccount.com"), "IAMPolicyMemberNotReady", "it is no good member"),
}
