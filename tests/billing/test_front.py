"""What was paid a month, at the end of each month: what is paid now, less what changed since."""

from __future__ import annotations

from datetime import date

import pytest

from billing.front import recurring_by_month

MAY, JUNE, JULY = months = [date(2026, month, 1) for month in (5, 6, 7)]


@pytest.mark.parametrize(
    ("pays", "changes", "told"),
    [
        ({}, {}, {}),
        ({"eur": 500}, {}, {"eur": [500, 500, 500]}),
        ({"eur": 500}, {("eur", JULY): 200}, {"eur": [300, 300, 500]}),
        ({"eur": 500}, {("eur", MAY): 200}, {"eur": [500, 500, 500]}),
        ({"eur": 500}, {("eur", JUNE): 600, ("eur", JULY): -100}, {"eur": [0, 600, 500]}),
        # What left entirely is still told of.
        ({}, {("jpy", JULY): -70}, {"jpy": [70, 70, 0]}),
        # Older lines tell neither currency nor amount.
        ({"eur": 500}, {("", JULY): 0}, {"eur": [500, 500, 500]}),
        ({"eur": 500}, {("eur", JULY): 900}, {"eur": [0, 0, 500]}),
        ({"usd": 1, "eur": 2}, {}, {"eur": [2, 2, 2], "usd": [1, 1, 1]}),
    ],
)
def test_each_month_ends_with_what_is_paid_now_less_what_changed_since(
    pays: dict[str, int],
    changes: dict[tuple[str, date], int],
    told: dict[str, list[int]],
) -> None:
    assert recurring_by_month(pays, changes, months) == told
