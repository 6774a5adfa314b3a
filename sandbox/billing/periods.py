"""Billing periods. Pure."""

import calendar
from datetime import UTC, datetime, timedelta

FIXED = {"day": timedelta(days=1), "week": timedelta(weeks=1)}
MONTHS = {"month": 1, "year": 12}


def following(start: int, interval: str, count: int, anchor: int) -> int:
    """Return when the period that begins at `start` ends.

    Months keep the anchor's day: one that began on the 31st renews on the 28th of February and on
    the 31st of March.
    """
    begun = datetime.fromtimestamp(start, UTC)
    if interval in FIXED:
        return int((begun + FIXED[interval] * count).timestamp())
    months = begun.year * 12 + begun.month - 1 + MONTHS[interval] * count
    year, month = months // 12, months % 12 + 1
    day = min(datetime.fromtimestamp(anchor, UTC).day, calendar.monthrange(year, month)[1])
    return int(begun.replace(year=year, month=month, day=day).timestamp())
