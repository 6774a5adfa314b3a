"""Processes that drive the product from outside, and how they end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.processes import BASE_DIR

STOPPED_TWICE = """
import os, signal
from config.processes import interrupt_once
interrupt_once()
try:
    try:
        os.kill(os.getpid(), signal.{first})
    finally:
        os.kill(os.getpid(), signal.{second})
        print("put away")
except KeyboardInterrupt:
    print("ended")
"""


@pytest.mark.parametrize(
    ("first", "second"), [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGTERM"), ("SIGHUP", "SIGINT")]
)
def test_a_second_request_to_stop_does_not_disturb_the_first(first: str, second: str) -> None:
    script = STOPPED_TWICE.format(first=first, second=second)
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    assert run.stdout.split("\n") == ["put away", "ended", ""]
