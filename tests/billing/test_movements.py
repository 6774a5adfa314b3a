"""What a change of standing is for revenue: the table of docs/rules.md, "Revenue"."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.movements import MONTHS, Moved, MovementKind, month_of, movement_of, shown_months

RANKS = {"free": 0, "pro": 10, "business": 20}
NEW, UPGRADED, DOWNGRADED, LAPSED, RECOVERED, LEFT = MovementKind


def told(status: str, amount: Any = None, tier: str = "free", currency: str = "eur") -> Any:
    """What a line tells. `amount`: None pays nothing; "?" pays what no price tells."""
    recurring = {"currency": currency, "amount": None if amount == "?" else amount}
    return {
        "status": status,
        "tier": tier,
        "subscription": None if status == "free" else "sub_1",
        "recurring": None if amount is None else recurring,
    }


FREE = told("free")
TRIAL = told("current", tier="pro")
TRIAL_OWED = told("past_due", tier="pro")
PRO, PRO_YEARLY = told("current", 1900, "pro"), told("current", 1583, "pro")
BUSINESS = told("current", 4900, "business")
OWED, LAPSED_PRO = told("past_due", 1900, "pro"), told("lapsed", 1900)
DELETED = told("lapsed")
BY_USAGE, MORE_BY_USAGE = told("current", "?", "pro"), told("current", "?", "business")
DOLLARS = told("current", 2100, "pro", "usd")


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (FREE, PRO, (NEW, 1900)),
        (TRIAL, PRO, (NEW, 1900)),
        (TRIAL_OWED, PRO, (NEW, 1900)),
        (DELETED, PRO, (NEW, 1900)),
        ({}, PRO, (NEW, 1900)),
        (PRO, BUSINESS, (UPGRADED, 3000)),
        (PRO_YEARLY, PRO, (UPGRADED, 317)),
        (BY_USAGE, MORE_BY_USAGE, (UPGRADED, None)),
        (BUSINESS, PRO, (DOWNGRADED, -3000)),
        (PRO, PRO_YEARLY, (DOWNGRADED, -317)),
        (BUSINESS, BY_USAGE, (DOWNGRADED, None)),
        (PRO, OWED, (LAPSED, -1900)),
        (PRO, LAPSED_PRO, (LAPSED, -1900)),
        (BY_USAGE, told("past_due", "?", "pro"), (LAPSED, None)),
        (OWED, PRO, (RECOVERED, 1900)),
        (LAPSED_PRO, BUSINESS, (RECOVERED, 4900)),
        (PRO, FREE, (LEFT, -1900)),
        (PRO, DELETED, (LEFT, -1900)),
        (PRO, TRIAL, (LEFT, -1900)),
        (OWED, FREE, (LEFT, 0)),
    ],
)
def test_a_change_of_what_is_paid_is_a_movement(before: Any, after: Any, moved: Any) -> None:
    kind, amount = moved
    assert movement_of(before, after, RANKS) == Moved(kind, "eur", amount)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FREE, TRIAL),
        (TRIAL, FREE),
        (TRIAL, TRIAL_OWED),
        (TRIAL_OWED, FREE),
        (OWED, LAPSED_PRO),
        (LAPSED_PRO, OWED),
        (FREE, DELETED),
        (PRO, PRO | {"ends_at": "2026-12-01"}),
        # Staff named a tier, or a price was mapped to another one: nobody pays more.
        (PRO, PRO | {"tier": "business"}),
        (BY_USAGE, BY_USAGE | {"ends_at": "2026-12-01"}),
        (PRO, DOLLARS),
        ({}, {}),
    ],
)
def test_a_change_of_anything_else_is_none(before: Any, after: Any) -> None:
    assert movement_of(before, after, RANKS) is None


def test_who_pays_in_another_currency_is_compared_by_tier() -> None:
    assert movement_of(BUSINESS, DOLLARS, RANKS) == Moved(DOWNGRADED, "usd", None)


def old(told: Any) -> Any:
    """As lines were before they told what is paid."""
    return {key: value for key, value in told.items() if key != "recurring"}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (FREE, PRO, NEW),
        (PRO, BUSINESS, UPGRADED),
        (BUSINESS, PRO, DOWNGRADED),
        (PRO, OWED, LAPSED),
        (LAPSED_PRO, PRO, RECOVERED),
        (PRO, FREE, LEFT),
        (PRO, PRO | {"ends_at": "2026-12-01"}, None),
    ],
)
def test_older_lines_tell_the_kind_and_no_amount(before: Any, after: Any, kind: Any) -> None:
    moved = movement_of(old(before), old(after), RANKS)
    assert moved == (kind and Moved(kind, "", None))


AMOUNTS = st.integers(0, 10_000)
SIDES = st.just(FREE) | st.builds(
    told, st.sampled_from(["current", "past_due", "lapsed"]), st.none() | AMOUNTS
)


@given(st.lists(SIDES))
def test_what_is_paid_in_the_end_is_what_the_movements_come_to(history: list[Any]) -> None:
    sides = [FREE, *history]
    moves = [movement_of(*pair, RANKS) for pair in pairwise(sides)]
    last = sides[-1]
    pays = last["recurring"]["amount"] if last["status"] == "current" and last["recurring"] else 0
    assert sum(moved.amount or 0 for moved in moves if moved) == pays


def test_months_are_those_of_utc_and_twelve_are_shown() -> None:
    now = datetime.fromisoformat("2026-03-01T00:30+01:00")
    assert month_of(now) == date(2026, 2, 1)
    months = shown_months(datetime(2026, 2, 28, tzinfo=UTC))
    assert (months[0], months[-1], len(months)) == (date(2025, 3, 1), date(2026, 2, 1), MONTHS)
    assert date(2025, 12, 1) in months
    assert date(2026, 1, 1) in months
