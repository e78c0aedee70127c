"""Namespaces of tests. They stay when their tests are through, without what costs: removing one takes Kubernetes' own
controllers some 200 requests, two fifths of all that three test files made."""


def make(lab, name):
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def clear(lab, name):
    """Removes what makes pods; those go in their own time."""
    for version, plural in ("restate.dev/v1beta1", "restatedeployments"), ("apps/v1", "deployments"):
        lab.api.request("DELETE", f"/apis/{version}/namespaces/{name}/{plural}")
