"""Somebody who uses the service all the time."""
import threading

from . import restate


class Caller(threading.Thread):
    """Calls the greeter again and again, as its users would, and keeps every answer."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab, self.answers, self.lost, self.done = lab, [], [], threading.Event()

    def run(self):
        while not self.done.wait(0.1):
            try:
                self.answers.append(restate.call(self.lab, "Greeter/greet", "Ada"))
            except (OSError, RuntimeError) as problem:
                self.lost.append(str(problem))

    def stop(self):
        self.done.set()
        self.join()
