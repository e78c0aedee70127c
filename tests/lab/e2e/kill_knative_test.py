"""As kill_test.py, for Knative mode on Knative's real controllers."""
import pytest

from .kill_test import assert_all_kills_are_survived, assert_any_single_kill_is_survived, campaign_of
from .knative_scenarios import KNATIVE_SCENARIOS

AT_ONCE = 4  # a pod has two containers here, and Knative asks much of the API server
pytestmark = pytest.mark.long
every_scenario = pytest.mark.parametrize("scenario", KNATIVE_SCENARIOS, ids=lambda scenario: scenario.name)


@pytest.fixture(scope="module")
def campaign(request, knative, running, admin_log, account):
    with campaign_of(request, knative, running, admin_log, account, KNATIVE_SCENARIOS, AT_ONCE) as found:
        yield found


@every_scenario
def test_g2_killed_after_any_single_write(campaign, scenario):
    assert_any_single_kill_is_survived(campaign, scenario)


@every_scenario
def test_g2_killed_after_every_write(campaign, scenario):
    assert_all_kills_are_survived(campaign, scenario)
