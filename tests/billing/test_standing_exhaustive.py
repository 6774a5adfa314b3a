"""Every combination of what one subscription can say, against the design's table, written anew."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any, Literal, NamedTuple

import pytest

from billing.standing import AT_ONCE, Moment, Verdict, standing_of
from tests.billing.stripe_objects import PRO, UNMAPPED, at, invoice, moment, policy, subscription

MISSING = "missing"
# In days from NOW.
ENDED, DEBT, GRACE, CANCEL_AT, PERIOD_END = -1, -9, 7, 5, 20
DEADLINES = [ENDED, DEBT + GRACE, CANCEL_AT, PERIOD_END]
MOMENTS = [moment(day + hours / 24) for day in DEADLINES for hours in (-1, 0, 1)]
MOMENTS += [moment(-9000), moment(9000)]
OPEN_INVOICES = [invoice(DEBT)]


class Case(NamedTuple):
    reason: str | None
    schedule: str | None
    is_collection_paused: bool
    price: str
    grace_days: int
    is_free_offered: bool
    is_customer_deleted: bool
    free_chosen_at: datetime | None


CASES = [
    Case(*values)
    for values in itertools.product(
        [
            None,
            MISSING,
            "cancellation_requested",
            "payment_failed",
            "payment_disputed",
            "moved_to_the_moon",
        ],
        ["cancel_at", "cancel_at_period_end", None],
        [False, True],
        [PRO, UNMAPPED],
        [0, GRACE],
        [True, False],
        [False, True],
        [None, moment(ENDED - 1), moment(ENDED + 0.5)],
    )
]


def facts(status: str, case: Case) -> dict[str, Any]:
    return subscription(
        status,
        case.price,
        cancellation_details={} if case.reason == MISSING else {"reason": case.reason},
        ended_at=at(ENDED) if status == "canceled" else None,
        cancel_at=at(CANCEL_AT) if case.schedule == "cancel_at" else None,
        cancel_at_period_end=case.schedule == "cancel_at_period_end",
        pause_collection={"behavior": "void"} if case.is_collection_paused else None,
    )


def expected(status: str, case: Case) -> Verdict:
    """The design's table, row by row. It has no column for the present moment."""

    def lapsed(reason: str, subscription: str | None = "sub_1") -> Verdict:
        return Verdict("lapsed", reason, None, subscription, AT_ONCE, None)

    locks: dict[int, datetime | Literal[Moment.AT_ONCE]] = {
        0: AT_ONCE,
        GRACE: moment(DEBT + GRACE),
    }
    tier = {PRO: "pro", UNMAPPED: None}[case.price]
    note = {PRO: "", UNMAPPED: "unmapped_price"}[case.price]
    lock = locks[case.grace_days]
    ends_at = {
        "cancel_at": moment(CANCEL_AT),
        "cancel_at_period_end": moment(PERIOD_END),
        None: None,
    }[case.schedule]
    nothing = Verdict("free") if case.is_free_offered else lapsed("no_subscription", None)
    current = Verdict("current", note, tier, "sub_1", None, ends_at)
    by_reason = {
        "payment_failed": lapsed("payment_failed"),
        "payment_disputed": lapsed("payment_disputed"),
    }
    is_settled = case.is_free_offered and case.free_chosen_at == moment(ENDED + 0.5)
    by_status = {
        "incomplete": nothing,
        "incomplete_expired": nothing,
        "trialing": current,
        "active": current,
        "past_due": Verdict("past_due", "payment_failed", tier, "sub_1", lock, ends_at),
        "unpaid": lapsed("unpaid"),
        "paused": lapsed("paused"),
        "frozen_by_regulator": lapsed("unknown_status"),
        "canceled": nothing if is_settled else by_reason.get(case.reason or "", nothing),
    }
    return lapsed("customer_deleted", None) if case.is_customer_deleted else by_status[status]


@pytest.mark.parametrize(
    "status",
    [
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "unpaid",
        "canceled",
        "paused",
        "frozen_by_regulator",
    ],
)
def test_every_combination_stands_where_the_table_says(status: str) -> None:
    for case in CASES:
        wanted = expected(status, case)
        subscriptions = [facts(status, case)]
        rules = policy(case.grace_days, is_free_offered=case.is_free_offered)
        for now in MOMENTS:
            found = standing_of(
                subscriptions,
                OPEN_INVOICES,
                now,
                rules,
                is_customer_deleted=case.is_customer_deleted,
                free_chosen_at=case.free_chosen_at,
            )
            assert found == wanted, f"{status}, {case}, at {now}"
        untouched = [facts(status, case)], [invoice(DEBT)]
        assert (subscriptions, OPEN_INVOICES) == untouched, f"{status}, {case}: written to"
