"""`differences`: none where a sync would change nothing, and each thing that differs by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.comparing import Finding, Local, Remote, differences
from billing.standing import AT_ONCE, Exemption, exempted, is_over, standing_of
from tests.billing.stripe_objects import (
    BUSINESS,
    NOW,
    PRO,
    UNMAPPED,
    at,
    ended,
    invoice,
    item,
    moment,
    policy,
    subscription,
)

CUSTOMER = {"id": "cus_1", "name": "Acme", "email": "alice@example.com"}
GRACE = policy(7)


def kept(remote: Remote, exemption: Exemption | None = None, now: datetime = NOW) -> Local:
    """What a sync that heard this writes."""
    verdict = standing_of(remote.subscriptions, remote.open_invoices, now, GRACE)
    verdict = exempted(verdict, exemption, now)
    locked_from = now if verdict.locks_at is AT_ONCE else verdict.locks_at
    assert locked_from is None or isinstance(locked_from, datetime)
    return Local(
        name="Acme",
        email="alice@example.com",
        is_closed=False,
        status=verdict.status,
        reason=verdict.reason,
        tier=verdict.tier,
        subscription=verdict.subscription,
        ends_at=verdict.ends_at,
        locked_from=locked_from,
        free_chosen_at=None,
        exemption=exemption,
        subscriptions={each["id"]: each for each in remote.subscriptions if not is_over(each)},
        open_invoices=frozenset(each["id"] for each in remote.open_invoices),
    )


def found(local: Local, remote: Remote, now: datetime = NOW) -> list[tuple[Finding, str]]:
    return [(each.finding, each.what) for each in differences(local, remote, now, GRACE)]


def owing(days: float = -2, id: str = "in_1") -> Any:
    return invoice(days) | {"id": id}


STATUSES = ["active", "trialing", "past_due", "unpaid", "paused", "incomplete", "canceled", "new"]
REMOTES = st.builds(
    lambda statuses, invoices: Remote(
        CUSTOMER,
        [
            subscription(status, id=f"sub_{n}", ended_at=at(-n) if status == "canceled" else None)
            for n, status in enumerate(statuses)
        ],
        [owing(-n, f"in_{n}") for n in range(invoices)],
    ),
    st.lists(st.sampled_from(STATUSES), max_size=3),
    st.integers(0, 2),
)
EXEMPTIONS = st.none() | st.builds(
    Exemption, st.sampled_from([moment(-1), moment(3)]), st.sampled_from([None, "business"])
)


@given(REMOTES, EXEMPTIONS)
def test_what_a_sync_would_write_does_not_differ(
    remote: Remote, exemption: Exemption | None
) -> None:
    told = [finding for finding, _what in found(kept(remote, exemption), remote)]
    # Two that live are no sync's to mend.
    assert set(told) <= {Finding.TWO_SUBSCRIPTIONS}


ACTIVE = Remote(CUSTOMER, [subscription("active")])
FAILED = Remote(CUSTOMER, [subscription("past_due")], [owing()])
UNPAID = Remote(CUSTOMER, [subscription("unpaid")])


@pytest.mark.parametrize(
    ("remote", "change", "finding", "what"),
    [
        (ACTIVE, {"status": "free"}, Finding.STANDING, "status: free → current"),
        (ACTIVE, {"tier": None}, Finding.STANDING, "tier: none → pro"),
        (ACTIVE, {"subscription": "sub_2"}, Finding.STANDING, "subscription: sub_2 → sub_1"),
        (ACTIVE, {"reason": "unpaid"}, Finding.STANDING, "reason: unpaid → none"),
        (ACTIVE, {"ends_at": moment(1)}, Finding.STANDING, "ends_at: 2026-06-16 12:00:00 → none"),
        (
            ACTIVE,
            {"locked_from": moment(-1)},
            Finding.STANDING,
            "locked from: 2026-06-14 12:00:00 → none",
        ),
        (
            FAILED,
            {"locked_from": None},
            Finding.STANDING,
            "locked from: none → 2026-06-20 12:00:00",
        ),
        (UNPAID, {"locked_from": None}, Finding.STANDING, "locked from: none → at once"),
        (
            UNPAID,
            {"locked_from": moment(1)},
            Finding.STANDING,
            "locked from: 2026-06-16 12:00:00 → at once",
        ),
        (FAILED, {"open_invoices": frozenset()}, Finding.MIRROR, "in_1 is open"),
        (ACTIVE, {"open_invoices": frozenset({"in_9"})}, Finding.MIRROR, "in_9 is no longer open"),
        (ACTIVE, {"subscriptions": {}}, Finding.MIRROR, "sub_1 is not kept"),
        (
            ACTIVE,
            {"subscriptions": {"sub_1": subscription("past_due", cancel_at=1)}},
            Finding.MIRROR,
            "sub_1: status, cancel_at",
        ),
        (
            ACTIVE,
            {"subscriptions": {"sub_1": subscription("active", BUSINESS)}},
            Finding.MIRROR,
            "sub_1: prices",
        ),
        (ACTIVE, {"name": "Other"}, Finding.DETAILS, "name"),
        (ACTIVE, {"email": "bob@example.com"}, Finding.DETAILS, "email"),
        (ACTIVE, {"is_closed": True}, Finding.CLOSED_BILLED, "sub_1"),
    ],
)
def test_each_thing_that_differs_is_named_alone(
    remote: Remote, change: dict[str, Any], finding: Finding, what: str
) -> None:
    assert found(replace(kept(remote), **change), remote) == [(finding, what)]


def test_a_subscription_that_has_ended_is_named() -> None:
    over = Remote(CUSTOMER, [ended(None)])
    local = replace(kept(over), subscriptions={"sub_1": subscription("active")})
    assert found(local, over) == [(Finding.MIRROR, "sub_1 has ended")]


def test_a_lock_that_has_begun_is_not_moved_by_looking_later() -> None:
    assert found(kept(UNPAID), UNPAID, moment(5)) == []


def test_two_that_live_and_a_price_that_buys_nothing_are_named() -> None:
    twice = Remote(CUSTOMER, [subscription("active"), subscription("past_due", id="sub_2")])
    assert found(kept(twice), twice) == [(Finding.TWO_SUBSCRIPTIONS, "sub_1, sub_2")]
    odd = Remote(CUSTOMER, [subscription("active", UNMAPPED)])
    assert found(kept(odd), odd) == [(Finding.UNMAPPED_PRICE, f"{UNMAPPED} in sub_1")]


def test_a_price_beside_that_of_a_tier_is_nobodys_business() -> None:
    both = {"data": [item(PRO), item(UNMAPPED)]}
    extra = Remote(CUSTOMER, [subscription("active", items=both)])
    assert found(kept(extra), extra) == []


def test_a_deleted_customer_is_told_once() -> None:
    gone = Remote({"id": "cus_1", "deleted": True})
    assert found(kept(ACTIVE), gone) == [(Finding.CUSTOMER_GONE, "cus_1")]
    assert found(replace(kept(ACTIVE), reason="customer_deleted"), gone) == []
