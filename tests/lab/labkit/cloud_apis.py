"""The kinds that only some installations have: their definitions, with what their own schemas ask for, and what the
controllers behind them would say. The controllers are not here: a test plays them.
"""
from .client import MERGE

NAME = {"type": "string"}


def members(required=(), **properties):
    found = {"type": "object", "properties": properties}
    return {**found, "required": list(required)} if required else found


def list_of(items, **limits):
    return {"type": "array", "items": items, **limits}


TEXTS = {"type": "object", "additionalProperties": NAME}
CONDITIONS = list_of(members(("type", "status"), type=NAME, status=NAME, reason=NAME, message=NAME,
                             lastTransitionTime=NAME))
SELECTOR = members(matchLabels=TEXTS, matchExpressions=list_of(members(
    ("key", "operator"), key=NAME, operator=NAME, values=list_of(NAME))))
REFERENCE = members(**{"from": members(name=NAME, namespace=NAME)})


def definition(group, version, kind, plural, spec, status=None, subresource=True):
    schema = members(apiVersion=NAME, kind=NAME, metadata={"type": "object"}, spec=spec,
                     status=status or members(conditions=CONDITIONS))
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    if subresource:
        served["subresources"] = {"status": {}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "versions": [served],
                     "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}}}


# Secrets Store CSI driver.
SECRET_PROVIDER_CLASSES = definition(
    "secrets-store.csi.x-k8s.io", "v1", "SecretProviderClass", "secretproviderclasses",
    members(provider=NAME, parameters=TEXTS, secretObjects=list_of(members(
        secretName=NAME, type=NAME, labels=TEXTS, annotations=TEXTS,
        data=list_of(members(key=NAME, objectName=NAME))))),
    members(byPod=list_of(members(id=NAME, namespace=NAME))), subresource=False)

# Amazon's VPC resource controller: at most five groups.
SECURITY_GROUP_POLICIES = definition(
    "vpcresources.k8s.aws", "v1beta1", "SecurityGroupPolicy", "securitygrouppolicies",
    members(podSelector=SELECTOR, serviceAccountSelector=SELECTOR,
            securityGroups=members(groupIds=list_of(NAME, minItems=1, maxItems=5))),
    members(), subresource=False)

# ACK, Amazon's controllers for Kubernetes: EKS.
POD_IDENTITY_ASSOCIATIONS = definition(
    "eks.services.k8s.aws", "v1alpha1", "PodIdentityAssociation", "podidentityassociations",
    members(("namespace", "serviceAccount"), clientRequestToken=NAME, clusterName=NAME, clusterRef=REFERENCE,
            namespace=NAME, roleARN=NAME, roleRef=REFERENCE, serviceAccount=NAME, tags=TEXTS),
    members(associationARN=NAME, associationID=NAME, createdAt=NAME, modifiedAt=NAME, conditions=CONDITIONS,
            ackResourceMetadata=members(("ownerAccountID", "region"), arn=NAME, ownerAccountID=NAME, region=NAME)))

# Google's Config Connector. Its webhook, which is not here, refuses a change of what is referred to.
IAM_POLICY_MEMBERS = definition(
    "iam.cnrm.cloud.google.com", "v1beta1", "IAMPolicyMember", "iampolicymembers",
    members(("resourceRef", "role"), member=NAME, role=NAME,
            condition=members(("expression", "title"), title=NAME, description=NAME, expression=NAME),
            resourceRef=members(("kind",), apiVersion=NAME, kind=NAME, name=NAME, namespace=NAME, external=NAME)),
    members(conditions=CONDITIONS, observedGeneration={"type": "integer"}))

ALL = (SECRET_PROVIDER_CLASSES, SECURITY_GROUP_POLICIES, POD_IDENTITY_ASSOCIATIONS, IAM_POLICY_MEMBERS)


def path(crd, namespace, name=None):
    spec = crd["spec"]
    collection = (f"/apis/{spec['group']}/{spec['versions'][0]['name']}/namespaces/{namespace}/"
                  f"{spec['names']['plural']}")
    return f"{collection}/{name}" if name else collection


def name_of(crd):
    return crd["metadata"]["name"]


def install(lab, *crds):
    """Returns when they are served."""
    lab.apply(*crds)
    lab.wait_for(lambda: all(served(lab, crd) for crd in crds), "kube-apiserver", timeout=30)


def remove(lab, *crds):
    """Returns when they are gone, and with them all objects of their kinds."""
    lab.kubectl("delete", "crd", "--ignore-not-found", *map(name_of, crds))
    lab.wait_for(lambda: not any(served(lab, crd) for crd in crds), "kube-apiserver", timeout=60)


def served(lab, crd):
    return lab.api.request("GET", path(crd, "default"))[0] == 200


def report(lab, crd, namespace, name, **status):
    """What the kind's controller says of an object."""
    code, answer = lab.api.request("PATCH", f"{path(crd, namespace, name)}/status", {"status": status},
                                   content_type=MERGE)
    assert code == 200, answer


def condition(kind, status, reason="", message=""):
    return {"type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z"}


def rules():
    """What the operator needs to be allowed for them."""
    verbs = ["get", "list", "watch", "create", "patch", "delete"]
    kinds = [(crd["spec"]["group"], crd["spec"]["names"]["plural"]) for crd in ALL]
    return [{"apiGroups": [group], "resources": [plural], "verbs": verbs} for group, plural in (*kinds, ("batch", "jobs"))]
