"""Every state that an object passes through, from a watch."""
import contextlib
import http.client
import json
import socket
import threading
import time

from .waiting import eventually


class States:
    """Used with `with`; `seen` has (time of arrival, kind of event, object), oldest first, complete after the block."""

    def __init__(self, lab, path):
        self.lab, self.path, self.seen = lab, path, []

    def __enter__(self):
        collection, _, name = self.path.rpartition("/")
        self.before = self._present()
        version = self.lab.api.request("GET", collection)[1]["metadata"]["resourceVersion"]
        selection = f"watch=true&resourceVersion={version}&fieldSelector=metadata.name={name}"
        self.connection, self.response = self.lab.api.open("GET", f"{collection}?{selection}", timeout=300)
        assert self.response.status == 200, self.response.read()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *problem):
        if not problem[0]:
            self._catch_up()
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.connection.close()

    def objects(self):
        return [found for _, _, found in self.seen]

    def deletions(self):
        """What status.deletion said in each state in which it said something."""
        told = [found.get("status", {}).get("deletion") for found in self.objects()]
        return [found for found in told if found]

    def phases(self):
        """The phases of the deletion, each once, in the order in which they came."""
        return list(dict.fromkeys(found["phase"] for found in self.deletions()))

    def gone_at(self):
        return next(when for when, kind, _ in self.seen if kind == "DELETED")

    def _read(self):
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while line := self.response.readline():
                event = json.loads(line)
                self.seen.append((time.time(), event["type"], event["object"]))

    def _present(self):
        """The version of the object that is there now; None when it is gone."""
        status, found = self.lab.api.request("GET", self.path)
        return found["metadata"]["resourceVersion"] if status == 200 else None

    def _catch_up(self):
        """What a read shows, the watch shows a moment later."""
        now = self._present()
        if now is None and self.before is not None:
            eventually("the watch shows that it is gone",
                       lambda: any(kind == "DELETED" for _, kind, _ in self.seen), 10)
        elif now != self.before:
            eventually("the watch has caught up",
                       lambda: any(found["metadata"]["resourceVersion"] == now for found in self.objects()), 10)
