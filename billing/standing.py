"""Where an organization stands, from Stripe's facts and never from an event's name.

Pure: Stripe's own JSON goes in, with the time and the policy, and a verdict comes out. The rules
are the table of docs/rules.md, "Standing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Literal

StripeObject = Mapping[str, Any]
Status = Literal["free", "current", "past_due", "lapsed"]

PAID: Final = {"active", "trialing"}
NEVER_STARTED: Final = {"incomplete", "incomplete_expired"}
ENDED: Final = "canceled"
# What can never bill again.
OVER: Final = {ENDED, "incomplete_expired"}
# An end for one of these is a debt; any other end is a choice.
ENDED_FOR_DEBT: Final = {"payment_failed", "payment_disputed"}


class Moment(Enum):
    """A lock without a date of its own: from the moment it is noticed."""

    AT_ONCE = "at once"


AT_ONCE: Final = Moment.AT_ONCE


@dataclass(frozen=True)
class PricedTier:
    """What a Stripe price buys."""

    key: str
    rank: int


@dataclass(frozen=True)
class Policy:
    """What the operator decided."""

    grace: timedelta
    is_free_offered: bool
    tier_of_price: Mapping[str, PricedTier]


@dataclass(frozen=True)
class Verdict:
    """Where an organization stands. `locks_at` None: not locked, as far as is known now."""

    status: Status
    reason: str = ""
    tier: str | None = None
    subscription: str | None = None
    locks_at: datetime | Literal[Moment.AT_ONCE] | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Exemption:
    """Staff let an organization in until a moment, on this tier (its key) if one is named."""

    until: datetime
    tier: str | None = None


def exempted(verdict: Verdict, exemption: Exemption | None, now: datetime) -> Verdict:
    """Put an exemption over a verdict: no lock begins before its end, and its tier counts.

    A lock that is put off begins at that end by the clock, without a job.
    """
    if exemption is None or exemption.until <= now:
        return verdict
    locks_at = verdict.locks_at
    if locks_at is not None:
        locks_at = exemption.until if locks_at is AT_ONCE else max(locks_at, exemption.until)
    return replace(verdict, tier=exemption.tier or verdict.tier, locks_at=locks_at)


def standing_of(
    subscriptions: Sequence[StripeObject],
    open_invoices: Sequence[StripeObject],
    now: datetime,
    policy: Policy,
    *,
    is_customer_deleted: bool = False,
    free_chosen_at: datetime | None = None,
) -> Verdict:
    """Decide where the customer who has all these subscriptions stands at `now`.

    The order of the arguments' items never matters. `free_chosen_at` is when the owner chose
    the free tier after a subscription had ended for debt.
    """
    if is_customer_deleted:
        return Verdict("lapsed", "customer_deleted", locks_at=AT_ONCE)
    counting = [each for each in subscriptions if each["status"] not in NEVER_STARTED]
    if paid := [each for each in counting if each["status"] in PAID]:
        return _current(_best(paid, policy), policy)
    if past_due := [each for each in counting if each["status"] == "past_due"]:
        return _past_due(_best(past_due, policy), open_invoices, policy)
    if unpaid := [each for each in counting if each["status"] != ENDED]:
        worst = _best(unpaid, policy)
        reason = worst["status"] if worst["status"] in {"unpaid", "paused"} else "unknown_status"
        return Verdict("lapsed", reason, subscription=worst["id"], locks_at=AT_ONCE)
    return _ended(counting, policy, free_chosen_at)


def is_live(subscription: StripeObject) -> bool:
    """Say whether a subscription has begun and not ended: a second one would bill twice."""
    return subscription["status"] not in NEVER_STARTED | {ENDED}


def has_begun(subscription: StripeObject) -> bool:
    """Say whether a subscription ever began: its first payment, or its trial."""
    return subscription["status"] not in NEVER_STARTED


def is_over(subscription: StripeObject) -> bool:
    """Say whether a subscription can never bill again."""
    return subscription["status"] in OVER


def prices_of(subscription: StripeObject) -> set[str]:
    """Return the ids of the prices that a subscription has, as far as they can be read."""
    return {id for item in _items(subscription) if (id := reference(item.get("price")))}


def _current(subscription: StripeObject, policy: Policy) -> Verdict:
    tier = _tier(subscription, policy)
    return Verdict(
        "current",
        reason="" if tier else "unmapped_price",
        tier=tier.key if tier else None,
        subscription=subscription["id"],
        ends_at=_scheduled_end(subscription),
    )


def _past_due(
    subscription: StripeObject, open_invoices: Iterable[StripeObject], policy: Policy
) -> Verdict:
    tier = _tier(subscription, policy)
    debt_since = _debt_start(subscription, open_invoices)
    locks_at: datetime | Literal[Moment.AT_ONCE] = AT_ONCE
    if policy.grace and debt_since is not None:
        locks_at = debt_since + policy.grace
    return Verdict(
        "past_due",
        reason="payment_failed",
        tier=tier.key if tier else None,
        subscription=subscription["id"],
        locks_at=locks_at,
        ends_at=_scheduled_end(subscription),
    )


def _ended(
    ended: Sequence[StripeObject], policy: Policy, free_chosen_at: datetime | None
) -> Verdict:
    """What follows when nothing lives: the subscription that ended last decides."""
    if ended:
        last = max(ended, key=lambda each: (_end(each), each["id"]))
        reason = (last.get("cancellation_details") or {}).get("reason")
        is_settled = free_chosen_at is not None and free_chosen_at > _end(last)
        if reason in ENDED_FOR_DEBT and not (is_settled and policy.is_free_offered):
            return Verdict("lapsed", reason, subscription=last["id"], locks_at=AT_ONCE)
    if policy.is_free_offered:
        return Verdict("free")
    return Verdict("lapsed", "no_subscription", locks_at=AT_ONCE)


def _best(subscriptions: Iterable[StripeObject], policy: Policy) -> StripeObject:
    """Return the subscription of the highest tier; of equals the newest, then by id."""

    def rank(subscription: StripeObject) -> tuple[int, int, str]:
        tier = _tier(subscription, policy)
        return (tier.rank if tier else -1, subscription.get("created") or 0, subscription["id"])

    return max(subscriptions, key=rank)


def _tier(subscription: StripeObject, policy: Policy) -> PricedTier | None:
    """Return the highest tier that its prices buy. A price that cannot be read buys none."""
    prices = prices_of(subscription)
    tiers = [tier for price, tier in policy.tier_of_price.items() if price in prices]
    return max(tiers, key=lambda tier: (tier.rank, tier.key), default=None)


def _scheduled_end(subscription: StripeObject) -> datetime | None:
    """Return when it ends. Flexible billing sets `cancel_at` alone; the older way, the flag."""
    if subscription.get("cancel_at"):
        return moment_of(subscription["cancel_at"])
    if subscription.get("cancel_at_period_end"):
        ends = [end for item in _items(subscription) if (end := item.get("current_period_end"))]
        return moment_of(max(ends)) if ends else None
    return None


def _debt_start(
    subscription: StripeObject, open_invoices: Iterable[StripeObject]
) -> datetime | None:
    """Return since when money is owed.

    The earliest open invoice counts, so that a newer one does not renew the grace; without one,
    the period that was not paid for.
    """
    starts = [
        start
        for invoice in open_invoices
        if subscription_of(invoice) == subscription["id"]
        and (invoice.get("amount_remaining") or 0) > 0
        and (start := _owed_since(invoice))
    ]
    starts = starts or [
        start for item in _items(subscription) if (start := item.get("current_period_start"))
    ]
    return moment_of(min(starts)) if starts else None


def _owed_since(invoice: StripeObject) -> int | None:
    """Invoices that are charged automatically have no due date."""
    return invoice.get("due_date") or (invoice.get("status_transitions") or {}).get("finalized_at")


def subscription_of(invoice: StripeObject) -> str | None:
    """Return the id of the subscription that an invoice is for."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return reference(details.get("subscription"))


def reference(written: str | StripeObject | None) -> str | None:
    """Return the id of what Stripe writes as an id or, expanded, as the whole object."""
    return written.get("id") if isinstance(written, Mapping) else written


def _items(subscription: StripeObject) -> list[StripeObject]:
    items: list[StripeObject] = (subscription.get("items") or {}).get("data") or []
    return items


def _end(subscription: StripeObject) -> datetime:
    return moment_of(subscription.get("ended_at") or subscription.get("canceled_at") or 0)


def moment_of(timestamp: int) -> datetime:
    """Return the moment that Stripe writes as seconds."""
    return datetime.fromtimestamp(timestamp, UTC)
