"""The README's first command."""
import os
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True  # nothing writes into the checkout

from labkit import Lab, binaries  # noqa: E402: the bytecode first

pytestmark = pytest.mark.long
NAME = f"{(os.environ.get('LAB_NAME') or 'e2e')[:13]}-demo"


def test_the_demo_shows_an_update_without_a_lost_call():
    demo = [str(binaries.LAB / "demo"), "--name", NAME]
    Lab(NAME, say=lambda text: None).down()
    try:
        told = subprocess.run(demo, capture_output=True, text=True, timeout=900)
        assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-1000:]
        assert "\nPASS  an update without a lost call" in told.stdout
    finally:
        ended = subprocess.run([*demo, "--down"], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0 and not Lab(NAME).directory.exists()
