"""`standing_of` for two subscriptions of one customer: which of them decides."""

from __future__ import annotations

from typing import Any

import pytest

from billing.standing import AT_ONCE, Verdict
from tests.billing.stripe_objects import (
    BUSINESS,
    UNMAPPED,
    at,
    ended,
    moment,
    policy,
    subscription,
    verdict,
)


def a(status: str, *price: str, **fields: Any) -> dict[str, Any]:
    return subscription(status, *price, id="sub_a", **fields)


def b(status: str, *price: str, **fields: Any) -> dict[str, Any]:
    return subscription(status, *price, id="sub_b", **fields)


def a_ended(reason: str | None, days: float) -> dict[str, Any]:
    return ended(reason, days, id="sub_a")


def b_ended(reason: str | None, days: float) -> dict[str, Any]:
    return ended(reason, days, id="sub_b")


def current(subscription: str, tier: str | None = "pro") -> Verdict:
    return Verdict("current", "" if tier else "unmapped_price", tier, subscription)


def past_due(subscription: str, tier: str = "pro") -> Verdict:
    return Verdict("past_due", "payment_failed", tier, subscription, AT_ONCE)


def lapsed(reason: str, subscription: str) -> Verdict:
    return Verdict("lapsed", reason, None, subscription, AT_ONCE)


FREE = Verdict("free")
CHOICE, DEBT, DISPUTE = "cancellation_requested", "payment_failed", "payment_disputed"
NEW, OLD = at(-1), at(-300)

PAIRS = {
    "one ended for debt and a new active one: current": (
        a_ended(DEBT, -30),
        b("active"),
        current("sub_b"),
    ),
    "one ended by choice and a new trial: current": (
        a_ended(CHOICE, -30),
        b("trialing"),
        current("sub_b"),
    ),
    "one that ended for debt after the active one began: current": (
        a_ended(DEBT, -1),
        b("active", created=OLD),
        current("sub_b"),
    ),
    "past due beside active: current": (a("past_due"), b("active"), current("sub_b")),
    "past due of a higher tier beside active: current": (
        a("past_due", BUSINESS),
        b("active"),
        current("sub_b"),
    ),
    "unpaid beside a trial: current": (a("unpaid"), b("trialing"), current("sub_b")),
    "an unknown status beside active: current": (a("frozen"), b("active"), current("sub_b")),
    "two active: the higher tier, though it is older": (
        a("active", BUSINESS, created=OLD),
        b("active", created=NEW),
        current("sub_a", "business"),
    ),
    "a trial of a higher tier beside active: the trial": (
        a("trialing", BUSINESS),
        b("active"),
        current("sub_a", "business"),
    ),
    "two active of one tier: the newer": (
        a("active", created=NEW),
        b("active", created=OLD),
        current("sub_a"),
    ),
    "two active of one tier and age: the greater id": (
        a("active"),
        b("active"),
        current("sub_b"),
    ),
    "two active, the lower tier is about to end: no end is told": (
        a("active", BUSINESS),
        b("active", cancel_at=at(5)),
        current("sub_a", "business"),
    ),
    "unmapped beside mapped, both active: the mapped one": (
        a("active"),
        b("active", UNMAPPED, created=NEW),
        current("sub_a"),
    ),
    "unmapped and active beside mapped and past due: current without a tier": (
        a("past_due"),
        b("active", UNMAPPED),
        current("sub_b", None),
    ),
    "unpaid beside past due: past due": (a("past_due"), b("unpaid"), past_due("sub_a")),
    "paused beside past due: past due": (a("past_due"), b("paused"), past_due("sub_a")),
    "an unknown status beside past due: past due": (
        a("past_due"),
        b("frozen"),
        past_due("sub_a"),
    ),
    "ended for debt beside past due: past due": (
        a("past_due"),
        b_ended(DEBT, -1),
        past_due("sub_a"),
    ),
    "two past due: the higher tier": (
        a("past_due", BUSINESS),
        b("past_due", created=NEW),
        past_due("sub_a", "business"),
    ),
    "paused beside ended for debt: paused": (
        a("paused"),
        b_ended(DEBT, -1),
        lapsed("paused", "sub_a"),
    ),
    "unpaid beside ended by choice: unpaid": (
        a("unpaid"),
        b_ended(CHOICE, -1),
        lapsed("unpaid", "sub_a"),
    ),
    "unpaid of a higher tier beside paused: unpaid": (
        a("unpaid", BUSINESS),
        b("paused", created=NEW),
        lapsed("unpaid", "sub_a"),
    ),
    "ended for debt last week, by choice yesterday: free": (
        a_ended(DEBT, -7),
        b_ended(CHOICE, -1),
        FREE,
    ),
    "ended by choice last week, for debt yesterday: lapsed": (
        a_ended(CHOICE, -7),
        b_ended(DEBT, -1),
        lapsed(DEBT, "sub_b"),
    ),
    "ended for debt, then for a dispute: the dispute is told": (
        a_ended(DEBT, -7),
        b_ended(DISPUTE, -1),
        lapsed(DISPUTE, "sub_b"),
    ),
    "ended in the same second: the greater id, for debt": (
        a_ended(CHOICE, -1),
        b_ended(DEBT, -1),
        lapsed(DEBT, "sub_b"),
    ),
    "ended in the same second: the greater id, by choice": (
        a_ended(DEBT, -1),
        b_ended(CHOICE, -1),
        FREE,
    ),
    "never started beside active: current": (a("incomplete"), b("active"), current("sub_b")),
    "never started, of a higher tier, beside unpaid: unpaid": (
        a("incomplete", BUSINESS),
        b("unpaid"),
        lapsed("unpaid", "sub_b"),
    ),
    "never started, later than one ended for debt: lapsed": (
        a("incomplete_expired", created=NEW, ended_at=NEW),
        b_ended(DEBT, -7),
        lapsed(DEBT, "sub_b"),
    ),
    "never started beside ended by choice: free": (a("incomplete"), b_ended(CHOICE, -7), FREE),
    "neither ever started: free": (a("incomplete"), b("incomplete_expired"), FREE),
}


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS.values(), ids=PAIRS.keys())
def test_of_two(one: Any, other: Any, expected: Verdict) -> None:
    assert verdict(one, other) == expected
    assert verdict(other, one) == expected


def test_choosing_the_free_tier_between_two_ends_settles_the_first_alone() -> None:
    ends = [a_ended(DEBT, -7), b_ended(DEBT, -1)]
    assert verdict(*ends, free_chosen_at=moment(-3)) == lapsed(DEBT, "sub_b")
    assert verdict(*ends, free_chosen_at=moment(-0.5)) == FREE


def test_two_ended_by_choice_are_a_lapse_without_a_free_tier() -> None:
    ends = [a_ended(CHOICE, -7), b_ended(None, -1)]
    no_free_tier = policy(is_free_offered=False)
    assert verdict(*ends, rules=no_free_tier) == Verdict(
        "lapsed", "no_subscription", locks_at=AT_ONCE
    )
