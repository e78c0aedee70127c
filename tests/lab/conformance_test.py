#!/usr/bin/python3
"""Runs the API conformance cases of kube_test on a real kube-apiserver: conformance_test.py BUILD_DIRECTORY.

The same cases run on the fake API server in the unit tests; where the two differ, the fake is wrong.
"""
import argparse
import os
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

sys.dont_write_bytecode = True  # nothing writes into the checkout
sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import Lab  # noqa: E402

SUITE = "conformance"


def report(text):
    """Prints a line per case; returns how many failed. doctest's XML counts the assertions of each case."""
    failed = passed = 0
    for case in xml.fromstring(text).iter("TestCase"):
        result = case.find("OverallResultsAsserts")
        if result is None or case.get("skipped") == "true":
            continue
        good = result.get("test_case_success") == "true"
        passed, failed = passed + good, failed + (not good)
        print("ok    " if good else "FAILED", case.get("name"))
        for tag in ("Expression", "Message", "Exception"):
            for problem in case.iter(tag):
                if not good and problem.get("success") != "true":
                    words = [f"{part.tag.lower()}: {(part.text or '').strip()}" for part in problem] or [problem.text or ""]
                    print(f"         {problem.get('filename', '')}:{problem.get('line', '')} ", "; ".join(words).strip())
    print(f"{passed} passed, {failed} failed on a real API server")
    return failed if passed else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, help="meson's build directory")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    options = parser.parse_args()
    binary = options.build.resolve() / "tests" / "kube" / "kube_test"
    if not binary.exists():
        sys.exit(f"{binary} is missing; build it with: ninja -C {options.build} tests/kube/kube_test")
    lab = Lab(os.environ.get("LAB_NAME") or "conformance")
    lab.up()
    try:
        done = lab.exec([binary, f"--test-suite={SUITE}", "--reporters=xml"], timeout=300, text=True, capture_output=True,
                        env={"RESTATE_LAB_KUBECONFIG": str(lab.kubeconfig)})
        sys.stderr.write(done.stderr)
        if not done.stdout.strip():
            sys.exit(f"{binary} printed nothing and ended with {done.returncode}")
        failed = report(done.stdout)
    finally:
        if not options.keep:
            lab.down()
    sys.exit(1 if failed or done.returncode else 0)


if __name__ == "__main__":
    main()
