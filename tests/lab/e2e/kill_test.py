"""The operator is killed after any single write, and after every write, or asked to end after every write: the end is the
same, and nothing is done twice.

The writes are not listed anywhere: each scenario first runs without a crash, and what passes the proxies then is what
the others are killed after. A kill comes when the server has answered and the operator does not know it yet: on the
servers that is the same as one right after the answer, and of the operator nothing is left either way.
"""
import contextlib
import os

import pytest

from .campaign import AT_ONCE, Campaign, without_status
from .scenarios import SCENARIOS
from .waiting import eventually

SPARE_STATUSES = 3
# With a run for each write alone this takes several times as long: `just campaign`. Of services the unit tests have
# those too (F-K1 in tests/deployment/crash_test.cpp).
APART = None if os.environ.get("RESTATE_LAB_KILLS") == "alone" else 3
STOPPED = ("rollout", "deletion")  # how a process ends is the same in all scenarios
pytestmark = pytest.mark.busy


@pytest.fixture(scope="module")
def campaign(request, lab, running, admin_log, account):
    with campaign_of(request, lab, running, admin_log, account, SCENARIOS, stopped=STOPPED) as found:
        yield found


@contextlib.contextmanager
def campaign_of(request, lab, running, admin_log, account, scenarios, at_once=AT_ONCE, stopped=()):
    """The operator that the other tests share sees all namespaces, so it rests meanwhile."""
    asked_for = {item.callspec.params["scenario"].name for item in request.session.items if item.path == request.path}
    running.end()
    wanted = [found for found in scenarios if found.name in asked_for]
    started = Campaign(lab, admin_log, account, wanted, at_once, APART, stopped)
    try:
        yield started
    finally:
        started.stop()
        running.start()
        eventually("the shared operator is ready again", running.ready)


every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@every_scenario
def test_g2_killed_after_any_single_write(campaign, scenario):
    assert_any_single_kill_is_survived(campaign, scenario)


@every_scenario
def test_g2_killed_after_every_write(campaign, scenario):
    assert_all_kills_are_survived(campaign, scenario)


@pytest.mark.parametrize("scenario", [scenario for scenario in SCENARIOS if scenario.name in STOPPED],
                         ids=lambda scenario: scenario.name)
def test_g1_asked_to_end_after_every_write(campaign, scenario):
    run = assert_all_ends_are_survived(campaign, scenario, campaign.stops)
    assert run.bad_ends == []


def assert_any_single_kill_is_survived(campaign, scenario):
    wanted = without_status(campaign.clean(scenario).labels())
    assert wanted, "the scenario writes nothing"
    results = campaign.kills(scenario)
    problems = [str(problem) for _, problem in results if problem]
    assert not problems, "\n\n".join([f"{len(problems)} of {len(results)} runs", *problems])

    survived = {label for run, _ in results for label in run.killed_after}
    assert {f"{label} #{number}" for label, times in wanted.items() for number in range(1, times + 1)} <= survived
    for run, _ in results:
        assert_nothing_twice(run, wanted)


def assert_all_kills_are_survived(campaign, scenario):
    assert_all_ends_are_survived(campaign, scenario, campaign.loop)


def assert_all_ends_are_survived(campaign, scenario, carried_out):
    wanted = campaign.clean(scenario).labels()
    run, problem = carried_out(scenario)
    assert not problem, str(problem)
    assert run.lives <= sum(wanted.values()) + 1 + SPARE_STATUSES, run.killed_after
    assert_nothing_twice(run, without_status(wanted))
    return run


def assert_nothing_twice(run, wanted):
    """Nor left out. A registration is not sent again either: what Restate has is recognised."""
    assert without_status(run.labels()) == wanted, f"{run}, killed after {run.killed_after}"
