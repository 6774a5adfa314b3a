"""The owner's way to pay. What comes of it is read from Stripe by a sync, never assumed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts import services as accounts
from accounts.models import User
from billing import gateway
from billing.gateway import BillingUnavailable
from billing.models import Standing, TierPrice
from billing.services.marks import request_sync
from billing.services.sync import sync_organization
from orgs.models import Organization, Tier
from orgs.services import NotOwner


class AlreadySubscribed(Exception):
    """A subscription lives; a second one would bill twice. It is changed in the portal."""


class NotOffered(Exception):
    """This tier or price cannot be chosen."""


def start_checkout(
    *, organization: Organization, price: TierPrice, by: User, return_url: str, cancel_url: str
) -> str:
    """Return the URL of Stripe's page on which the owner subscribes.

    Syncs first, so that the answer rests on what Stripe says now. Raises NotOwner, NotOffered,
    AlreadySubscribed and BillingUnavailable.
    """
    _require_owner(organization, by)
    if not price.tier.is_offered:
        raise NotOffered
    customer_id = _fresh_customer_id(organization)
    if Standing.objects.get(organization=organization).has_live_subscription:
        raise AlreadySubscribed
    session = gateway.create_checkout(
        customer_id=customer_id,
        price_id=price.stripe_price_id,
        trial_days=price.trial_days,
        owner_id=by.pk,
        return_url=return_url,
        cancel_url=cancel_url,
    )
    url: str = session["url"]
    return url


def open_portal(*, organization: Organization, by: User, return_url: str) -> str:
    """Return a short-lived URL of Stripe's portal: card, invoices, cancel, resume.

    Raises NotOwner and BillingUnavailable.
    """
    _require_owner(organization, by)
    customer_id = organization.stripe_customer_id or _fresh_customer_id(organization)
    url: str = gateway.create_portal(customer_id=customer_id, return_url=return_url)["url"]
    return url


@transaction.atomic
def choose_free_tier(*, organization: Organization, by: User, now: datetime) -> None:
    """Let the owner go on without paying after a subscription ended for debt.

    Raises NotOwner, and NotOffered when there is no free tier.
    """
    _require_owner(organization, by)
    if not Tier.objects.free().is_offered:
        raise NotOffered
    Standing.objects.filter(organization=organization).update(free_chosen_at=now)
    accounts.record_event("free_tier_chosen", user=by, actor=by, organization_id=organization.pk)
    request_sync(organization_ids=[organization.pk], now=now)


def _require_owner(organization: Organization, person: User) -> None:
    if organization.owner_id != person.pk:
        raise NotOwner


def _fresh_customer_id(organization: Organization) -> str:
    sync_organization(organization)
    organization.refresh_from_db(fields=["stripe_customer"])
    if organization.stripe_customer_id is None:
        # Another process is making it at this moment.
        raise BillingUnavailable("The Stripe customer is being made")
    return organization.stripe_customer_id
