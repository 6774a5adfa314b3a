"""What whoever pays is told: each fact once, in whatever order and however often one looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.notices import LOCK_IS_NEAR, Key, Kind, Notice, Situation, news, notices_of
from billing.payment_methods import expires_at
from tests.billing.situations import CARD, EACH, owed, paid, situation, trial
from tests.billing.stripe_objects import NOW, at, moment, subscription

Told = dict[Key, dict[str, Any]]
LOCKED, UNLOCKED = Kind.LOCKED, Kind.UNLOCKED


def kinds(found: Situation, now: datetime = NOW) -> list[Kind]:
    return [notice.key.kind for notice in notices_of(found, now)]


def tell(found: Situation, told: Told, now: datetime = NOW) -> list[Kind]:
    """Tell what is news, and remember it."""
    fresh = news(notices_of(found, now), told)
    told |= {notice.key: notice.facts for notice in fresh}
    return [notice.key.kind for notice in fresh]


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_a_situation_in_which_it_alone_is_told(kind: Kind) -> None:
    assert kinds(EACH[kind]) == [kind]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (situation(), "all is well"),
        (situation("active", owed()), "a debit that takes days is still on its way"),
        (situation("incomplete", owed()), "at the checkout, Stripe's page says so"),
        (situation("past_due", owed(attempted=False)), "nothing was tried yet"),
        (situation("past_due", owed(remaining=0) | {"amount_remaining": 0}), "nothing is owed"),
        (situation("active", paid(-4)), "the history of a team that is read for the first time"),
        (situation("active", paid(amount_paid=0)), "nothing was paid: a trial begins"),
        (situation(payment_method=None), "there is no card"),
        (situation(payment_method={"id": "pm", "type": "sepa_debit"}), "it does not expire"),
        (
            situation(payment_method=CARD | {"exp_month": 6, "exp_year": 2026}, ends_at=moment(-1)),
            "it is charged no more",
        ),
        (situation("past_due", locked_from=moment(2)), "the lock is not near"),
        (
            situation("past_due", locked_from=moment(0.5), has_grace=False),
            "the whole grace is no longer than the warning",
        ),
        (
            situation(
                subscriptions=[],
                subscription=None,
                reason="no_subscription",
                locked_from=moment(-1),
            ),
            "who has just founded a team has lost nothing",
        ),
    ],
)
def test_nobody_is_bothered_when(found: Situation, why: str) -> None:
    assert kinds(found) == [], why


def test_a_trial_that_has_an_end_in_itself_is_told_as_its_end_alone() -> None:
    assert kinds(replace(trial(), ends_at=moment(2))) == [Kind.ENDING]
    (notice,) = notices_of(trial(), NOW)
    assert (notice.facts["amount"], notice.facts["currency"]) == (3800, "eur")
    (of_usage,) = notices_of(trial(None), NOW)
    assert of_usage.facts["amount"] is None


@pytest.mark.parametrize(
    ("month", "year", "end"), [(12, 2026, (2027, 1)), (6, 2026, (2026, 7)), (1, 2027, (2027, 2))]
)
def test_a_card_is_good_to_the_end_of_its_month(
    month: int, year: int, end: tuple[int, int]
) -> None:
    moment_of_end = expires_at(CARD | {"exp_month": month, "exp_year": year})
    assert moment_of_end is not None
    assert (moment_of_end.year, moment_of_end.month, moment_of_end.day) == (*end, 1)


def test_without_grace_one_mail_tells_of_the_failure_and_of_the_lock() -> None:
    told: Told = {}
    failed = situation("past_due", owed(), locked_from=moment(-0.5), has_grace=False)
    assert tell(failed, told) == [Kind.PAYMENT_FAILED]
    assert tell(failed, told, NOW + timedelta(days=1)) == []
    recovered = situation("active", paid(0), was_locked_from=moment(-0.5))
    assert tell(recovered, told) == [Kind.UNLOCKED, Kind.RECEIPT]


def test_with_grace_the_failure_the_last_day_the_lock_and_the_way_back_are_told_once() -> None:
    told: Told = {}
    lock = moment(6)
    failed = situation("past_due", owed(), locked_from=lock)
    days: list[list[Kind]] = []
    for day in range(9):
        now = NOW + timedelta(days=day)
        days += [tell(failed, told, now), tell(failed, told, now)]
    assert [each for each in days if each] == [
        [Kind.PAYMENT_FAILED],
        [Kind.GRACE_ENDING],
        [Kind.LOCKED],
    ]
    back = situation("active", was_locked_from=lock)
    assert tell(back, told, NOW + timedelta(days=9)) == [UNLOCKED]


def test_a_lock_is_told_once_whatever_it_comes_to_rest_on() -> None:
    told: Told = {}
    lock = moment(-1)
    unpaid = situation("unpaid", reason="unpaid", locked_from=lock)
    ended = situation(
        subscriptions=[subscription("canceled", id="sub_2")],
        subscription="sub_2",
        reason="payment_failed",
        locked_from=lock,
    )
    gone = situation(
        subscriptions=[], subscription=None, reason="customer_deleted", locked_from=lock
    )
    assert [tell(each, told) for each in (unpaid, ended, gone)] == [[LOCKED], [], []]


def test_the_last_day_is_told_once_whatever_the_lock_rests_on() -> None:
    told: Told = {}
    for id in ("sub_1", "sub_2"):
        near = situation(
            subscriptions=[subscription("past_due", id=id)],
            subscription=id,
            locked_from=moment(0.5),
        )
        assert tell(near, told) == ([Kind.GRACE_ENDING] if id == "sub_1" else [])


def test_the_way_back_is_told_to_those_alone_who_heard_of_the_lock() -> None:
    back = situation(was_locked_from=moment(-1))
    assert tell(back, {}) == []


def test_a_second_failure_is_another_fact() -> None:
    told: Told = {}
    for id in ("in_1", "in_2"):
        assert tell(situation("past_due", owed(id=id)), told) == [Kind.PAYMENT_FAILED]


MOMENTS = st.integers(-72, 72).map(lambda hours: NOW + timedelta(hours=hours))
INVOICES = st.lists(
    st.one_of(
        st.builds(lambda n, days: owed(days, id=f"in_{n}"), st.integers(0, 3), st.just(-2)),
        st.builds(lambda n, days: paid(days, id=f"in_{n}"), st.integers(0, 3), st.just(-2)),
    ),
    max_size=4,
    unique_by=lambda each: each["id"],
)
SITUATIONS = st.builds(
    lambda status, invoices, **facts: situation(status, *invoices, **facts),
    st.sampled_from(["active", "trialing", "past_due", "unpaid", "paused", "canceled"]),
    INVOICES,
    locked_from=st.none() | MOMENTS,
    was_locked_from=st.none() | MOMENTS,
    ends_at=st.none() | MOMENTS,
    has_grace=st.booleans(),
    unconfirmed_invoices=st.lists(st.sampled_from(["in_0", "in_1"])),
    payment_method=st.sampled_from([None, CARD, CARD | {"exp_month": 6, "exp_year": 2026}]),
)


@given(st.lists(st.tuples(SITUATIONS, MOMENTS), max_size=8))
def test_no_history_tells_a_fact_twice_nor_a_lock_in_two_ways(
    history: list[tuple[Situation, datetime]],
) -> None:
    told: Told = {}
    for found, now in history:
        held = notices_of(found, now)
        fresh = news(held, told)
        keys = [notice.key for notice in fresh]
        assert len(keys) == len(set(keys))
        assert not told.keys() & set(keys)
        told |= {notice.key: notice.facts for notice in fresh}
        # Asked again at once, nothing is news.
        assert news(held, told) == []
    locks = [key.since for key in told if key.kind is LOCKED]
    warnings = [key.since for key in told if key.kind is Kind.GRACE_ENDING]
    assert len(locks) == len(set(locks))
    assert len(warnings) == len(set(warnings))
    assert all(is_true_to_its_lock(Notice(key, facts)) for key, facts in told.items())


def is_true_to_its_lock(notice: Notice) -> bool:
    """A mail about a lock names the lock that it is about."""
    if notice.key.kind in (LOCKED, Kind.GRACE_ENDING):
        return bool(notice.facts["locked_from"] == notice.key.since.isoformat())
    return True


def test_the_last_day_is_a_day() -> None:
    warned = situation("past_due", locked_from=NOW + LOCK_IS_NEAR)
    assert kinds(warned) == [Kind.GRACE_ENDING]
    assert kinds(warned, NOW - timedelta(seconds=1)) == []
    assert kinds(situation("past_due", owed(created=at(-9)), locked_from=NOW)) == [
        Kind.PAYMENT_FAILED,
        LOCKED,
    ]
