"""Which rights the operator asked for, by the audit logs of all labs of a test run, and which its chart gives it."""
import json
import os
import time
from pathlib import Path

from . import restate_operator

DIRECTORY = "RESTATE_LAB_USES"  # variable: where each lab leaves what it saw when it ends; nothing is kept without it
# Asked for by an admission plugin on behalf of somebody who sets an owner reference: no request is made under that name.
NEVER_A_REQUEST = "/finalizers"


def record(lab):
    """Before a lab goes."""
    directory = os.environ.get(DIRECTORY)
    if directory and lab.audit_log.exists():
        events = lab.audit(restate_operator.AGENT)
        used = sorted({use for event in events if event["userAgent"] != restate_operator.IMPOSTOR and (use := use_of(event))})
        (Path(directory) / f"{lab.name}-{time.time_ns()}.json").write_text(json.dumps(used))


def use_of(event):
    """(API group, resource, verb); None for a path that is no resource, as discovery, which is free for all."""
    what = event.get("objectRef", {})
    if "resource" not in what:
        return None
    return what.get("apiGroup", ""), "/".join(filter(None, (what["resource"], what.get("subresource")))), event["verb"]


def recorded(directory):
    return {tuple(use) for path in Path(directory).glob("*.json") for use in json.loads(path.read_text())}


def of_rules(rules):
    return {(group, resource, verb) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
            for verb in rule["verbs"]}


def of_roles(objects, *kinds):
    """What these roles give."""
    return of_rules(rule for item in objects if item["kind"] in (kinds or ("ClusterRole", "Role")) for rule in item["rules"])
