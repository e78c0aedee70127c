"""What the audit log and /proc say about the operator."""
import collections
import json
import os
import time

WRITES = {"create", "update", "patch", "delete", "deletecollection"}


class AuditTail:
    """Reads the audit log from where it stands now."""

    def __init__(self, path, user_agent):
        self.file = open(path, "rb")
        self.file.seek(0, os.SEEK_END)
        self.user_agent = user_agent
        self.rest = b""

    def new(self):
        """(verb, resource) of each request since the last call; a watch counts when it begins."""
        text = self.rest + self.file.read()
        *lines, self.rest = text.split(b"\n")
        found = []
        for line in lines:
            event = json.loads(line)
            if not self.is_of_interest(event.get("userAgent", "")):
                continue
            if event["verb"] == "watch" and event["stage"] != "ResponseStarted":
                continue
            what = event.get("objectRef", {})
            name = "/".join(filter(None, [what.get("resource"), what.get("subresource")]))
            found.append((event["verb"], name or event["requestURI"]))
        return found

    def is_of_interest(self, agent):
        return agent.startswith(self.user_agent) if self.user_agent else not agent

    def until_quiet(self, seconds, limit):
        """Collects until nothing came for so many seconds; returns (requests, seconds of activity)."""
        began = last = time.monotonic()
        found = []
        while time.monotonic() - last < seconds and time.monotonic() - began < limit:
            time.sleep(0.25)
            new = self.new()
            if new:
                last = time.monotonic()
                found += new
        return found, last - began


def writes(requests):
    return [request for request in requests if request[0] in WRITES]


def table(requests):
    return ", ".join(f"{count} {verb} {name}" for (verb, name), count in collections.Counter(requests).most_common())


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, field="VmHWM"):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field} of process {pid}")
