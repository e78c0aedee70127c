"""Objects in Knative mode that cannot work: each says why, whoever found it, and a mended one goes on."""
import pytest

from . import namespaces
from .bad_knative import INVALID, NAMES, REFUSED, REJECTED, SERVING
from .bad_objects_test import PATIENCE, assert_says, changed, send
from .knative_service import KnativeService

NAMESPACE = "bad-knative"
TABLES = {**{name: row[0] for table in (INVALID, REJECTED) for name, row in table.items()}, **SERVING}


@pytest.fixture(scope="module")
def odd(knative, running):
    """All of them at once in one namespace."""
    namespaces.make(knative, NAMESPACE)
    services = {row: KnativeService(knative, NAMESPACE, NAMES.get(row, row)) for row in TABLES}
    pid = running.process.pid
    for row, service in services.items():
        status, answer = send(service, changed(service, row, TABLES[row]))
        assert status == 201, (row, answer)
    yield services
    namespaces.clear(knative, NAMESPACE)
    assert running.alive() and running.process.pid == pid  # nobody had to start it again


@pytest.mark.parametrize("row", INVALID)
def test_we_say_what_is_wrong(odd, the_operator, row):
    assert_says(odd[row], "False", *INVALID[row][1:])
    assert odd[row].condition(about="Stalled")[0] == "True"
    assert not odd[row].configurations()


@pytest.mark.parametrize("row", REJECTED)
def test_we_say_what_knative_said(odd, the_operator, row):
    assert_says(odd[row], "Unknown", "FailedReconcile", REJECTED[row][1])


@pytest.mark.parametrize("row", REFUSED)
def test_the_schema_refuses_it(odd, the_operator, row):
    service = KnativeService(odd["no-ports"].lab, NAMESPACE, row)
    change, text = REFUSED[row]
    status, answer = send(service, changed(service, row, change))
    assert status in (400, 422) and text in answer["message"], (status, answer)


@pytest.mark.parametrize("row", SERVING)
def test_it_serves(odd, the_operator, row):
    odd[row].until_ready(PATIENCE)
    assert odd[row].greet() == "v1"


@pytest.mark.parametrize("row", ["no-ports", "long-time-out"])
def test_a_mended_one_goes_on(odd, the_operator, row):
    odd[row].until_condition(*(("False", INVALID[row][1]) if row in INVALID else ("Unknown", "FailedReconcile")))
    odd[row].apply("v1").until_ready(PATIENCE)
    assert odd[row].greet() == "v1"
