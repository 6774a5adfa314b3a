"""What the admin's front page tells of billing, from the sums that `count_revenue` keeps: where
organizations stand, and what they pay a month (docs/rules.md, "What needs a human")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.text import capfirst

from billing.chips import LOOKS
from billing.models import MovementTotal, StandingTotal, Status
from billing.money import format_money, major_units
from billing.movements import shown_months
from billing.revenue import Number, Row

# So many of the months that are shown of revenue are shown on the front page.
MONTHS = 6
# How the line of each currency is drawn: they are told apart by their dashes.
DASHES: tuple[list[int], ...] = ([], [6, 4], [2, 3], [12, 4])

# A currency and a month.
Change = tuple[str, date]


@dataclass(frozen=True)
class StandingLine:
    status: Status
    look: str
    number: Number


@dataclass(frozen=True)
class Front:
    """`counted_at` None: nothing was counted yet."""

    counted_at: datetime | None
    standings: list[StandingLine]
    # What is paid a month now, in each currency.
    recurring: list[Number]
    currencies: list[str]
    # What was paid a month at the end of each month, by currency; the newest first.
    months: list[Row]
    standings_chart: dict[str, Any]
    months_chart: dict[str, Any]


def front_at(now: datetime) -> Front:
    """Return what was counted last. Two statements, which read only sums."""
    months = shown_months(now)[-MONTHS:]
    totals = list(StandingTotal.objects.order_by("currency", "status"))
    changes = Counter[Change]()
    for total in MovementTotal.objects.filter(month__in=months):
        changes[total.currency, total.month] += total.amount
    organizations, pays = Counter[str](), Counter[str]()
    for each in totals:
        organizations[each.status] += each.organizations
        if each.status == Status.CURRENT and each.currency:
            pays[each.currency] += each.amount
    by_month = recurring_by_month(pays, changes, months)
    return Front(
        counted_at=totals[0].counted_at if totals else None,
        standings=[_line(status, organizations[status]) for status in Status],
        recurring=[_pays(currency, amount) for currency, amount in sorted(pays.items())],
        currencies=[currency.upper() for currency in by_month],
        months=[
            Row(
                month,
                [
                    Number(format_money(amounts[at], currency))
                    for currency, amounts in by_month.items()
                ],
            )
            for at, month in reversed(list(enumerate(months)))
        ],
        standings_chart=_standings_chart(organizations),
        months_chart=_months_chart(by_month, months),
    )


def recurring_by_month(
    pays: Mapping[str, int], changes: Mapping[Change, int], months: Sequence[date]
) -> dict[str, list[int]]:
    """Return by currency what was paid a month at the end of each of `months`, the last of which
    is the present one: what is paid now, less what has changed since. In minor units.

    Changes of which no amount is told are missing there, so that it is never less than nothing.
    """
    currencies = sorted({*pays, *(currency for currency, _month in changes)} - {""})
    found = {}
    for currency in currencies:
        amount, amounts = pays.get(currency, 0), []
        for month in reversed(months):
            amounts.append(max(amount, 0))
            amount -= changes.get((currency, month), 0)
        found[currency] = amounts[::-1]
    return found


def _line(status: Status, count: int) -> StandingLine:
    asked = urlencode({"status__exact": status})
    return StandingLine(status, LOOKS[status], Number(f"{count:,}", asked))


def _pays(currency: str, amount: int) -> Number:
    asked = {"recurring_currency": currency, "status__exact": Status.CURRENT}
    return Number(format_money(amount, currency), urlencode(asked))


def _standings_chart(organizations: Mapping[str, int]) -> dict[str, Any]:
    """What static/chart.js draws: a bar in the colour of each standing's label."""
    return {
        "type": "bar",
        "labels": [capfirst(status.label) for status in Status],
        "lines": [
            {
                "data": [organizations.get(status, 0) for status in Status],
                "colour": [f"--{LOOKS[status]}" for status in Status],
            }
        ],
    }


def _months_chart(by_month: Mapping[str, list[int]], months: Sequence[date]) -> dict[str, Any]:
    return {
        "labels": [date_format(month, "M Y") for month in months],
        "lines": [
            {
                "label": currency.upper(),
                "data": [float(major_units(amount, currency)) for amount in amounts],
                "colour": "--link-fg",
                "borderDash": DASHES[at % len(DASHES)],
            }
            for at, (currency, amounts) in enumerate(by_month.items())
        ],
    }
