"""Sandbox and product under random histories: they never end apart.

`HISTORIES_STEPS` says how many steps at least, `HISTORIES_SEED` which.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as how
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from billing import services
from billing.models import Status
from tests.billing.histories.machine import Histories
from tests.billing.histories.stage import Stage
from tests.sandbox_process import SandboxProcess

STEPS = int(os.environ.get("HISTORIES_STEPS", "2000"))
# In so many tests, for as many processors.
PARTS = 4
SEED = int(os.environ.get("HISTORIES_SEED", "1"))
# After its tenth history Hypothesis goes on to vary those that it had, which is slow and shows
# little that is new. So a round is shorter, and each has a seed of its own.
HOW = how(
    max_examples=9,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    # To make a failing history shorter would take many minutes.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def play_round(stage: Stage, number: int) -> None:
    @seed(number)
    class Round(Histories):
        pass

    Round.stage = stage
    run_state_machine_as_test(Round, settings=HOW)


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_histories_never_leave_product_and_stripe_apart(
    part: int,
    stripe_at_hand: SandboxProcess,
    settings: Settings,
    live_server: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    services.set_up_stripe(base_url=live_server.url)
    stage = Stage(stripe_at_hand, settings)
    stage.furnish()

    number = SEED * 10_000 + part
    try:
        while stage.steps < STEPS / PARTS:
            number += PARTS
            play_round(stage, number)
    finally:
        with capsys.disabled():
            sys.stdout.write(f"\nSeed {SEED}, part {part + 1} of {PARTS}: {stage}\n")
    assert stage.divergences == 0
    assert {seen.split()[0] for seen in stage.seen} == set(Status.values)
