"""What the product needs in a Stripe account: products, prices and the webhook endpoint."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.urls import reverse
from djstripe.models import WebhookEndpoint

from billing import gateway, mirror, plans
from billing.models import Interval, TierPrice
from orgs.models import Tier

CURRENCY = "eur"
# In cents. A starting point: prices are changed at Stripe, and new ones added as TierPrice rows.
DEFAULT_PRICES = (
    ("pro", Interval.MONTH, 1_900),
    ("pro", Interval.YEAR, 19_000),
    ("business", Interval.MONTH, 4_900),
    ("business", Interval.YEAR, 49_000),
)
# Each of these can change a standing, or what the pages show of it.
EVENTS = [
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
]


def set_up_stripe(*, base_url: str) -> None:
    """Make the account of the configured key ready, and safe to repeat.

    Products and prices of the default tiers are made where they are missing, and so is the
    endpoint that Stripe sends events to, under `base_url`. The portal offers the prices that are
    sold. Raises BillingUnavailable.
    """
    for tier_key, interval, amount in DEFAULT_PRICES:
        _ensure_price(Tier.objects.get(key=tier_key), interval, amount)
    gateway.ensure_portal_configuration(prices=plans.sold_at_stripe())
    _ensure_webhook_endpoint(base_url)


def _ensure_price(tier: Tier, interval: Interval, amount: int) -> None:
    product = gateway.ensure_product(product_id=f"holdfast_{tier.key}", name=tier.name)
    price = gateway.ensure_price(
        product_id=product["id"],
        lookup_key=f"holdfast_{tier.key}_{interval}",
        currency=CURRENCY,
        amount=amount,
        interval=interval,
    )
    with transaction.atomic():
        mirror.write_price(price | {"product": product})
        TierPrice.objects.get_or_create(
            stripe_price_id=price["id"], defaults={"tier": tier, "interval": interval}
        )


def _ensure_webhook_endpoint(base_url: str) -> None:
    """Keep exactly one endpoint under this address whose secret we know.

    Stripe tells the secret once: an endpoint that we have no secret of is replaced.
    """
    prefix = base_url.rstrip("/") + "/stripe/webhook/"
    at_stripe = {
        endpoint["id"]: endpoint
        for endpoint in gateway.list_webhook_endpoints()
        if endpoint["url"].startswith(prefix)
    }
    known = set(
        WebhookEndpoint.objects.filter(id__in=at_stripe, url__startswith=prefix)
        .exclude(secret="")
        .values_list("id", flat=True)
    )
    for orphan in at_stripe.keys() - known:
        gateway.delete_webhook_endpoint(orphan)
    WebhookEndpoint.objects.filter(url__startswith=prefix).exclude(id__in=known).delete()
    if known:
        return
    identifier = uuid.uuid4()
    path = reverse("djstripe:djstripe_webhook_by_uuid", args=[identifier])
    created = gateway.create_webhook_endpoint(url=base_url.rstrip("/") + path, events=EVENTS)
    mirror.write_webhook_endpoint(created, identifier)
