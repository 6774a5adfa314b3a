"""Stripe's test clocks: what would happen in a month, now. Never in live mode."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from billing import gateway
from orgs import clock


class NoTestClock(Exception):
    """STRIPE_TEST_CLOCK names none, so nobody's time can be moved."""


def advance_test_clock(*, by: timedelta) -> None:
    """Move the time of all customers on the configured test clock, and wait until it arrived.

    Raises NoTestClock and BillingUnavailable.
    """
    if not settings.STRIPE_TEST_CLOCK:
        raise NoTestClock
    gateway.advance_test_clock(settings.STRIPE_TEST_CLOCK, by=by)
    clock.keep_up_with(gateway.test_clock_time(settings.STRIPE_TEST_CLOCK))
