"""`standing_of` never raises: what it makes of facts that are missing, null or odd."""

from __future__ import annotations

from typing import Any

import pytest

from billing.standing import AT_ONCE, Verdict
from tests.billing.stripe_objects import (
    BUSINESS,
    PRO,
    at,
    ended,
    invoice,
    item,
    moment,
    policy,
    subscription,
    verdict,
)

GRACE = 7
UNMAPPED = Verdict("current", "unmapped_price", subscription="sub_1")
FREE = Verdict("free")


def without(facts: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key != name}


@pytest.mark.parametrize(
    "facts",
    [
        without(subscription("active"), "items"),
        subscription("active", items=None),
        subscription("active", items={}),
        subscription("active", items={"data": None}),
        subscription("active", items={"data": []}),
        subscription("active", items={"data": [{}]}),
        subscription("active", items={"data": [item() | {"price": None}]}),
        subscription("active", items={"data": [item() | {"price": {}}]}),
        subscription("active", items={"data": [item(None)]}),
    ],
    ids=[
        "items are missing",
        "items are null",
        "items without data",
        "data is null",
        "no items",
        "an item without price",
        "a price that is null",
        "a price without id",
        "a price whose id is null",
    ],
)
def test_an_unreadable_price_is_unmapped(facts: Any) -> None:
    assert verdict(facts) == UNMAPPED
    in_debt = verdict(facts | {"status": "past_due"})
    assert (in_debt.status, in_debt.tier, in_debt.locks_at) == ("past_due", None, AT_ONCE)


def test_a_price_may_be_told_by_its_id() -> None:
    items = {"data": [item() | {"price": PRO}, item() | {"price": BUSINESS}]}
    assert verdict(subscription("active", items=items)).tier == "business"


def test_an_unreadable_item_takes_nothing_from_the_readable_one() -> None:
    items = {"data": [{"price": None}, item(PRO), {}]}
    assert verdict(subscription("active", items=items)).tier == "pro"


@pytest.mark.parametrize("reasonless", [None, {}, {"reason": None}])
def test_an_end_without_a_reason_is_a_choice(reasonless: Any) -> None:
    assert verdict(subscription("canceled", cancellation_details=reasonless)) == FREE


def test_an_end_without_details_is_a_choice() -> None:
    assert verdict(without(subscription("canceled"), "cancellation_details")) == FREE


@pytest.mark.parametrize("nothing", [None, 0])
def test_an_end_without_a_moment_came_first(nothing: Any) -> None:
    undated = ended("payment_failed", id="sub_z") | {"ended_at": nothing, "canceled_at": nothing}
    assert verdict(undated).reason == "payment_failed"
    assert verdict(undated, ended("cancellation_requested", days=-900)) == FREE
    assert verdict(undated, free_chosen_at=moment(-900)) == FREE


def test_the_moment_of_cancelling_serves_where_that_of_the_end_is_missing() -> None:
    failed = ended("payment_failed", id="sub_a") | {"ended_at": None, "canceled_at": at(-3)}
    assert verdict(failed, ended("cancellation_requested", days=-4)).reason == "payment_failed"
    assert verdict(failed, ended("cancellation_requested", days=-2)) == FREE


@pytest.mark.parametrize("nothing", [None, 0])
def test_a_schedule_without_a_moment_is_no_schedule(nothing: Any) -> None:
    items = {"data": [item(current_period_end=nothing)]}
    scheduled = subscription("active", items=items, cancel_at=nothing, cancel_at_period_end=True)
    assert verdict(scheduled) == Verdict("current", tier="pro", subscription="sub_1")


@pytest.mark.parametrize("nothing", [None, 0])
def test_of_two_the_one_without_a_moment_of_creation_is_the_older(nothing: Any) -> None:
    undated = subscription("active", id="sub_z", created=nothing)
    assert verdict(undated, subscription("active")).subscription == "sub_1"


@pytest.mark.parametrize(
    "unreadable",
    [
        without(invoice(-3), "parent"),
        invoice(-3, parent=None),
        invoice(-3, parent={}),
        invoice(-3, parent={"subscription_details": None}),
        invoice(-3, parent={"subscription_details": {}}),
        invoice(-3, parent={"subscription_details": {"subscription": None}}),
        without(invoice(-3), "amount_remaining"),
        invoice(-3, amount_remaining=None),
        without(invoice(-3), "status_transitions"),
        invoice(-3, status_transitions=None),
        invoice(-3, status_transitions={}),
        invoice(-3, status_transitions={"finalized_at": None}, due_date=0),
    ],
    ids=[
        "parent is missing",
        "parent is null",
        "a parent of another kind",
        "details are null",
        "details without subscription",
        "subscription is null",
        "amount is missing",
        "amount is null",
        "transitions are missing",
        "transitions are null",
        "no transitions",
        "no moment",
    ],
)
def test_an_invoice_that_cannot_be_read_is_no_debt(unreadable: Any) -> None:
    in_debt = subscription("past_due")
    alone = verdict(in_debt, invoices=[unreadable], rules=policy(GRACE))
    assert alone.locks_at == moment(-10 + GRACE)
    beside = verdict(in_debt, invoices=[unreadable, invoice(-2)], rules=policy(GRACE))
    assert beside.locks_at == moment(-2 + GRACE)


def test_an_invoice_may_hold_the_whole_subscription() -> None:
    in_debt = subscription("past_due")
    expanded = invoice(-3, parent={"subscription_details": {"subscription": in_debt}})
    result = verdict(in_debt, invoices=[expanded], rules=policy(GRACE))
    assert result.locks_at == moment(-3 + GRACE)
