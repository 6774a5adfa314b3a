"""What whoever pays is told by mail, each fact once. Pure.

`notices_of` says what holds now, whatever was told before; `news` what of it is still to be told.
So it makes no difference how often, or in which order, somebody looks (docs/rules.md, "Mails").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from billing.invoices import owed_invoices
from billing.payment_methods import expires_at
from billing.recurring import charge_of
from billing.standing import StripeObject, moment_of

# What happened longer ago is not worth a mail, as when a team's history is read for the first
# time. Stripe repeats its events for as long.
RECEIPT_WITHIN: Final = timedelta(days=3)
CARD_EXPIRES_WITHIN: Final = timedelta(days=30)
LOCK_IS_NEAR: Final = timedelta(days=1)
TRIAL_ENDS_WITHIN: Final = timedelta(days=3)


class Kind(TextChoices):
    PAYMENT_FAILED = "payment_failed", _("a payment failed")
    CONFIRMATION_NEEDED = "confirmation_needed", _("a payment must be confirmed")
    CARD_EXPIRING = "card_expiring", _("the card expires")
    GRACE_ENDING = "grace_ending", _("the team is locked out tomorrow")
    LOCKED = "locked", _("the team is locked out")
    UNLOCKED = "unlocked", _("the team is back in")
    ENDING = "ending", _("the plan ends")
    TRIAL_ENDING = "trial_ending", _("the trial ends")
    RECEIPT = "receipt", _("receipt")


# Facts that pass: what was not sent while they held is not sent any more.
PASSING: Final = frozenset(Kind) - {Kind.RECEIPT}
# Failures of which the owner is told anyhow.
FAILURES: Final = frozenset({Kind.PAYMENT_FAILED, Kind.CONFIRMATION_NEEDED})
# What may tell of a lock.
LOCK_KINDS: Final = FAILURES | {Kind.GRACE_ENDING, Kind.LOCKED}


@dataclass(frozen=True)
class Key:
    """One fact: what happened to which object of Stripe's, and when that began."""

    kind: Kind
    stripe_object: str
    since: datetime


@dataclass(frozen=True)
class Notice:
    """A fact to be told. `facts` is JSON: money in minor units, moments in ISO 8601."""

    key: Key
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """What one sync found, and how it was before."""

    customer: str
    subscriptions: Sequence[StripeObject]
    invoices: Sequence[dict[str, Any]]
    # The subscription that counts; None when there is none.
    subscription: str | None
    tier: str
    reason: str
    locked_from: datetime | None
    ends_at: datetime | None
    payment_method: Mapping[str, Any] | None
    unconfirmed_invoices: Sequence[str]
    # A lock is announced if whoever pays has longer than a day until it begins.
    has_grace: bool
    was_locked_from: datetime | None


def notices_of(situation: Situation, now: datetime) -> list[Notice]:
    """Return everything that holds at `now` and that whoever pays should know."""
    found = [
        *_failures(situation, now),
        *_locks(situation, now),
        *_ends(situation, now),
        *_receipts(situation, now),
    ]
    return sorted(found, key=lambda notice: (notice.key.since, notice.key.kind))


def news(held: Iterable[Notice], told: Mapping[Key, Mapping[str, Any]]) -> list[Notice]:
    """Return what of it was not told. `told` are the facts of what was, by its key.

    A lock is told once, whatever it came to rest on later: where it began with the failure that
    caused it, by the mail about the failure. Its end is told to those who heard of it.
    """
    fresh = [notice for notice in held if notice.key not in told]
    failures = {each.key: each.facts for each in fresh if each.key.kind in FAILURES}
    announced = {
        facts["locked_from"]
        for key, facts in (*told.items(), *failures.items())
        if key.kind in FAILURES | {Kind.LOCKED} and facts["is_locked"]
    }
    warned = {key.since for key in told if key.kind is Kind.GRACE_ENDING}
    return [each for each in fresh if _is_news(each.key, announced, warned)]


def _is_news(key: Key, announced: set[str], warned: set[datetime]) -> bool:
    if key.kind is Kind.LOCKED:
        return key.since.isoformat() not in announced
    if key.kind is Kind.UNLOCKED:
        return key.since.isoformat() in announced
    return key.kind is not Kind.GRACE_ENDING or key.since not in warned


def _failures(situation: Situation, now: datetime) -> Iterator[Notice]:
    for invoice in _owed(situation):
        waits = invoice["id"] in situation.unconfirmed_invoices
        kind = Kind.CONFIRMATION_NEEDED if waits else Kind.PAYMENT_FAILED
        facts = _money(invoice, "amount_remaining") | _lock(situation, now)
        facts["next_attempt_at"] = _iso(_moment(invoice.get("next_payment_attempt")))
        yield Notice(Key(kind, invoice["id"], moment_of(invoice["created"])), facts)


def _locks(situation: Situation, now: datetime) -> Iterator[Notice]:
    locked_from, before = situation.locked_from, situation.was_locked_from
    source = situation.subscription or situation.customer
    facts = _lock(situation, now) | {"reason": situation.reason} | _sum(_owed(situation))
    is_locked = locked_from is not None and locked_from <= now
    if locked_from is not None and is_locked:
        # Who has just founded a team that must pay from the start has lost nothing.
        if situation.subscriptions or situation.reason != "no_subscription":
            yield Notice(Key(Kind.LOCKED, source, locked_from), facts)
    elif locked_from is not None and situation.has_grace and locked_from - now <= LOCK_IS_NEAR:
        yield Notice(Key(Kind.GRACE_ENDING, source, locked_from), facts)
    if before is not None and before <= now and not is_locked:
        unlocked = {"tier": situation.tier, "locked_from": _iso(locked_from)}
        yield Notice(Key(Kind.UNLOCKED, source, before), unlocked)


def _ends(situation: Situation, now: datetime) -> Iterator[Notice]:
    subscription = next(
        (each for each in situation.subscriptions if each["id"] == situation.subscription), None
    )
    if subscription is None or subscription["status"] not in ("active", "trialing", "past_due"):
        return
    facts: dict[str, Any] = {"tier": situation.tier}
    ends_at = situation.ends_at
    if ends_at is not None:
        if ends_at > now:
            facts["ends_at"] = ends_at.isoformat()
            yield Notice(Key(Kind.ENDING, subscription["id"], ends_at), facts)
        # It is charged no more: neither trial nor card matter.
        return
    trial_end = _moment(subscription["status"] == "trialing" and subscription.get("trial_end"))
    if trial_end is not None and now < trial_end <= now + TRIAL_ENDS_WITHIN:
        facts |= {"ends_at": trial_end.isoformat(), "amount": charge_of(subscription)}
        facts["currency"] = subscription.get("currency")
        facts["has_payment_method"] = situation.payment_method is not None
        yield Notice(Key(Kind.TRIAL_ENDING, subscription["id"], trial_end), facts)
    card, card_ends = situation.payment_method, expires_at(situation.payment_method)
    if card is not None and card_ends is not None and card_ends <= now + CARD_EXPIRES_WITHIN:
        facts = {each: card[each] for each in ("type", "brand", "last4", "exp_month", "exp_year")}
        facts["is_expired"] = card_ends <= now
        yield Notice(Key(Kind.CARD_EXPIRING, str(card["id"]), card_ends), facts)


def _receipts(situation: Situation, now: datetime) -> Iterator[Notice]:
    for invoice in situation.invoices:
        paid_at = _moment((invoice.get("status_transitions") or {}).get("paid_at"))
        if invoice["status"] != "paid" or not invoice.get("amount_paid") or paid_at is None:
            continue
        if paid_at >= now - RECEIPT_WITHIN:
            facts = _money(invoice, "amount_paid") | {"paid_at": paid_at.isoformat()}
            yield Notice(Key(Kind.RECEIPT, invoice["id"], moment_of(invoice["created"])), facts)


def _owed(situation: Situation) -> list[dict[str, Any]]:
    open_invoices = [each for each in situation.invoices if each["status"] == "open"]
    return owed_invoices(open_invoices, situation.subscriptions)


def _lock(situation: Situation, now: datetime) -> dict[str, Any]:
    locked_from = situation.locked_from
    is_locked = locked_from is not None and locked_from <= now
    return {"locked_from": _iso(locked_from), "is_locked": is_locked}


def _money(invoice: Mapping[str, Any], amount: str) -> dict[str, Any]:
    told = ("number", "hosted_invoice_url", "invoice_pdf")
    money = {"amount": invoice[amount], "currency": invoice["currency"]}
    return money | {name: invoice.get(name) for name in told}


def _sum(owed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is owed in all, in the currency of the oldest: a customer has but one."""
    if not owed:
        return {"amount": None, "currency": None}
    currency = owed[0]["currency"]
    amount = sum(each["amount_remaining"] for each in owed if each["currency"] == currency)
    return {"amount": amount, "currency": currency}


def _moment(timestamp: int | Literal[False] | None) -> datetime | None:
    return moment_of(timestamp) if timestamp else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
