"""What billing tells the owner of an organization: standing, subscriptions, invoices, mails.

Amounts are in minor units of their currency, as Stripe writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from djstripe.models import Invoice, Subscription

from accounts.exports import CHUNK, NOT_OF_PERSON, Facts, Part
from accounts.models import UserEventLog
from billing.models import PayerMail, Standing
from orgs.models import Organization
from orgs.organization_export import NOT_OF_ORGANIZATION, ORGANIZATION

INVOICE = ("id", "number", "status", "currency")
AMOUNTS = ("subtotal", "total", "amount_due", "amount_paid", "amount_remaining")


def _standing(organization: Organization) -> Facts:
    facts = ("status", "reason", "subscription_id", "grace_ends_at", "ends_at", "synced_at")
    theirs = Standing.objects.filter(organization=organization).values(*facts).first()
    return {"stripe_customers": sorted(_customers(organization)), **(theirs or {})}


def _customers(organization: Organization) -> set[str]:
    """The present customer and those before it, which Stripe deleted."""
    linked = UserEventLog.objects.filter(organization=organization, event="customer_linked")
    told = set(linked.values_list("data__stripe_customer", flat=True))
    return {str(each) for each in told | {organization.stripe_customer_id} if each}


def _subscriptions(organization: Organization) -> Iterator[dict[str, Any]]:
    theirs = Subscription.objects.filter(customer__in=_customers(organization))
    for data in _told_by_stripe(theirs):
        yield {
            "id": data["id"],
            "status": data.get("status"),
            **_moments(data, "created", "cancel_at", "canceled_at", "ended_at", "trial_end"),
            "items": [_item(each) for each in data.get("items", {}).get("data", [])],
        }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    price = item.get("price") or {}
    return {
        "price": price.get("id"),
        "unit_amount": price.get("unit_amount"),
        "currency": price.get("currency"),
        "interval": (price.get("recurring") or {}).get("interval"),
        "quantity": item.get("quantity"),
        **_moments(item, "current_period_start", "current_period_end"),
    }


def _invoices(organization: Organization) -> Iterator[dict[str, Any]]:
    theirs = Invoice.objects.filter(customer__in=_customers(organization))
    for data in _told_by_stripe(theirs):
        yield {
            **{name: data.get(name) for name in (*INVOICE, *AMOUNTS)},
            **_moments(data, "created", "due_date", "period_start", "period_end"),
        }


def _told_by_stripe(rows: Any) -> Iterator[dict[str, Any]]:
    told = rows.order_by("created", "id").values_list("stripe_data", flat=True)
    return iter(told.iterator(CHUNK))


def _moments(data: dict[str, Any], *names: str) -> dict[str, datetime | None]:
    """Stripe writes a moment as seconds."""
    return {
        name: datetime.fromtimestamp(data[name], UTC) if data.get(name) is not None else None
        for name in names
    }


def _mails(organization: Organization) -> Iterator[dict[str, Any]]:
    facts = ("kind", "stripe_object", "since", "facts", "created_at", "sent_at")
    rows = PayerMail.objects.filter(organization=organization).order_by("pk").values(*facts)
    return iter(rows.iterator(CHUNK))


ORGANIZATION += [
    Part("billing", _standing, ("billing.Standing.organization",)),
    Part("subscriptions", _subscriptions),
    Part("invoices", _invoices),
    Part("mails_about_billing", _mails, ("billing.PayerMail.organization",)),
]
NOT_OF_PERSON["billing.PayerMail.owner"] = (
    "the log tells that they got it; what it says is the organization's"
)
NOT_OF_ORGANIZATION["billing.SyncAttempt.organization"] = (
    "when we last asked Stripe, for support; what Stripe said is told"
)
NOT_OF_ORGANIZATION["billing.ReconcileFinding.organization"] = (
    "our own bookkeeping of whether what is told here agrees with Stripe"
)
NOT_OF_ORGANIZATION["billing.Movement.organization"] = (
    "counted from the `standing_changed` events, which are told"
)
NOT_OF_ORGANIZATION["djstripe.Customer.subscriber"] = (
    "always null here: the link is Organization.stripe_customer"
)
