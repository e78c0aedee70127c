"""As kill_test.py, for RestateCloudEnvironments. Every operator in the lab acts on all of them: one run at a time."""
import pytest

from .kill_test import assert_all_kills_are_survived, assert_any_single_kill_is_survived, campaign_of
from .scenarios import ENVIRONMENT_SCENARIOS

pytestmark = pytest.mark.busy
every_scenario = pytest.mark.parametrize("scenario", ENVIRONMENT_SCENARIOS, ids=lambda scenario: scenario.name)


@pytest.fixture(scope="module")
def campaign(request, lab, running, admin_log, account):
    with campaign_of(request, lab, running, admin_log, account, ENVIRONMENT_SCENARIOS, at_once=1) as found:
        yield found


@every_scenario
def test_g2_killed_after_any_single_write(campaign, scenario):
    assert_any_single_kill_is_survived(campaign, scenario)


@every_scenario
def test_g2_killed_after_every_write(campaign, scenario):
    assert_all_kills_are_survived(campaign, scenario)
