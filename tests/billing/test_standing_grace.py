"""`standing_of`: since when money is owed, and when the grace is over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.standing import AT_ONCE
from tests.billing.stripe_objects import (
    BUSINESS,
    at,
    invoice,
    item,
    moment,
    policy,
    subscription,
    verdict,
)

GRACE = 7


def locks_at(*invoices: Any, grace: int = GRACE, **fields: Any) -> Any:
    result = verdict(subscription("past_due", **fields), invoices=invoices, rules=policy(grace))
    assert (result.status, result.tier) == ("past_due", "pro")
    return result.locks_at


@pytest.mark.parametrize(
    ("invoices", "owed_since"),
    [
        ([invoice(-3)], -3),
        ([invoice(-3, due_date=at(-1))], -1),
        ([invoice(-1, due_date=at(-3))], -3),
        ([invoice(-3), invoice(-1)], -3),
        ([invoice(-5, due_date=at(-1)), invoice(-3)], -3),
        ([invoice(-4, due_date=at(-2)), invoice(-9, due_date=at(2))], -2),
        ([invoice(-5, remaining=0), invoice(-3)], -3),
        ([invoice(-5, of="sub_other"), invoice(-3)], -3),
        # The period began ten days ago.
        ([invoice(-3, remaining=0)], -10),
        ([invoice(-3, of="sub_other")], -10),
        ([], -10),
    ],
    ids=[
        "finalization, where there is no due date",
        "the due date, though it is later",
        "the due date, though it is earlier",
        "of two finalizations the earlier",
        "a due date later than another's finalization",
        "of two due dates the earlier, whatever was finalized first",
        "an older invoice that was paid down does not count",
        "an older invoice of another subscription does not count",
        "only paid down: the period",
        "only another subscription's: the period",
        "no invoice: the period",
    ],
)
def test_the_grace_runs_from_the_start_of_the_debt(invoices: Any, owed_since: float) -> None:
    assert locks_at(*invoices) == moment(owed_since + GRACE)
    assert locks_at(*reversed(invoices)) == moment(owed_since + GRACE)


def test_the_latest_invoice_does_not_renew_the_grace() -> None:
    newest = invoice(-1, id="in_newest")
    for latest in ("in_newest", newest, None):
        assert locks_at(invoice(-6), newest, latest_invoice=latest) == moment(-6 + GRACE)
        assert locks_at(latest_invoice=latest) == moment(-10 + GRACE)


def test_of_several_items_the_earliest_period_counts() -> None:
    items = {"data": [item(current_period_start=at(-4)), item(current_period_start=at(-6))]}
    assert locks_at(items=items) == moment(-6 + GRACE)


def test_without_grace_the_lock_is_at_once_however_new_the_debt() -> None:
    assert locks_at(invoice(-1), grace=0) is AT_ONCE
    assert locks_at(invoice(-1, due_date=at(9)), grace=0) is AT_ONCE
    assert locks_at(grace=0) is AT_ONCE


def test_a_debt_without_a_known_start_locks_at_once() -> None:
    assert locks_at(items={"data": [item(current_period_start=None)]}) is AT_ONCE


def test_a_subscription_with_another_debt_has_a_grace_of_its_own() -> None:
    lower = subscription("past_due", id="sub_lower")
    higher = subscription("past_due", BUSINESS, id="sub_higher")
    debts = [invoice(-9, of="sub_lower"), invoice(-2, of="sub_higher")]
    result = verdict(lower, higher, invoices=debts, rules=policy(GRACE))
    assert (result.subscription, result.locks_at) == ("sub_higher", moment(-2 + GRACE))


days = st.integers(-60, 30)
# Finalized, due, still owed, and whose it is.
debts = st.tuples(days, st.none() | days, st.sampled_from([0, 1, 1900]), st.booleans())


@settings(deadline=None)
@given(st.lists(debts, max_size=4), st.integers(1, 30))
def test_the_earliest_debt_counts_among_any(owed: Any, grace: int) -> None:
    invoices = [
        invoice(
            finalized,
            due_date=at(due) if due is not None else None,
            remaining=remaining,
            of="sub_1" if is_ours else "sub_other",
        )
        for finalized, due, remaining, is_ours in owed
    ]
    ours = [
        finalized if due is None else due
        for finalized, due, remaining, is_ours in owed
        if remaining and is_ours
    ]
    assert locks_at(*invoices, grace=grace) == moment(min(ours, default=-10) + grace)
