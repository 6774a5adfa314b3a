"""Writing what Stripe said: mirror, customer, standing, tier, lock and the log, or nothing."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing import mirror
from billing.models import Standing, TierPrice
from billing.notices import LOCK_IS_NEAR, Situation, notices_of
from billing.recurring import recurring_of
from billing.services import payer_mails
from billing.services.facts import Facts
from billing.services.leases import Lease
from billing.standing import AT_ONCE, Policy, PricedTier, Verdict, exempted, is_live, standing_of
from orgs.models import FREE_TIER_KEY, Organization, Tier


class Written(Enum):
    DONE = "done"
    # Something may have happened that is not in the answers: the mark moved while Stripe was
    # asked, or events could not be told apart from strangers' until now.
    AGAIN = "again"
    # The lease ran out and somebody else asked later than we did, or the organization is gone:
    # nothing was written.
    SUPERSEDED = "superseded"


def write(lease: Lease, facts: Facts, now: datetime) -> Written:
    """Write what was fetched, all of it or nothing, if this sync is still the newest."""
    with transaction.atomic():
        organization = (
            Organization.objects.select_for_update(no_key=True)
            .filter(pk=lease.organization_id)
            .first()
        )
        if organization is None:
            # It was removed while Stripe was asked.
            return Written.SUPERSEDED
        standing = Standing.objects.select_for_update().get(organization=organization)
        if standing.generation != lease.generation:
            return Written.SUPERSEDED
        _record_deletion(organization, standing, facts)
        _write_mirror(facts)
        is_newly_linked = _link_customer(organization, facts)
        log_begun_lock(standing, now)
        if standing.exempt_until is not None and standing.exempt_until <= now:
            close_exemption(standing, by=None)
        policy = current_policy()
        verdict = exempted(
            standing_of(
                facts.subscriptions,
                facts.open_invoices,
                now,
                policy,
                is_customer_deleted=facts.is_customer_deleted,
                free_chosen_at=standing.free_chosen_at,
            ),
            standing.exemption,
            now,
        )
        was_locked_from = organization.locked_from
        _apply(verdict, facts, organization, standing, now)
        has_grace = policy.grace > LOCK_IS_NEAR or standing.is_exempt(now)
        situation = _situation(facts, organization, standing, was_locked_from, has_grace=has_grace)
        payer_mails.note(organization, notices_of(situation, now) if situation else [], now)
        # An event that came before the link was there found nobody to mark.
        is_done = standing.sync_requested_at == lease.mark and not is_newly_linked
        if is_done:
            standing.sync_requested_at = None
        standing.lease_until = None
        standing.synced_at = now
        standing.save()
    return Written.DONE if is_done else Written.AGAIN


def _record_deletion(organization: Organization, standing: Standing, facts: Facts) -> None:
    """Note, once, that Stripe deleted the customer. Only then may another take its place: this is
    the one transaction that renews the key."""
    customer_id = facts.customer["id"]
    if not facts.is_customer_deleted or mirror.is_deleted(customer_id):
        return
    standing.customer_key = uuid.uuid4()
    accounts.record_event(
        Event.CUSTOMER_DELETED,
        organization_id=organization.pk,
        data={"stripe_customer": customer_id},
    )


def _write_mirror(facts: Facts) -> None:
    mirror.write_customer(facts.customer)
    for price in facts.new_prices:
        mirror.write_price(price)
    customer_id = facts.customer["id"]
    mirror.write_subscriptions(customer_id, facts.subscriptions)
    mirror.write_invoices(customer_id, [*facts.open_invoices, *facts.settled_invoices])
    mirror.forget(subscriptions=facts.gone_subscriptions, invoices=facts.gone_invoices)


def _link_customer(organization: Organization, facts: Facts) -> bool:
    """Link the customer: from none, or from one that Stripe said was deleted. Say whether so."""
    customer_id = facts.customer["id"]
    if facts.is_customer_deleted or organization.stripe_customer_id == customer_id:
        return False
    linked = organization.stripe_customer_id
    if linked is not None and not mirror.is_deleted(linked):
        return False
    organization.stripe_customer_id = customer_id
    organization.save(update_fields=["stripe_customer"])
    accounts.record_event(
        Event.CUSTOMER_LINKED,
        organization_id=organization.pk,
        data={"stripe_customer": customer_id},
    )
    return True


def log_begun_lock(standing: Standing, now: datetime) -> None:
    """Write the line of a lock that began by the clock, once. Saves nothing but the line."""
    if standing.locks_at is None or standing.locks_at > now:
        return
    accounts.record_event(
        Event.LOCK_BEGAN,
        organization_id=standing.organization_id,
        data={
            "locked_from": standing.locks_at.isoformat(),
            "status": standing.status,
            "subscription": standing.subscription_id,
        },
    )
    standing.locks_at = None


def close_exemption(standing: Standing, *, by: User | None) -> None:
    """Take an exemption out, and write its line: over by the clock, or ended by somebody. Saves
    nothing but the line."""
    assert standing.exempt_until is not None
    accounts.record_event(
        Event.EXEMPTION_ENDED,
        actor=by,
        organization_id=standing.organization_id,
        data={"until": standing.exempt_until.isoformat()},
    )
    standing.exempt_until, standing.exempt_tier, standing.exempt_reason = None, None, ""


def _apply(
    verdict: Verdict,
    facts: Facts,
    organization: Organization,
    standing: Standing,
    now: datetime,
) -> None:
    """Carry the verdict over to the rows, and log it when somebody would notice."""
    before = _noticeable(organization, standing)
    organization.tier = _tier(verdict)
    organization.locked_from = _locked_from(verdict, organization.locked_from, now)
    organization.save(update_fields=["tier", "locked_from"])
    standing.status = verdict.status
    standing.reason = verdict.reason
    standing.subscription_id = verdict.subscription
    standing.payment_method = facts.payment_methods.get(verdict.subscription or "")
    standing.unconfirmed_invoice = next(iter(facts.unconfirmed_invoices), "")
    standing.ends_at = verdict.ends_at
    standing.grace_ends_at = organization.locked_from if verdict.status == "past_due" else None
    standing.recurring = recurring_of(verdict, facts.subscriptions, standing.recurring)
    standing.is_billed_twice = sum(map(is_live, facts.subscriptions)) > 1
    lies_ahead = organization.locked_from is not None and organization.locked_from > now
    standing.locks_at = organization.locked_from if lies_ahead else None
    after = _noticeable(organization, standing)
    if before != after:
        accounts.record_event(
            Event.STANDING_CHANGED,
            organization_id=organization.pk,
            data={"before": before, "after": after, "stripe": _sources(facts)},
        )


def _situation(
    facts: Facts,
    organization: Organization,
    standing: Standing,
    was_locked_from: datetime | None,
    *,
    has_grace: bool,
) -> Situation | None:
    """Return what whoever pays may be told of; of a closed organization, nothing."""
    if organization.closed_at is not None or facts.is_billing_ended:
        return None
    return Situation(
        customer=facts.customer["id"],
        subscriptions=facts.subscriptions,
        invoices=[*facts.open_invoices, *facts.settled_invoices],
        subscription=standing.subscription_id,
        tier=(organization.tier or Tier.objects.free()).name,
        reason=standing.reason,
        locked_from=organization.locked_from,
        ends_at=standing.ends_at,
        payment_method=standing.payment_method,
        unconfirmed_invoices=facts.unconfirmed_invoices,
        has_grace=has_grace,
        was_locked_from=was_locked_from,
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
        "recurring": asdict(standing.recurring) if standing.recurring else None,
    }


def _sources(facts: Facts) -> dict[str, Any]:
    """The objects at Stripe that the verdict rests on."""
    return {
        "customer": facts.customer["id"],
        "subscriptions": {each["id"]: each["status"] for each in facts.subscriptions},
        "open_invoices": [each["id"] for each in facts.open_invoices],
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
    """Return what the operator decided, as it is at this moment."""
    prices = TierPrice.objects.at_stripe().select_related("tier")
    return Policy(
        grace=timedelta(days=settings.BILLING_GRACE_DAYS),
        is_free_offered=Tier.objects.free().is_offered,
        tier_of_price={
            str(price.stripe_price_id): PricedTier(price.tier.key, price.tier.rank)
            for price in prices
        },
    )
