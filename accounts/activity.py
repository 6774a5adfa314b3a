"""When somebody's activity is written down, and what is told of it by week (docs/rules.md,
"Activity"). What is written is written by `accounts.services`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from accounts.managers import ActiveWeekQuerySet
from accounts.models import ActiveWeek, ActiveWeekTotal

# Whoever was not seen for so long is dormant; so is an organization of such people alone.
DORMANT_AFTER = timedelta(days=30)
# So many weeks are shown, the present one included, and so long who was active is remembered.
WEEKS = 26
# A week is summed up when it has been over for so long: whoever was late to write has written.
SETTLED_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Week:
    """How many were active in the week that begins on this Monday."""

    monday: date
    people: int = 0
    organizations: int = 0


def is_due(last_active: datetime | None, now: datetime, interval: timedelta) -> bool:
    """Whether activity at `now` is to be written, when it was last written at `last_active`."""
    return last_active is None or last_active <= now - interval


def week_of(moment: datetime) -> date:
    """Return the Monday of the week, in UTC, that the moment is in."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def shown_weeks(now: datetime) -> list[date]:
    """Return the Mondays of the weeks that are shown, the oldest first."""
    present = week_of(now)
    return [present - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def weeks_of_all(now: datetime) -> list[Week]:
    """Return the shown weeks of everybody: the sums of those that are over, and a count of the
    rows of those that were not summed up yet, which is the present one, and on Mondays the last."""
    totals = ActiveWeekTotal.objects.filter(week__in=shown_weeks(now))
    summed = {total.week: Week(total.week, total.people, total.organizations) for total in totals}
    others = [monday for monday in shown_weeks(now) if monday not in summed]
    counted = _counted(ActiveWeek.objects.filter(week__in=others))
    return _in_order(summed | counted, now)


def weeks_of(rows: ActiveWeekQuerySet, now: datetime) -> list[Week]:
    """Return the shown weeks of those alone who are in these rows."""
    return _in_order(_counted(rows.filter(week__gte=shown_weeks(now)[0])), now)


def _counted(rows: ActiveWeekQuerySet) -> dict[date, Week]:
    counts: Iterable[tuple[date, int, int]] = rows.counted_by_week()
    return {monday: Week(monday, people, teams) for monday, people, teams in counts}


def _in_order(found: dict[date, Week], now: datetime) -> list[Week]:
    return [found.get(monday, Week(monday)) for monday in shown_weeks(now)]
