"""`standing_of`: from Stripe's facts to a verdict."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.standing import AT_ONCE, Policy, PricedTier, Verdict, standing_of
from tests.billing.stripe_objects import (
    BUSINESS,
    NOW,
    PRO,
    at,
    ended,
    invoice,
    moment,
    subscription,
)

PRICES = {PRO: PricedTier("pro", 10), BUSINESS: PricedTier("business", 20)}


def policy(grace_days: int = 0, *, is_free_offered: bool = True) -> Policy:
    return Policy(timedelta(days=grace_days), is_free_offered, PRICES)


def verdict(
    *subscriptions: Any, invoices: Any = (), rules: Policy | None = None, **facts: Any
) -> Verdict:
    return standing_of(list(subscriptions), list(invoices), NOW, rules or policy(), **facts)


NO_FREE_TIER = policy(is_free_offered=False)


@pytest.mark.parametrize(
    ("subscriptions", "expected"),
    [
        ([], Verdict("free")),
        ([subscription("incomplete")], Verdict("free")),
        ([subscription("incomplete_expired")], Verdict("free")),
        ([subscription("active")], Verdict("current", tier="pro", subscription="sub_1")),
        ([subscription("trialing")], Verdict("current", tier="pro", subscription="sub_1")),
        (
            [subscription("active", price="price_unknown")],
            Verdict("current", "unmapped_price", subscription="sub_1"),
        ),
        (
            [subscription("active", cancel_at=at(5))],
            Verdict("current", tier="pro", subscription="sub_1", ends_at=moment(5)),
        ),
        (
            [subscription("active", cancel_at_period_end=True)],
            Verdict("current", tier="pro", subscription="sub_1", ends_at=moment(20)),
        ),
        (
            [subscription("past_due")],
            Verdict("past_due", "payment_failed", "pro", "sub_1", AT_ONCE),
        ),
        ([subscription("unpaid")], Verdict("lapsed", "unpaid", None, "sub_1", AT_ONCE)),
        ([subscription("paused")], Verdict("lapsed", "paused", None, "sub_1", AT_ONCE)),
        (
            [subscription("a_status_of_next_year")],
            Verdict("lapsed", "unknown_status", None, "sub_1", AT_ONCE),
        ),
        (
            [ended("payment_failed")],
            Verdict("lapsed", "payment_failed", None, "sub_1", AT_ONCE),
        ),
        (
            [ended("payment_disputed")],
            Verdict("lapsed", "payment_disputed", None, "sub_1", AT_ONCE),
        ),
        ([ended("cancellation_requested")], Verdict("free")),
        ([ended(None)], Verdict("free")),
        ([subscription("canceled", cancellation_details=None)], Verdict("free")),
    ],
)
def test_one_subscription_or_none(subscriptions: Any, expected: Verdict) -> None:
    assert verdict(*subscriptions) == expected


@pytest.mark.parametrize("nothing", [[], [ended("cancellation_requested")]])
def test_without_a_free_tier_no_subscription_is_a_lapse(nothing: Any) -> None:
    assert verdict(*nothing, rules=NO_FREE_TIER) == Verdict(
        "lapsed", "no_subscription", locks_at=AT_ONCE
    )


@pytest.mark.parametrize(
    ("invoices", "locks_at"),
    [
        ([invoice(-3)], moment(4)),
        ([invoice(-3, due_date=at(-1))], moment(6)),
        # A newer invoice does not renew the grace.
        ([invoice(-3), invoice(-1)], moment(4)),
        # Nothing is owed on these; the period that was not paid for counts.
        ([invoice(-3, remaining=0)], moment(-3)),
        ([invoice(-3, of="sub_other")], moment(-3)),
        ([], moment(-3)),
    ],
)
def test_the_grace_runs_from_the_start_of_the_debt(invoices: Any, locks_at: Any) -> None:
    result = verdict(subscription("past_due"), invoices=invoices, rules=policy(7))
    assert (result.status, result.locks_at, result.tier) == ("past_due", locks_at, "pro")


def test_the_better_of_two_paid_subscriptions_counts() -> None:
    pro = subscription("active", id="sub_pro")
    business = subscription("active", BUSINESS, id="sub_business")
    assert verdict(pro, business).tier == verdict(business, pro).tier == "business"


def test_the_end_of_an_old_subscription_takes_nothing_from_the_new_one() -> None:
    assert verdict(ended("payment_failed", id="sub_old"), subscription("active")).status == (
        "current"
    )


def test_the_subscription_that_ended_last_decides() -> None:
    failed = ended("payment_failed", days=-5, id="sub_a")
    left = ended("cancellation_requested", days=-2, id="sub_b")
    assert verdict(failed, left).status == "free"
    assert verdict(ended("payment_failed", days=-1, id="sub_a"), left).status == "lapsed"


def test_choosing_the_free_tier_after_the_end_settles_it() -> None:
    failed = ended("payment_failed", days=-5)
    assert verdict(failed, free_chosen_at=moment(-1)) == Verdict("free")
    assert verdict(failed, free_chosen_at=moment(-6)).status == "lapsed"
    assert verdict(failed, free_chosen_at=moment(-1), rules=NO_FREE_TIER).status == "lapsed"


def test_a_customer_deleted_at_stripe_is_a_lapse() -> None:
    assert verdict(is_customer_deleted=True).reason == "customer_deleted"


statuses = st.sampled_from(
    [
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "unpaid",
        "paused",
        "canceled",
        "a_status_of_next_year",
    ]
)
some_subscription = st.builds(
    lambda status, price, days, reason, cancel_at: subscription(
        status,
        price,
        ended_at=at(days) if status == "canceled" else None,
        cancellation_details={"reason": reason},
        cancel_at=cancel_at,
    ),
    statuses,
    st.sampled_from([PRO, BUSINESS, "price_unknown"]),
    st.integers(-30, 0),
    st.sampled_from([None, "payment_failed", "payment_disputed", "cancellation_requested"]),
    st.sampled_from([None, at(3)]),
)


@given(
    st.lists(some_subscription, max_size=3),
    st.lists(st.integers(-20, 0), max_size=3),
    st.sampled_from([0, 7]),
    st.booleans(),
)
def test_the_order_of_the_facts_never_matters(
    subscriptions: Any, debts: Any, grace: int, is_free_offered: bool
) -> None:
    named = [each | {"id": f"sub_{n}"} for n, each in enumerate(subscriptions)]
    owed = [invoice(days, of=f"sub_{n}") for n, days in enumerate(debts)]
    rules = policy(grace, is_free_offered=is_free_offered)
    verdicts = {
        standing_of(order, owed[::-1], NOW, rules) for order in itertools.permutations(named)
    }
    assert len(verdicts) == 1
    (result,) = verdicts
    assert (result.status in {"free", "current"}) == (result.locks_at is None)
