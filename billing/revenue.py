"""What staff's page of revenue shows, from what was counted: tables, each number with the question
that a list of the admin is asked for its rows (docs/rules.md, "Revenue")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.http import urlencode

from billing.models import MovementTotal, StandingTotal, Status
from billing.money import format_money
from billing.movements import MovementKind, shown_months
from orgs.models import Tier

# A currency or a tier, and a status.
Key = tuple[str, str]
MonthAndKind = tuple[date, str]


@dataclass(frozen=True)
class Number:
    """A number, and the query of the list that shows its rows; of none, no query."""

    text: str
    query: str = ""


@dataclass(frozen=True)
class Row:
    name: str | date
    numbers: list[Number]


@dataclass(frozen=True)
class Table:
    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Revenue:
    """All of the page. `counted_at` None: nothing was counted yet."""

    counted_at: datetime | None
    recurring: list[Row]
    standings: list[Row]
    # By month, the newest first: of all currencies how many movements; of each, what they come to.
    movements: list[Row]
    by_currency: list[Table]
    # The oldest first, as in the chart.
    months: list[date]
    lines: dict[MovementKind, list[int]]


def revenue_at(now: datetime) -> Revenue:
    """Return the page as it was counted last. Three statements, which read only sums."""
    months = shown_months(now)
    standings = list(StandingTotal.objects.order_by("currency", "status"))
    movements = list(MovementTotal.objects.filter(month__in=months))
    counts = _counts(movements)
    currencies = sorted({total.currency for total in movements} - {""})
    return Revenue(
        counted_at=standings[0].counted_at if standings else None,
        recurring=_recurring(standings),
        standings=_by_tier(standings, Tier.objects.order_by("rank", "key")),
        movements=[_month(month, counts) for month in reversed(months)],
        by_currency=[_table(currency, movements, months) for currency in currencies],
        months=months,
        lines={kind: [counts[month, kind] for month in months] for kind in MovementKind},
    )


def _recurring(totals: Iterable[StandingTotal]) -> list[Row]:
    """Return a row for each currency and status, with organizations, amount, and those untold."""
    organizations, told, amounts = Counter[Key](), Counter[Key](), Counter[Key]()
    for total in totals:
        if total.currency:
            key = total.currency, total.status
            organizations[key] += total.organizations
            told[key] += total.told
            amounts[key] += total.amount
    rows = []
    for key, number in organizations.items():
        currency, status = key
        asked = {"recurring_currency": currency, "status__exact": status}
        numbers = [
            _number(number, asked),
            Number(format_money(amounts[key], currency), urlencode(asked)),
            _number(number - told[key], asked | {"recurring_amount__isnull": "True"}),
        ]
        rows.append(Row(f"{currency.upper()}, {Status(status).label}", numbers))
    return rows


def _by_tier(totals: Iterable[StandingTotal], tiers: Iterable[Tier]) -> list[Row]:
    counts = Counter[Key]()
    for total in totals:
        counts[total.tier, total.status] += total.organizations
    return [
        Row(
            tier.name,
            [
                _number(counts[tier.key, status], {"tier": tier.key, "status__exact": status})
                for status in Status
            ],
        )
        for tier in tiers
    ]


def _counts(totals: Iterable[MovementTotal]) -> Counter[MonthAndKind]:
    counts = Counter[MonthAndKind]()
    for total in totals:
        counts[total.month, total.kind] += total.movements
    return counts


def _month(month: date, counts: Counter[MonthAndKind]) -> Row:
    numbers = [_number(counts[month, kind], _asked(month, kind)) for kind in MovementKind]
    return Row(month, numbers)


def _table(currency: str, totals: Iterable[MovementTotal], months: list[date]) -> Table:
    """Return a table by month of what the movements in a currency come to."""
    found = {(each.month, each.kind): each for each in totals if each.currency == currency}
    rows = [
        Row(
            month,
            [
                _amount(found.get((month, kind)), _asked(month, kind) | {"currency": currency})
                for kind in MovementKind
            ],
        )
        for month in reversed(months)
    ]
    return Table(currency.upper(), rows)


def _asked(month: date, kind: str) -> dict[str, str]:
    return {"month": f"{month:%Y-%m}", "kind__exact": kind}


def _amount(total: MovementTotal | None, asked: dict[str, str]) -> Number:
    if total is None:
        return Number("0")
    return Number(
        f"{signed_money(total.amount, total.currency)} ({total.movements})", urlencode(asked)
    )


def _number(count: int, asked: dict[str, str]) -> Number:
    return Number(str(count), urlencode(asked) if count else "")


def signed_money(amount: int, currency: str) -> str:
    """Return how much more, or less, is paid, as people write it: +€19, -€19.50."""
    return ("+" if amount > 0 else "") + format_money(amount, currency)
