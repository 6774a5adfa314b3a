"""`standing_of`: from Stripe's facts to a verdict. Here the table of the rules, one line each."""

from __future__ import annotations

from typing import Any

import pytest

from billing.standing import AT_ONCE, Verdict
from tests.billing.stripe_objects import (
    BUSINESS,
    PRO,
    UNMAPPED,
    at,
    ended,
    invoice,
    item,
    moment,
    policy,
    subscription,
    verdict,
)

NO_FREE_TIER = policy(is_free_offered=False)
CURRENT = Verdict("current", tier="pro", subscription="sub_1")


@pytest.mark.parametrize(
    ("subscriptions", "expected"),
    [
        ([], Verdict("free")),
        ([subscription("incomplete")], Verdict("free")),
        ([subscription("incomplete_expired")], Verdict("free")),
        ([subscription("active")], CURRENT),
        ([subscription("trialing")], CURRENT),
        (
            [subscription("active", UNMAPPED)],
            Verdict("current", "unmapped_price", subscription="sub_1"),
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
    ],
)
def test_one_subscription_or_none(subscriptions: Any, expected: Verdict) -> None:
    assert verdict(*subscriptions) == expected


@pytest.mark.parametrize(
    "nothing", [[], [subscription("incomplete")], [ended("cancellation_requested")]]
)
def test_without_a_free_tier_no_subscription_is_a_lapse(nothing: Any) -> None:
    assert verdict(*nothing, rules=NO_FREE_TIER) == Verdict(
        "lapsed", "no_subscription", locks_at=AT_ONCE
    )


@pytest.mark.parametrize(
    ("fields", "ends_at"),
    [
        ({"cancel_at": at(5)}, moment(5)),
        ({"cancel_at_period_end": True}, moment(20)),
        ({"cancel_at": at(5), "cancel_at_period_end": True}, moment(5)),
        (
            {
                "cancel_at_period_end": True,
                "items": {"data": [item(), item(current_period_end=at(25))]},
            },
            moment(25),
        ),
        ({}, None),
    ],
    ids=["a date", "the period's end", "both", "of two periods the later end", "neither"],
)
@pytest.mark.parametrize("status", ["active", "trialing", "past_due"])
def test_a_scheduled_end_is_told(status: str, fields: Any, ends_at: Any) -> None:
    assert verdict(subscription(status, **fields)).ends_at == ends_at


def test_of_several_items_the_highest_tier_counts() -> None:
    for prices in ([PRO, BUSINESS], [BUSINESS, PRO], [UNMAPPED, BUSINESS]):
        items = {"data": [item(price) for price in prices]}
        assert verdict(subscription("active", items=items)).tier == "business"


def test_pausing_collection_is_no_lapse() -> None:
    assert verdict(subscription("active", pause_collection={"behavior": "void"})) == CURRENT


def test_an_open_invoice_locks_nobody_whose_subscription_is_active() -> None:
    assert verdict(subscription("active"), invoices=[invoice(-30)]) == CURRENT


def test_choosing_the_free_tier_after_the_end_settles_it() -> None:
    failed = ended("payment_failed", days=-5)
    assert verdict(failed, free_chosen_at=moment(-1)) == Verdict("free")
    assert verdict(failed, free_chosen_at=moment(-6)).status == "lapsed"
    assert verdict(failed, free_chosen_at=moment(-5)).status == "lapsed"
    assert verdict(failed, free_chosen_at=moment(-1), rules=NO_FREE_TIER).reason == (
        "payment_failed"
    )


@pytest.mark.parametrize("status", ["active", "past_due", "unpaid"])
def test_choosing_the_free_tier_takes_nothing_from_a_live_subscription(status: str) -> None:
    living = subscription(status)
    assert verdict(living, free_chosen_at=moment(-1)) == verdict(living)


def test_a_customer_deleted_at_stripe_is_a_lapse() -> None:
    for subscriptions in ([], [subscription("active")]):
        assert verdict(*subscriptions, is_customer_deleted=True) == Verdict(
            "lapsed", "customer_deleted", locks_at=AT_ONCE
        )
