"""The API server's audit log, read on from where the last look ended: it becomes long, and is looked at often."""
import json
from datetime import datetime, timezone


def seconds(text):
    """A time as it is written there and by Restate, as seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=timezone.utc).timestamp()


class AuditLog:
    """The requests of one client, by its user agent, from the moment on at which this was made; oldest first."""

    def __init__(self, lab, user_agent):
        self.path, self.user_agent = lab.audit_log, user_agent
        self.read = self.path.stat().st_size  # bytes
        self.events = []

    def requests(self):
        """All of them until now."""
        with self.path.open("rb") as lines:
            lines.seek(self.read)
            text = lines.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.read += len(whole)
        found = (json.loads(line) for line in whole.splitlines() if self.user_agent.encode() in line)
        self.events += [event for event in found if self.user_agent in event.get("userAgent", "")]
        return self.events
