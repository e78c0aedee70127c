"""Doctest programs that run inside a lab: one pytest case for each of theirs."""
import os
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Program:
    """A doctest program of the build, as in `admin/real_restate_test`; `variable` names one elsewhere."""

    def __init__(self, name, variable, *options):
        self.path = Path(os.environ.get(variable) or ROOT / "build/tests" / name)
        self.options = [*options, "--reporters=xml"]

    def names(self):
        """Of all cases; one that says what is missing when there is no program to ask."""
        if not self.path.exists():
            return [f"{self.path.name} is built"]
        listing = subprocess.run([self.path, *self.options, "--list-test-cases"], text=True, capture_output=True,
                                 check=True).stdout
        return [case.get("name") for case in xml.fromstring(listing).iter("TestCase")] or ["there are cases"]

    def require(self):
        assert self.path.exists(), f"{self.path} is missing; make it with: just build"

    def results(self, lab, env, timeout=300, dns=False):
        """Case name -> what failed in it, a line each, of one run of all cases that were not skipped."""
        done = lab.exec([self.path, *self.options], dns=dns, timeout=timeout, text=True, capture_output=True, env=env)
        try:
            cases = list(xml.fromstring(done.stdout).iter("TestCase"))
        except xml.ParseError:
            raise AssertionError(f"{self.path.name} died ({done.returncode}):\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return {case.get("name"): problems(case) for case in cases if case.find("OverallResultsAsserts") is not None}


def problems(case):
    if case.find("OverallResultsAsserts").get("test_case_success") == "true":
        return []
    found = [f"{node.get('filename')}:{node.get('line')} " + "; ".join(f"{part.tag}: {(part.text or '').strip()}" for part in node)
             for tag in ("Expression", "Message", "Exception") for node in case.iter(tag) if node.get("success") != "true"]
    return found or ["failed without a word"]


def assert_passed(results, name):
    assert name in results, "the case did not run"
    assert not results[name], "\n".join(results[name])
