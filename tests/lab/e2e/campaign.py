"""All runs of all scenarios, several at a time: first one without a crash, to learn the writes, then the others.

Each of those has one crash, or more of them that are so many writes apart that every life gets somewhere. Where it is asked
for there is also one in which the operator is asked to end, by SIGTERM, after every write.
"""
import collections
import concurrent.futures
import contextlib
import queue
import signal

from .lives import STATUS, Run

AT_ONCE = 3  # half of a run is waiting for pods, and other tests run beside it
FIRST_PORT = 8200  # of the operators' own HTTP servers


class Campaign:
    """Begins with everything at once; `clean`, `kills`, `loop` and `stops` wait for what they return."""

    def __init__(self, lab, log, account, scenarios, at_once, apart, stopped):
        """`apart`: writes from one kill of a run to the next; None: a run has one. `stopped`: which have SIGTERMs, too."""
        self.apart, self.stopped = apart, stopped
        self.lab, self.log, self.account = lab, log, account
        self.ports = queue.Queue()
        for number in range(at_once):
            self.ports.put(FIRST_PORT + number)
        self.pool = concurrent.futures.ThreadPoolExecutor(at_once)
        self.after_clean = {scenario.name: concurrent.futures.Future() for scenario in scenarios}
        self.cleans = {scenario.name: self.pool.submit(self.learn, scenario) for scenario in scenarios}

    def stop(self):
        self.pool.shutdown(cancel_futures=True)

    # In the pool.

    def learn(self, scenario):
        """The run without a crash; its writes decide which others there are."""
        followers = self.after_clean[scenario.name]
        try:
            run, state = self.carry_out(scenario, "clean", lambda label, number: False, None)
        except BaseException as problem:
            followers.set_exception(problem)
            raise
        points = run.points()
        apart = min(self.apart or len(points), len(points))
        kills = [self.pool.submit(self.try_out, scenario, f"kill-{first + 1}",
                                  lambda *point, deadly=points[first::apart]: point in deadly, state)
                 for first in range(apart)]
        loop = self.pool.submit(self.try_out, scenario, "loop", always, state)
        stops = None
        if scenario.name in self.stopped:
            stops = self.pool.submit(self.try_out, scenario, "stops", always, state, signal.SIGTERM)
        followers.set_result((kills, loop, stops))
        return run

    def try_out(self, *arguments):
        """(run, problem or None)"""
        run, found = self.carry_out(*arguments, raises=False)
        return run, found if isinstance(found, BaseException) else None

    def carry_out(self, scenario, name, deadly, expected, sig=signal.SIGKILL, raises=True):
        with self.port() as port:
            run = Run(self.lab, self.log, scenario, f"{scenario.name}-{name}", port, self.account, sig)
            try:
                return run, run.carry_out(deadly, expected)
            except Exception as problem:
                if raises:
                    raise
                return run, problem

    @contextlib.contextmanager
    def port(self):
        port = self.ports.get()
        try:
            yield port
        finally:
            self.ports.put(port)

    # In the tests.

    def clean(self, scenario):
        return self.cleans[scenario.name].result()

    def kills(self, scenario):
        return [future.result() for future in self.after_clean[scenario.name].result()[0]]

    def loop(self, scenario):
        return self.after_clean[scenario.name].result()[1].result()

    def stops(self, scenario):
        return self.after_clean[scenario.name].result()[2].result()


def always(label, number):
    return True


def without_status(labels):
    """What must be the same in every run. How many statuses are written depends on what happens to be seen between."""
    return collections.Counter({label: times for label, times in labels.items() if STATUS not in label})
