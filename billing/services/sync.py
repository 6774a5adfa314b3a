"""Converging on the truth: ask Stripe, decide, write. The one way a standing changes.

The three steps and why they are apart are in docs/rules.md, "Converging". In short: the lease
lets one process at a time ask; the generation lets only the newest asker write; the mark is
cleared only if nothing happened since it was read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import services as accounts
from billing import gateway, mirror
from billing.gateway import StripeJson
from billing.models import Standing, TierPrice
from billing.standing import AT_ONCE, Policy, PricedTier, Verdict, standing_of
from orgs.models import FREE_TIER_KEY, Organization, Tier

# Longer than all calls of one sync may take. A sync that outlives it writes nothing.
LEASE = timedelta(seconds=90)
# How often the holder starts again because the mark moved, before it leaves the rest to others.
MOST_ROUNDS = 5


class Outcome(Enum):
    SYNCED = "synced"
    # Another process is at it, and will look again because the mark was left.
    BUSY = "busy"


class _Written(Enum):
    DONE = "done"
    # The mark moved while Stripe was asked: something happened that may not be in the answers.
    AGAIN = "again"
    # The lease ran out and somebody else asked later than we did: nothing was written.
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class _Lease:
    organization_id: int
    name: str
    email: str
    owner_id: int
    # Somebody else may have begun to pay before this owner came.
    is_owner_new: bool
    generation: int
    mark: datetime
    customer_id: str | None
    customer_key: str
    is_retry: bool


@dataclass(frozen=True)
class _Facts:
    """What Stripe said, all of it asked before anything is written."""

    customer: StripeJson
    subscriptions: list[StripeJson]
    open_invoices: list[StripeJson]
    new_prices: list[StripeJson]


def sync_organization(
    organization: Organization, *, clock: Callable[[], datetime] = timezone.now
) -> Outcome:
    """Make standing, tier, lock and mirror agree with what Stripe says now.

    Creates the Stripe customer when there is none. Must not run inside a transaction: it waits
    for Stripe. Raises billing.gateway.BillingUnavailable when Stripe cannot be asked; then
    nothing has changed and the organization stays marked.
    """
    for _round in range(MOST_ROUNDS):
        lease = _take_lease(organization.pk, clock())
        if lease is None:
            return Outcome.BUSY
        try:
            facts = _fetch(lease)
        except gateway.BillingUnavailable:
            _release(lease)
            raise
        written = _write(lease, facts, clock())
        if written is not _Written.AGAIN:
            return Outcome.SYNCED if written is _Written.DONE else Outcome.BUSY
    return Outcome.BUSY


def _take_lease(organization_id: int, now: datetime) -> _Lease | None:
    """Return the lease, or leave a mark for whoever holds it and return None."""
    with transaction.atomic():
        standing = _locked_standing(organization_id)
        if standing.is_leased(now):
            standing.sync_requested_at = now
            standing.save(update_fields=["sync_requested_at"])
            return None
        # Marked for as long as it runs, so that one that dies is found and repeated.
        standing.sync_requested_at = mark = standing.sync_requested_at or now
        standing.lease_until = now + LEASE
        standing.generation += 1
        standing.save(update_fields=["sync_requested_at", "lease_until", "generation"])
        return _Lease(
            organization_id=organization_id,
            name=standing.organization.name,
            email=standing.organization.email,
            owner_id=standing.organization.owner_id,
            is_owner_new=_is_owner_new(standing),
            generation=standing.generation,
            mark=mark,
            customer_id=standing.organization.stripe_customer_id,
            customer_key=str(standing.customer_key),
            is_retry=standing.generation > 1,
        )


def _is_owner_new(standing: Standing) -> bool:
    transfers = standing.organization.ownership_transfers.all()
    if standing.synced_at is not None:
        transfers = transfers.filter(created_at__gte=standing.synced_at)
    return transfers.exists()


def _release(lease: _Lease) -> None:
    """Give the lease back and keep the mark: this organization is still to be synced."""
    Standing.objects.filter(organization=lease.organization_id, generation=lease.generation).update(
        lease_until=None
    )


def _locked_standing(organization_id: int) -> Standing:
    rows = Standing.objects.select_for_update(of=("self",))
    return rows.select_related("organization__owner").get(organization=organization_id)


def _fetch(lease: _Lease) -> _Facts:
    customer = _customer(lease)
    if customer.get("deleted"):
        return _Facts(customer, [], [], [])
    if lease.is_owner_new:
        gateway.expire_checkouts_of_others(customer_id=customer["id"], owner_id=lease.owner_id)
    subscriptions = gateway.list_subscriptions(customer["id"])
    prices = {item["price"]["id"] for each in subscriptions for item in each["items"]["data"]}
    return _Facts(
        customer=customer,
        subscriptions=subscriptions,
        open_invoices=gateway.list_open_invoices(customer["id"]),
        new_prices=[gateway.retrieve_price(each) for each in mirror.missing_prices(prices)],
    )


def _customer(lease: _Lease) -> StripeJson:
    """Return the organization's customer at Stripe, made if need be, with today's name on it."""
    if lease.customer_id is not None:
        customer = gateway.retrieve_customer(lease.customer_id)
    else:
        found = gateway.find_customer(key=lease.customer_key) if lease.is_retry else None
        customer = found or gateway.create_customer(key=lease.customer_key)
    if customer.get("deleted"):
        return customer
    wanted = {"email": lease.email, "name": lease.name}
    if any(customer.get(field) != value for field, value in wanted.items()):
        customer = gateway.update_customer(customer["id"], **wanted)
    return customer


def _write(lease: _Lease, facts: _Facts, now: datetime) -> _Written:
    """Write what was fetched, all of it or nothing, if this sync is still the newest."""
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(
            pk=lease.organization_id
        )
        standing = Standing.objects.select_for_update().get(organization=organization)
        if standing.generation != lease.generation:
            return _Written.SUPERSEDED
        _write_mirror(facts)
        _link_customer(organization, facts.customer)
        verdict = standing_of(
            facts.subscriptions,
            facts.open_invoices,
            now,
            current_policy(),
            is_customer_deleted=bool(facts.customer.get("deleted")),
            free_chosen_at=standing.free_chosen_at,
        )
        _apply(verdict, organization, standing, now)
        is_done = standing.sync_requested_at == lease.mark
        if is_done:
            standing.sync_requested_at = None
        standing.lease_until = None
        standing.synced_at = now
        standing.save()
    return _Written.DONE if is_done else _Written.AGAIN


def _write_mirror(facts: _Facts) -> None:
    mirror.write_customer(facts.customer)
    for price in facts.new_prices:
        mirror.write_price(price)
    customer_id = facts.customer["id"]
    mirror.write_subscriptions(customer_id, facts.subscriptions)
    mirror.write_invoices(customer_id, facts.open_invoices)


def _link_customer(organization: Organization, customer: StripeJson) -> None:
    if organization.stripe_customer_id is not None or customer.get("deleted"):
        return
    organization.stripe_customer_id = customer["id"]
    organization.save(update_fields=["stripe_customer"])
    accounts.record_event(
        "customer_linked",
        organization_id=organization.pk,
        data={"stripe_customer": customer["id"]},
    )


def _apply(verdict: Verdict, organization: Organization, standing: Standing, now: datetime) -> None:
    """Carry the verdict over to the rows, and log it when somebody would notice."""
    before = _noticeable(organization, standing)
    organization.tier = _tier(verdict)
    organization.locked_from = _locked_from(verdict, organization.locked_from, now)
    organization.save(update_fields=["tier", "locked_from"])
    standing.status = verdict.status
    standing.reason = verdict.reason
    standing.subscription_id = verdict.subscription
    standing.ends_at = verdict.ends_at
    standing.grace_ends_at = organization.locked_from if verdict.status == "past_due" else None
    after = _noticeable(organization, standing)
    if before != after:
        accounts.record_event(
            "standing_changed",
            organization_id=organization.pk,
            data={"before": before, "after": after},
        )


def _noticeable(organization: Organization, standing: Standing) -> dict[str, Any]:
    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "status": standing.status,
        "reason": standing.reason,
        "tier": organization.tier.key if organization.tier else FREE_TIER_KEY,
        "locked_from": text(organization.locked_from),
        "ends_at": text(standing.ends_at),
        "subscription": standing.subscription_id,
    }


def _tier(verdict: Verdict) -> Tier | None:
    return Tier.objects.get(key=verdict.tier) if verdict.tier else None


def _locked_from(verdict: Verdict, locked_from: datetime | None, now: datetime) -> datetime | None:
    """Return the moment to store. At once keeps a lock that has begun: a later sync, or a clock
    of Stripe's that runs ahead, never moves it."""
    if verdict.locks_at is AT_ONCE:
        return locked_from if locked_from is not None and locked_from <= now else now
    return verdict.locks_at


def current_policy() -> Policy:
    prices = TierPrice.objects.select_related("tier")
    return Policy(
        grace=timedelta(days=settings.BILLING_GRACE_DAYS),
        is_free_offered=Tier.objects.free().is_offered,
        tier_of_price={
            price.stripe_price_id: PricedTier(price.tier.key, price.tier.rank) for price in prices
        },
    )
