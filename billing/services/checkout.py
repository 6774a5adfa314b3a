"""The owner's way to pay. What comes of it is read from Stripe by a sync, never assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing import gateway, mirror, plans
from billing.gateway import StripeJson
from billing.models import Standing, Status, TierPrice
from billing.services.facts import Facts
from billing.services.marks import request_sync
from billing.services.sync import converge_now
from billing.standing import has_begun, prices_of
from orgs.models import Organization, Tier
from orgs.services import NotOwner, OrganizationIsClosed

# How long somebody who pays waits while another process syncs their organization.
PATIENCE = timedelta(seconds=5)


class AlreadySubscribed(Exception):
    """A subscription lives; a second one would bill twice. The plan is changed instead."""


class SamePlan(Exception):
    """The subscription is at this price already."""


class NothingToChange(Exception):
    """No subscription is paid that could be changed: one is bought, or what is owed is paid."""


class NotOffered(Exception):
    """This tier or price cannot be chosen."""


@dataclass(frozen=True)
class Checkout:
    """Stripe's page on which to subscribe, opened just now or open already."""

    session: StripeJson
    is_new: bool


def choose_plan(
    *, organization: Organization, price: TierPrice, by: User, return_url: str, cancel_url: str
) -> str:
    """Return the URL of Stripe's page on which the owner subscribes, or changes the plan.

    Raises NotOwner, NotOffered, SamePlan, OrganizationIsClosed and BillingUnavailable.
    """
    try:
        return start_checkout(
            organization=organization,
            price=price,
            by=by,
            return_url=return_url,
            cancel_url=cancel_url,
        )
    except AlreadySubscribed:
        return change_plan(organization=organization, price=price, by=by, return_url=return_url)


def start_checkout(
    *, organization: Organization, price: TierPrice, by: User, return_url: str, cancel_url: str
) -> str:
    """Return the URL of Stripe's page on which the owner subscribes.

    Syncs first, so that the answer rests on what Stripe says now. An organization has one open
    checkout: asked for again, it is the same one; for another price, the former is closed. Raises
    NotOwner, NotOffered, AlreadySubscribed, OrganizationIsClosed and BillingUnavailable.
    """
    require_owner(organization, by)
    price_id = _offered(price)
    metadata = {"owner": str(by.pk), "price": price_id}

    def open_session(facts: Facts) -> Checkout | None:
        if facts.is_billing_ended:
            raise OrganizationIsClosed
        if facts.has_live_subscription:
            return None
        kept = None
        for session in facts.open_checkouts:
            if kept is None and session["metadata"] == metadata:
                kept = session
            else:
                gateway.expire_checkout(session["id"])
        if kept is not None:
            return Checkout(kept, is_new=False)
        opened = gateway.create_checkout(
            customer_id=facts.customer["id"],
            price_id=price_id,
            # Once: whoever had a subscription has tried it.
            trial_days=None if any(map(has_begun, facts.subscriptions)) else price.trial_days,
            metadata=metadata,
            return_url=return_url,
            cancel_url=cancel_url,
        )
        return Checkout(opened, is_new=True)

    def close_session(checkout: Checkout | None) -> None:
        # One that was open before may have been handed to somebody else meanwhile.
        if checkout is not None and checkout.is_new:
            gateway.expire_checkout(checkout.session["id"])

    try:
        checkout = converge_now(organization, open_session, undo=close_session, patience=PATIENCE)
    except gateway.PriceNotSold:
        raise _no_longer_sold(price_id) from None
    if checkout is None:
        raise AlreadySubscribed
    url: str = checkout.session["url"]
    return url


def change_plan(*, organization: Organization, price: TierPrice, by: User, return_url: str) -> str:
    """Return the URL of Stripe's page that shows what a change of plan costs, to confirm it.

    While something is owed, that is the portal, where it is paid first. Raises NotOwner,
    NotOffered, SamePlan and BillingUnavailable.
    """
    require_owner(organization, by)
    price_id = _offered(price)
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    flow = None
    if standing.status == Status.CURRENT and standing.subscription is not None:
        flow = _confirm_change(standing.subscription.stripe_data, price_id, return_url)
    return _open_portal(organization, return_url, flow)


def preview_plan(*, organization: Organization, price: TierPrice, by: User) -> StripeJson | None:
    """Return the invoice that a change to this price would make today.

    None where none is made, in a trial, or only Stripe's portal can tell. Raises NotOwner,
    NotOffered, SamePlan, NothingToChange and BillingUnavailable.
    """
    require_owner(organization, by)
    price_id = _offered(price)
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    if standing.status != Status.CURRENT or standing.subscription is None:
        raise NothingToChange
    items = _changed_items(standing.subscription.stripe_data, price_id)
    if items is None or standing.subscription.stripe_data["status"] == "trialing":
        return None
    try:
        return gateway.preview_change(
            subscription_id=standing.subscription.id,
            customer_id=str(organization.stripe_customer_id),
            items=items,
        )
    except gateway.PriceNotSold:
        raise _no_longer_sold(price_id) from None


def open_portal(*, organization: Organization, by: User, return_url: str) -> str:
    """Return a short-lived URL of Stripe's portal: card, invoices, cancel, resume.

    Raises NotOwner and BillingUnavailable.
    """
    require_owner(organization, by)
    return _open_portal(organization, return_url)


@transaction.atomic
def choose_free_tier(*, organization: Organization, by: User, now: datetime) -> None:
    """Let the owner go on without paying after a subscription ended for debt.

    Raises NotOwner, and NotOffered when there is no free tier.
    """
    require_owner(organization, by)
    if not Tier.objects.free().is_offered:
        raise NotOffered
    Standing.objects.filter(organization=organization).update(free_chosen_at=now)
    accounts.record_event(
        Event.FREE_TIER_CHOSEN, user=by, actor=by, organization_id=organization.pk
    )
    request_sync(organization_ids=[organization.pk], now=now)


def require_owner(organization: Organization, person: User) -> None:
    """Raise NotOwner unless this person owns it."""
    if organization.owner_id != person.pk:
        raise NotOwner


def _offered(price: TierPrice) -> str:
    """Return the price's id at Stripe. Raises NotOffered unless it is sold."""
    if price.stripe_price_id is None or not plans.is_sold(price):
        raise NotOffered
    return price.stripe_price_id


def _no_longer_sold(price_id: str) -> NotOffered:
    """Have the pages know that Stripe archived a price."""
    mirror.write_price(gateway.retrieve_price(price_id))
    return NotOffered()


def _changed_items(subscription: dict[str, Any], price_id: str) -> list[StripeJson] | None:
    """Return a subscription's items at another price; None where it has several, which the portal
    cannot change. Raises SamePlan."""
    if price_id in prices_of(subscription):
        raise SamePlan
    items = subscription["items"]["data"]
    return [{"id": items[0]["id"], "price": price_id}] if len(items) == 1 else None


def _confirm_change(
    subscription: dict[str, Any], price_id: str, return_url: str
) -> StripeJson | None:
    """Describe the portal's page for one change of price; None for its front page, which says what
    it can do. Raises SamePlan."""
    items = _changed_items(subscription, price_id)
    if items is None:
        return None
    return {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {"subscription": subscription["id"], "items": items},
        "after_completion": {"type": "redirect", "redirect": {"return_url": return_url}},
    }


def _open_portal(
    organization: Organization, return_url: str, flow: StripeJson | None = None
) -> str:
    customer_id = converge_now(
        organization,
        lambda facts: str(facts.customer["id"]),
        patience=PATIENCE,
    )
    assert customer_id is not None
    session = gateway.create_portal(customer_id=customer_id, return_url=return_url, flow=flow)
    url: str = session["url"]
    return url
