"""What is paid a month, from Stripe's subscription: whatever the interval, the seats, the price."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.recurring import Recurring, monthly, recurring_of
from billing.standing import Verdict
from tests.billing.stripe_objects import subscription

KNOWN = Recurring("eur", 1900)
INTERVALS = st.sampled_from(["day", "week", "month", "year"])


def item(
    amount: int | None, interval: str = "month", quantity: int | None = 1, **price: Any
) -> dict[str, Any]:
    recurring = {"interval": interval, "interval_count": price.pop("count", 1)}
    told = {"unit_amount": amount, "unit_amount_decimal": None, "recurring": recurring}
    return {"quantity": quantity, "price": {"id": "price_1"} | told | price}


def paid(*items: dict[str, Any], status: str = "active", currency: str = "eur") -> dict[str, Any]:
    return subscription(status, items={"data": list(items)}, currency=currency)


@pytest.mark.parametrize(
    ("items", "amount"),
    [
        ([item(1900)], 1900),
        ([item(19_000, "year")], 1583),
        ([item(500, "week")], 2167),
        ([item(100, "day")], 3042),
        ([item(3000, count=3)], 1000),
        ([item(1900, quantity=5)], 9500),
        ([item(1900, quantity=0)], 0),
        ([item(1900), item(12_000, "year", 2)], 3900),
        # Rounded once: two thirds and two thirds are one and a third.
        ([item(8, "year"), item(8, "year")], 1),
        ([item(None, quantity=1000, unit_amount_decimal="0.55")], 550),
        ([item(0)], 0),
        ([], 0),
    ],
)
def test_items_are_paid_by_the_month(items: list[Any], amount: int) -> None:
    assert monthly(paid(*items)) == Recurring("eur", amount)


@pytest.mark.parametrize(
    "untold",
    [
        item(None),
        item(1900, quantity=None),
        item(1900, transform_quantity={"divide_by": 10, "round": "up"}),
        item(1900, "fortnight"),
        item(1900, recurring=None),
        {"quantity": 1, "price": "price_1"},
        {"quantity": 1, "price": None},
        {},
    ],
    ids=["tiers", "usage", "packages", "another interval", "once", "an id", "null", "nothing"],
)
def test_beside_a_price_that_tells_no_amount_no_sum_is_told(untold: dict[str, Any]) -> None:
    assert monthly(paid(item(1900), untold)) == Recurring("eur", None)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), INTERVALS, st.integers(0, 99), st.integers(1, 12)))
)
def test_it_is_the_twelfth_of_what_a_year_costs(items: list[tuple[int, str, int, int]]) -> None:
    """A year has 365 days, 52 weeks or 12 months."""
    per_year = {"day": 365, "week": 52, "month": 12, "year": 1}
    exact = sum(
        (
            Fraction(amount * quantity * per_year[interval], count) / 12
            for amount, interval, quantity, count in items
        ),
        Fraction(0),
    )
    told = monthly(paid(*(item(a, i, q, count=c) for a, i, q, c in items)))
    assert told is not None
    assert told.amount is not None
    assert told.amount == round(exact)


@given(
    st.integers(0, 10**6), st.integers(0, 99), st.sampled_from(["month", "year"]), st.integers(2, 9)
)
def test_as_many_seats_cost_as_many_times_as_much(
    amount: int, quantity: int, interval: str, times: int
) -> None:
    one = monthly(paid(item(amount * 12, interval, quantity)))
    many = monthly(paid(item(amount * 12, interval, quantity * times)))
    assert one is not None
    assert one.amount is not None
    assert many == Recurring("eur", one.amount * times)


@given(st.decimals(0, 1000, places=6))
def test_fractions_of_a_minor_unit_count(unit: Decimal) -> None:
    told = monthly(paid(item(None, quantity=1_000_000, unit_amount_decimal=str(unit))))
    assert told == Recurring("eur", int(unit * 1_000_000))


def of(
    verdict: Any, at_stripe: str = "active", name: str | None = "sub_1", known: Any = KNOWN
) -> Recurring | None:
    subscriptions = [paid(item(100)) | {"id": "sub_2"}, paid(item(4900), status=at_stripe)]
    return recurring_of(Verdict(verdict, subscription=name), subscriptions, known)


def test_who_owes_is_told_with_what_they_paid_last() -> None:
    assert of("current", known=None) == Recurring("eur", 4900)
    for status in ("past_due", "lapsed"):
        assert of(status, "past_due") == KNOWN
        # A trial that ended in a debt: they never paid.
        assert of(status, "past_due", known=None) is None


def test_trials_and_those_without_a_subscription_pay_nothing() -> None:
    assert of("current", "trialing") is None
    for status in ("free", "lapsed"):
        assert of(status, name=None) is None


def test_without_a_currency_nothing_is_told() -> None:
    assert monthly(subscription("active")) is None
