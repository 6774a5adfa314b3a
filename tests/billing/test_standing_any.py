"""`standing_of` for up to three subscriptions with any facts, unreadable ones among them."""

from __future__ import annotations

import itertools
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from billing.standing import AT_ONCE, Policy, Verdict, standing_of
from tests.billing.stripe_objects import BUSINESS, NOW, PRO, UNMAPPED, at, item, moment, policy

PAYING = {"active", "trialing"}
UNSTARTED = {"incomplete", "incomplete_expired"}
LAPSING = {"unpaid", "paused", "frozen_by_regulator"}
STATUSES = sorted(PAYING | UNSTARTED | LAPSING | {"past_due", "canceled"})
ITEMS = [
    {"data": [item(PRO)]},
    {"data": [item(BUSINESS)]},
    {"data": [item(UNMAPPED)]},
    {"data": [item(PRO, current_period_start=at(-20)), item(BUSINESS, current_period_end=at(30))]},
    {"data": [item() | {"price": PRO}]},
    {"data": [item(current_period_start=None, current_period_end=0)]},
    {"data": [{"price": None}, {}]},
    {"data": None},
    None,
]
REASONS = ["payment_failed", "payment_disputed", "cancellation_requested", "moved_to_the_moon"]
DETAILS = [*({"reason": reason} for reason in REASONS), {}, None]
OWNERS = ["sub_0", "sub_1", "sub_2", {"id": "sub_0"}, "sub_other", None]
PARENTS = [*({"subscription_details": {"subscription": owner}} for owner in OWNERS), {}, None]


@dataclass(frozen=True)
class Facts:
    subscriptions: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    rules: Policy
    free_chosen_at: datetime | None
    is_customer_deleted: bool = False

    def verdict(self, now: datetime = NOW) -> Verdict:
        return standing_of(
            self.subscriptions,
            self.invoices,
            now,
            self.rules,
            is_customer_deleted=self.is_customer_deleted,
            free_chosen_at=self.free_chosen_at,
        )

    def beside(self, other: dict[str, Any]) -> Facts:
        return replace(self, subscriptions=[*self.subscriptions, other])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with all of these fields, or with all but one."""
    return st.builds(
        lambda whole, missing: {name: whole[name] for name in whole if name != missing},
        st.fixed_dictionaries(fields),
        st.sampled_from([None, *fields]),
    )


days = st.integers(-60, 60)
times = st.one_of(days.map(at), days.map(at), st.sampled_from([None, 0]))
fields = some(
    created=times,
    items=st.sampled_from(ITEMS),
    cancel_at=times,
    cancel_at_period_end=st.booleans(),
    canceled_at=times,
    ended_at=times,
    trial_end=times,
    pause_collection=st.sampled_from([None, {"behavior": "void"}]),
    cancellation_details=st.sampled_from(DETAILS),
)
invoices = some(
    amount_remaining=st.sampled_from([1900, 1, 0, None]),
    due_date=times,
    status_transitions=some(finalized_at=times) | st.none(),
    parent=st.sampled_from(PARENTS),
)


def of_status(*statuses: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda status, rest: {"status": status} | rest, st.sampled_from(statuses), fields
    )


def all_facts(*statuses: str) -> st.SearchStrategy[Facts]:
    subscriptions = st.lists(of_status(*statuses), max_size=3)
    return st.builds(
        Facts,
        subscriptions.map(lambda few: [each | {"id": f"sub_{n}"} for n, each in enumerate(few)]),
        st.lists(invoices, max_size=3),
        st.builds(
            lambda days, is_offered: policy(days, is_free_offered=is_offered),
            st.sampled_from([0, 7]),
            st.booleans(),
        ),
        st.none() | days.map(moment),
    )


any_facts = all_facts(*STATUSES)
# Smaller and greater than all others.
new_ids = st.sampled_from(["sub_", "sub_9"])


@settings(deadline=None)
@given(any_facts)
def test_the_order_of_the_facts_never_matters(facts: Facts) -> None:
    verdicts = {
        replace(facts, subscriptions=list(few), invoices=list(owed)).verdict()
        for few in itertools.permutations(facts.subscriptions)
        for owed in itertools.permutations(facts.invoices)
    }
    assert len(verdicts) == 1


@settings(deadline=None)
@given(any_facts, st.integers(-20_000, 20_000).map(moment))
def test_it_is_pure(facts: Facts, other_now: datetime) -> None:
    before = deepcopy(facts)
    verdict = facts.verdict()
    assert facts == before
    assert facts.verdict() == verdict
    assert facts.verdict(other_now) == verdict


@settings(deadline=None)
@given(any_facts)
def test_status_and_lock_agree(facts: Facts) -> None:
    verdict = facts.verdict()
    match verdict.status:
        case "free":
            assert verdict == Verdict("free")
        case "current":
            assert verdict.locks_at is None
            assert verdict.reason == ("" if verdict.tier else "unmapped_price")
        case "past_due":
            assert verdict.reason == "payment_failed"
            assert verdict.locks_at is not None
            assert facts.rules.grace or verdict.locks_at is AT_ONCE
        case "lapsed":
            assert verdict.reason
            assert verdict.locks_at is AT_ONCE
            assert (verdict.tier, verdict.ends_at) == (None, None)


@settings(deadline=None)
@given(any_facts)
def test_the_first_row_of_the_table_that_fits_decides(facts: Facts) -> None:
    said = {each["id"]: each["status"] for each in facts.subscriptions}
    verdict = facts.verdict()
    told = said.get(verdict.subscription)
    if PAYING & set(said.values()):
        assert verdict.status == "current"
        assert told in PAYING
    elif "past_due" in said.values():
        assert (verdict.status, told) == ("past_due", "past_due")
    elif LAPSING & set(said.values()):
        assert verdict.status == "lapsed"
        assert told in LAPSING
    else:
        assert verdict.status in {"free", "lapsed"}
        assert told in {None, "canceled"}


@settings(deadline=None)
@given(any_facts, of_status(*sorted(UNSTARTED)), new_ids)
def test_a_subscription_that_never_started_changes_nothing(
    facts: Facts, unstarted: dict[str, Any], new_id: str
) -> None:
    assert facts.beside(unstarted | {"id": new_id}).verdict() == facts.verdict()


@settings(deadline=None)
@given(all_facts(*sorted(PAYING | LAPSING | {"past_due"})), of_status("canceled"), new_ids)
def test_the_end_of_one_takes_nothing_from_those_that_live(
    facts: Facts, over: dict[str, Any], new_id: str
) -> None:
    assume(facts.subscriptions)
    assert facts.beside(over | {"id": new_id}).verdict() == facts.verdict()


@settings(deadline=None)
@given(all_facts("canceled"))
def test_of_ended_ones_the_last_decides_as_if_alone(facts: Facts) -> None:
    assume(facts.subscriptions)
    last = max(
        facts.subscriptions,
        key=lambda each: (each.get("ended_at") or each.get("canceled_at") or 0, each["id"]),
    )
    assert facts.verdict() == replace(facts, subscriptions=[last]).verdict()


@settings(deadline=None)
@given(any_facts, of_status(*sorted(PAYING)), st.sampled_from([PRO, BUSINESS]), new_ids)
def test_paying_for_a_tier_makes_current(
    facts: Facts, paid: dict[str, Any], price: str, new_id: str
) -> None:
    bought = paid | {"id": new_id, "items": {"data": [{"price": {"id": price}}]}}
    verdict = facts.beside(bought).verdict()
    assert (verdict.status, verdict.reason, verdict.locks_at) == ("current", "", None)
    assert verdict.tier in ({"pro", "business"} if price == PRO else {"business"})


@settings(deadline=None)
@given(any_facts)
def test_a_deleted_customer_has_lapsed_whatever_else_is_said(facts: Facts) -> None:
    verdict = replace(facts, is_customer_deleted=True).verdict()
    assert verdict == Verdict("lapsed", "customer_deleted", locks_at=AT_ONCE)


@settings(deadline=None)
@given(all_facts("past_due"), st.timedeltas(timedelta(days=1), timedelta(days=30)))
def test_a_longer_grace_locks_nobody_sooner(facts: Facts, longer: timedelta) -> None:
    rules = replace(facts.rules, grace=facts.rules.grace + longer)
    before, after = facts.verdict(), replace(facts, rules=rules).verdict()
    assert after.status == before.status
    if isinstance(before.locks_at, datetime):
        assert after.locks_at == before.locks_at + longer
