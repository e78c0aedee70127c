"""One object of ours in a test, whatever its kind: what is asked of it, and what its status says."""
from labkit.client import APPLY, MERGE

from .waiting import eventually

RECONCILE = "restate.dev/reconcile"


class CustomObject:
    """`path` is its path at the API server."""

    def __init__(self, lab, path):
        self.lab, self.path = lab, path
        self.name = path.rpartition("/")[2]

    def get(self, path):
        """Any object or list; None when it is not there."""
        status, found = self.lab.api.request("GET", path)
        return found if status == 200 else None

    def apply_body(self, body):
        path = f"{self.path}?fieldManager=lab&force=true"
        status, answer = self.lab.api.request("PATCH", path, body, content_type=APPLY)
        assert status in (200, 201), answer

    def patch(self, change):
        status, answer = self.lab.api.request("PATCH", self.path, change, content_type=MERGE)
        assert status == 200, answer

    def annotate(self, name, value):
        """Sets an annotation of the object; None removes it."""
        self.patch({"metadata": {"annotations": {name: value}}})

    def suspend(self):
        self.annotate(RECONCILE, "disabled")

    def resume(self):
        self.annotate(RECONCILE, None)

    def object(self):
        return self.get(self.path)

    def status(self):
        return (self.object() or {}).get("status", {})

    def condition(self, about="Ready", of=None):
        """(status, reason, message) of a condition in the object's status, or in the given one."""
        conditions = (self.status() if of is None else of).get("conditions", [])
        found = next((c for c in conditions if c["type"] == about), None)
        return (found["status"], found["reason"], found.get("message", "")) if found else (None, None, "")

    def ready(self):
        """The status with which the present generation is Ready; None when it is not."""
        found = self.object() or {}
        status = found.get("status", {})
        present = status.get("observedGeneration") == found.get("metadata", {}).get("generation")
        return status if present and self.condition(of=status)[0] == "True" else None

    def until_condition(self, status, reason, timeout=60):
        """Waits for a Ready condition and returns its message."""
        def met():
            found = self.condition()
            return found if found[:2] == (status, reason) else None

        return eventually(f"{self.path}: Ready is {status} with {reason}", met, timeout, self.status)[2]
