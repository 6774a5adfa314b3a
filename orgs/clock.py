"""What time it is for billing and access. Sessions, tokens and the log keep real time.

In production that is real time. In development, customers live by one of Stripe's test clocks,
whose time can be moved; ours then runs as far ahead as it does, so that what begins by the clock,
such as a lock after a grace, can be seen to begin.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from orgs.models import ClockShift

# Each process reads the row again after this time.
SECONDS_KEPT = 1
# The cache of this process alone: to look at the time must not write to the database.
OWN = "process"
CACHE_KEY = "orgs.clock.shift"


def now() -> datetime:
    """Return the time by which locks, graces and standings are judged."""
    if not settings.STRIPE_TEST_CLOCK:
        return timezone.now()
    seconds = caches[OWN].get_or_set(CACHE_KEY, _seconds, SECONDS_KEPT)
    return timezone.now() + timedelta(seconds=seconds or 0)


def keep_up_with(moment: datetime) -> None:
    """Run so far ahead from now on that it is `moment` at least. Time never goes back."""
    ahead = math.ceil((moment - timezone.now()).total_seconds())
    if ahead > _seconds():
        ClockShift.objects.update_or_create(defaults={"seconds": ahead}, pk=1)
        caches[OWN].delete(CACHE_KEY)


def _seconds() -> int:
    return ClockShift.objects.values_list("seconds", flat=True).first() or 0
