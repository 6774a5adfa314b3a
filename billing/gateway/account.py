"""What `stripe_setup` makes in an account: products, prices, the portal, webhook endpoints."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings

from billing.gateway import client
from billing.gateway.client import StripeJson, api, as_json, every, or_none, translated

# By this we know our own configuration of the portal among an account's others.
PORTAL_MARK = {"made_by": "holdfast"}


@translated
def list_products(product_ids: list[str]) -> list[StripeJson]:
    return list(every(api().products.list({"ids": product_ids, "limit": client.PAGE_SIZE})))


@translated
def create_product(*, product_id: str, name: str) -> None:
    api().products.create({"id": product_id, "name": name})


@translated
def update_product(product_id: str, *, name: str) -> None:
    """Name the product, and offer it if it was archived."""
    api().products.update(product_id, {"name": name, "active": True})


@translated
def list_prices(product_id: str) -> list[StripeJson]:
    """Return all prices of a product, archived ones included, each with the product in full."""
    params = {"product": product_id, "limit": client.PAGE_SIZE, "expand": ["data.product"]}
    return list(every(api().prices.list(params)))


@translated
def create_price(
    *, product_id: str, lookup_key: str, currency: str, amount: int, interval: str
) -> StripeJson:
    """Create a price and return it with its product; the look-up key is taken from a former one.

    `amount` is in the currency's minor units.
    """
    params = {
        "product": product_id,
        "lookup_key": lookup_key,
        "transfer_lookup_key": True,
        "currency": currency,
        "unit_amount": amount,
        "recurring": {"interval": interval},
        "expand": ["product"],
    }
    return as_json(api().prices.create(params))


@translated
def update_price(price_id: str, *, is_active: bool) -> StripeJson:
    """Offer a price, or archive it; whoever pays it goes on to. Returns it with its product."""
    params = {"active": is_active, "expand": ["product"]}
    return as_json(api().prices.update(price_id, params))


@translated
def retrieve_price(price_id: str) -> StripeJson:
    """Return the price, with its product in full."""
    return as_json(api().prices.retrieve(price_id, {"expand": ["product"]}))


@translated
def find_price(price_id: str) -> StripeJson | None:
    """Return the price, with its product in full; None when Stripe has none of this id."""
    return or_none(lambda: api().prices.retrieve(price_id, {"expand": ["product"]}))


def portal_settings(prices: dict[str, list[str]]) -> StripeJson:
    """Return how our portal is set up: card, invoices, cancelling, and changing between these
    prices, which are those of each product."""
    products = [{"product": product, "prices": theirs} for product, theirs in prices.items()]
    change = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "proration_behavior": "always_invoice",
        "trial_update_behavior": "continue_trial",
        "products": products,
    }
    features = {
        "customer_update": {"enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        # Stripe refuses it without a product.
        "subscription_update": change if products else {"enabled": False},
    }
    # Stripe does not show the products again, so what was sent is compared by its digest.
    digest = hashlib.sha256(json.dumps(features, sort_keys=True).encode()).hexdigest()
    return {"features": features, "metadata": {**PORTAL_MARK, "digest": digest}}


def is_portal_like(found: StripeJson, settings: StripeJson) -> bool:
    """Say whether our portal is set up like this, and nobody has changed it at Stripe since."""
    shown = found["features"]
    return found["metadata"].get("digest") == settings["metadata"]["digest"] and all(
        shown[feature].get(name) == value
        for feature, wanted in settings["features"].items()
        for name, value in wanted.items()
        if name != "products"
    )


@translated
def find_portal_configuration() -> StripeJson | None:
    """Return the configuration that we made, if there is one."""
    return portal_configuration()


@translated
def save_portal_configuration(settings: StripeJson) -> None:
    """Have our portal be set up like this."""
    configurations = api().billing_portal.configurations
    if found := portal_configuration():
        configurations.update(found["id"], settings)
    else:
        configurations.create(settings)


def portal_configuration() -> StripeJson | None:
    listed = api().billing_portal.configurations.list({"active": True, "limit": client.PAGE_SIZE})
    ours = (each for each in every(listed) if PORTAL_MARK.items() <= each["metadata"].items())
    return next(ours, None)


@translated
def list_webhook_endpoints() -> list[StripeJson]:
    return list(every(api().webhook_endpoints.list({"limit": client.PAGE_SIZE})))


@translated
def create_webhook_endpoint(*, url: str, events: list[str]) -> StripeJson:
    """Create the endpoint; its signing secret is in this answer and in no later one."""
    params = {"url": url, "enabled_events": events, "api_version": settings.STRIPE_API_VERSION}
    return as_json(api().webhook_endpoints.create(params))


@translated
def update_webhook_endpoint(endpoint_id: str, *, events: list[str]) -> StripeJson:
    """Have it get these events, and be on."""
    params = {"enabled_events": events, "disabled": False}
    return as_json(api().webhook_endpoints.update(endpoint_id, params))


@translated
def delete_webhook_endpoint(endpoint_id: str) -> None:
    api().webhook_endpoints.delete(endpoint_id)
