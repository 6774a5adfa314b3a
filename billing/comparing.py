"""How what is kept of an organization differs from what Stripe says of its customer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from billing.standing import (
    AT_ONCE,
    Exemption,
    Policy,
    StripeObject,
    exempted,
    is_live,
    is_over,
    prices_of,
    standing_of,
)


class Finding(TextChoices):
    STANDING = "standing", _("standing differs")
    MIRROR = "mirror", _("mirror differs")
    DETAILS = "details", _("name or address differs")
    CUSTOMER_GONE = "customer_gone", _("customer is gone at Stripe")
    CLOSED_BILLED = "closed_billed", _("closed, and still billed")
    NO_CUSTOMER = "no_customer", _("has no customer yet")
    TWO_SUBSCRIPTIONS = "two_subscriptions", _("pays two subscriptions")
    UNMAPPED_PRICE = "unmapped_price", _("pays a price that buys nothing")
    STRAY_CUSTOMER = "stray_customer", _("a customer of no organization is billed")


# What no sync can mend, and what staff do about it.
FOR_STAFF: Final = {
    Finding.TWO_SUBSCRIPTIONS: _("Cancel one of them at Stripe, and pay back what was paid twice."),
    Finding.UNMAPPED_PRICE: _("Add the price under “prices of tiers”, or change it at Stripe."),
    Finding.STRAY_CUSTOMER: _("Cancel its subscriptions at Stripe: nobody gets anything for them."),
}


@dataclass(frozen=True)
class Difference:
    """One thing that differs, in words that name ids and no people."""

    finding: Finding
    what: str


@dataclass(frozen=True)
class Local:
    """What is kept of an organization."""

    name: str
    email: str
    is_closed: bool
    status: str
    reason: str
    tier: str | None
    subscription: str | None
    ends_at: datetime | None
    locked_from: datetime | None
    free_chosen_at: datetime | None
    exemption: Exemption | None
    # The mirror's subscriptions that have not ended, and its open invoices.
    subscriptions: Mapping[str, StripeObject]
    open_invoices: frozenset[str]


@dataclass(frozen=True)
class Remote:
    """What Stripe says: the customer, its subscriptions and its open invoices.

    Of subscriptions that have ended, the one that ended last is enough.
    """

    customer: StripeObject
    subscriptions: Sequence[StripeObject] = field(default_factory=list)
    open_invoices: Sequence[StripeObject] = field(default_factory=list)

    @property
    def is_deleted(self) -> bool:
        return bool(self.customer.get("deleted"))


def differences(local: Local, remote: Remote, now: datetime, policy: Policy) -> list[Difference]:
    """Return everything in which the two differ; nothing, when a sync would change nothing."""
    if remote.is_deleted:
        if local.reason == "customer_deleted":
            return []
        return [Difference(Finding.CUSTOMER_GONE, str(remote.customer["id"]))]
    return [
        *_of_standing(local, remote, now, policy),
        *_of_mirror(local, remote),
        *_of_details(local, remote),
        *_of_billing(local, remote, policy),
    ]


def _of_standing(
    local: Local, remote: Remote, now: datetime, policy: Policy
) -> Iterator[Difference]:
    verdict = exempted(
        standing_of(
            remote.subscriptions,
            remote.open_invoices,
            now,
            policy,
            free_chosen_at=local.free_chosen_at,
        ),
        local.exemption,
        now,
    )
    for name in ("status", "reason", "tier", "subscription", "ends_at"):
        kept, wanted = getattr(local, name), getattr(verdict, name)
        if kept != wanted:
            yield Difference(Finding.STANDING, f"{name}: {_said(kept)} → {_said(wanted)}")
    is_locked = local.locked_from is not None and local.locked_from <= now
    fits = is_locked if verdict.locks_at is AT_ONCE else local.locked_from == verdict.locks_at
    if not fits:
        wanted = "at once" if verdict.locks_at is AT_ONCE else _said(verdict.locks_at)
        yield Difference(Finding.STANDING, f"locked from: {_said(local.locked_from)} → {wanted}")


def _of_mirror(local: Local, remote: Remote) -> Iterator[Difference]:
    living = {each["id"]: each for each in remote.subscriptions if not is_over(each)}
    for id in sorted(living.keys() | local.subscriptions.keys()):
        kept, told = local.subscriptions.get(id), living.get(id)
        if kept is None:
            yield Difference(Finding.MIRROR, f"{id} is not kept")
        elif told is None:
            yield Difference(Finding.MIRROR, f"{id} has ended")
        else:
            before, after = _telling(kept), _telling(told)
            if changed := [name for name in after if after[name] != before[name]]:
                yield Difference(Finding.MIRROR, f"{id}: {', '.join(changed)}")
    asked = {each["id"] for each in remote.open_invoices}
    for id in sorted(asked ^ local.open_invoices):
        yield Difference(Finding.MIRROR, f"{id} is {'open' if id in asked else 'no longer open'}")


def _of_details(local: Local, remote: Remote) -> Iterator[Difference]:
    # What they are is nobody's business here.
    for name, kept in (("name", local.name), ("email", local.email)):
        if remote.customer.get(name) != kept:
            yield Difference(Finding.DETAILS, name)


def _of_billing(local: Local, remote: Remote, policy: Policy) -> Iterator[Difference]:
    live = [each for each in remote.subscriptions if is_live(each)]
    ids = ", ".join(sorted(each["id"] for each in live))
    if local.is_closed and any(not is_over(each) for each in remote.subscriptions):
        yield Difference(Finding.CLOSED_BILLED, ids)
    if len(live) > 1:
        yield Difference(Finding.TWO_SUBSCRIPTIONS, ids)
    for subscription in live:
        # Beside the price of a tier there may be others.
        prices = prices_of(subscription)
        if not prices & policy.tier_of_price.keys():
            told = ", ".join(sorted(prices)) or "no price"
            yield Difference(Finding.UNMAPPED_PRICE, f"{told} in {subscription['id']}")


def _telling(subscription: StripeObject) -> dict[str, Any]:
    """Return what of a subscription people notice."""
    items = (subscription.get("items") or {}).get("data") or []
    return {
        "status": subscription["status"],
        "cancel_at": subscription.get("cancel_at"),
        "cancel_at_period_end": subscription.get("cancel_at_period_end"),
        "prices": sorted(prices_of(subscription)),
        "quantities": [each.get("quantity") for each in items],
        "period": [each.get("current_period_end") for each in items],
    }


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value) if value not in (None, "") else "none"
