"""Days and times as whoever reads them has them on the wall: in the active zone, which a middleware
chose. What is shown with the hour names the zone."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def day(moment: datetime) -> str:
    """Return the day, as in "May 3, 2026"."""
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


def day_and_time(moment: datetime) -> str:
    """Return it in words, as in "May 3, 2026, 2 p.m. CEST"."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {zone_at(moment)}"


def minute(moment: datetime) -> str:
    """Return it as staff compare it, as in "2026-05-03 14:00 CEST"."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M} {zone_at(moment)}"


def second(moment: datetime) -> str:
    """Return it as `minute` does, with the seconds."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S} {zone_at(moment)}"


def zone_at(moment: datetime) -> str:
    """Return what the active zone is called at a moment: CEST, or +03 where it has no letters."""
    return timezone.localtime(moment).tzname() or ""
