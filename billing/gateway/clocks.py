"""Test clocks, by which customers live in development."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from billing.gateway.client import BillingUnavailable, api, translated

# Seconds to wait for a test clock; Stripe takes a few for each month.
CLOCK_ATTEMPTS = 60


@translated
def test_clock_time(clock_id: str) -> datetime:
    """Return the time that it is for the customers of a test clock."""
    clock = api().test_helpers.test_clocks.retrieve(clock_id)
    return datetime.fromtimestamp(clock.frozen_time, UTC)


@translated
def advance_test_clock(clock_id: str, *, by: timedelta) -> None:
    """Move a test clock ahead and wait until Stripe has played what happens until then."""
    clocks = api().test_helpers.test_clocks
    target = clocks.retrieve(clock_id).frozen_time + int(by.total_seconds())
    clocks.advance(clock_id, {"frozen_time": target})
    for _attempt in range(CLOCK_ATTEMPTS):
        if clocks.retrieve(clock_id).status == "ready":
            return
        time.sleep(1)
    raise BillingUnavailable("The test clock is still advancing")
