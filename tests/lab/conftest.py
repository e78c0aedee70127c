"""All tests on labs. `tests/run` has several workers at it at once (pytest-xdist), of which each takes one file after
the other and has labs of its own.
"""
import os

import pytest

WORKER = os.environ.get("PYTEST_XDIST_WORKER")
if WORKER:
    os.environ["LAB_NAME"] = f"{os.environ.get('LAB_NAME') or 'test'}-{WORKER}"


def pytest_configure(config):
    config.addinivalue_line("markers", "long: the file takes minutes, and is begun before the others")
    config.addinivalue_line("markers", "busy: it keeps the better part of a core busy besides; such files take turns")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    """First what is long, so that nobody has to wait for it at the end; then all that uses the lab of the package e2e,
    so that a worker starts that once. A file is a worker's, and so are two sets of files: those with Knative, so that its
    controllers run in one lab, and the busy ones, so that the others have cores to wait on."""
    def marked(item, *marks):
        return any(item.get_closest_marker(mark) for mark in marks)
    sets = {item.path: "busy" for item in items if marked(item, "busy")}
    sets.update({item.path: "knative" for item in items if "knative" in item.fixturenames})
    items.sort(key=lambda item: (not marked(item, "long", "busy"), item.path.parent.name != "e2e"))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(sets.get(item.path, item.path.stem)))


def pytest_collection_finish(session):
    """A group that xdist has not read would scatter the steps of one story over the workers."""
    if WORKER and session.config.getvalue("loadgroup"):
        assert all("@" in item.nodeid for item in session.items), "xdist did not read the groups"
