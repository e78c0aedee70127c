#!/usr/bin/python3
"""tests/run counts what happened: tried on programs that pass, fail, die and test nothing."""
import importlib.machinery
import importlib.util
import io
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("run", str(Path(__file__).resolve().parent / "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
sys.modules["run"] = run
loader.exec_module(run)

SUMMARY = ("[doctest] doctest version is \"2.4.9\"\n"
           "[doctest] test cases: {:3} | {:3} passed | {} failed | {} skipped\n"
           "[doctest] assertions: 9 | 9 passed | 0 failed |\n")
REPORT = ('<testsuites><testsuite errors="1" failures="1" skipped="2" tests="7">'
          '<testcase/></testsuite></testsuites>')


class CountsOfOneProgram(unittest.TestCase):
    def check(self, output, code, passed, failed, skipped=0):
        self.assertEqual(run.counts_of(output, code), run.Counts(passed, failed, skipped))

    def test_all_pass(self):
        self.check(SUMMARY.format(12, 12, 0, 0), 0, 12, 0)

    def test_colours_do_not_hide_the_summary(self):
        coloured = SUMMARY.format(12, 11, 1, 0).replace("[doctest]", "\x1b[0;36m[doctest]\x1b[0m")
        self.check(coloured, 1, 11, 1)

    def test_failures_and_skips(self):
        self.check(SUMMARY.format(12, 9, 2, 1), 1, 9, 2, 1)

    def test_a_report_after_the_last_test_is_a_failure(self):
        self.check(SUMMARY.format(12, 12, 0, 0), 66, 12, 1)

    def test_a_death_before_the_summary_is_a_failure(self):
        self.check('[doctest] doctest version is "2.4.9"\n', -11, 0, 1)

    def test_a_program_without_tests_is_a_failure(self):
        self.check(SUMMARY.format(0, 0, 0, 0), 0, 0, 1)

    def test_a_plain_program_is_one_test(self):
        self.check("fine\n", 0, 1, 0)
        self.check("not fine\n", 1, 0, 1)


class CountsOfPytest(unittest.TestCase):
    def test_errors_are_failures(self):
        with tempfile.TemporaryDirectory() as scratch:
            report = Path(scratch) / "junit.xml"
            report.write_text(REPORT)
            self.assertEqual(run.junit_counts(report), run.Counts(3, 2, 2))


class WholeRun(unittest.TestCase):
    def test_a_failed_program_is_told_again_at_the_end(self):
        program = {"name": "broken", "cmd": ["sh", "-c", "seq 200; echo why; exit 3"], "timeout": 9, "workdir": None, "env": {}}
        suites = {"asan": lambda suite: run.run_program(suite, program), "unit": lambda _: run.Counts(passed=7)}
        with mock.patch.object(run, "SUITES", suites), mock.patch.object(sys, "argv", ["run", "asan", "unit"]), \
                redirect_stdout(io.StringIO()) as printed:
            self.assertEqual(run.main(), 1)
        lines = printed.getvalue().splitlines()
        self.assertEqual(lines[-1], "7 passed, 1 failed, 0 skipped")
        self.assertRegex(lines[-2], r"^FAILED  asan/broken: .* exit 3\)$")
        self.assertEqual(lines[-3], "why")


if __name__ == "__main__":
    unittest.main()
