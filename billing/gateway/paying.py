"""Stripe's pages on which people pay: checkout and the billing portal."""

from __future__ import annotations

import stripe

from billing.gateway import client
from billing.gateway.account import portal_configuration
from billing.gateway.client import PriceNotSold, StripeJson, api, as_json, every, translated


@translated
def create_checkout(
    *,
    customer_id: str,
    price_id: str,
    trial_days: int | None,
    metadata: dict[str, str],
    return_url: str,
    cancel_url: str,
) -> StripeJson:
    """Open a checkout for one subscription. Raises PriceNotSold as well."""
    params: StripeJson = {
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"price": price_id, "quantity": 1}],
        "metadata": metadata,
        "success_url": return_url,
        "cancel_url": cancel_url,
    }
    if trial_days:
        params["subscription_data"] = {"trial_period_days": trial_days}
    try:
        return as_json(api().checkout.sessions.create(params))
    except stripe.InvalidRequestError as error:
        if (error.param or "").startswith("line_items"):
            raise PriceNotSold from error
        raise


@translated
def list_open_checkouts(customer_id: str) -> list[StripeJson]:
    params = {"customer": customer_id, "status": "open", "limit": client.PAGE_SIZE}
    return list(every(api().checkout.sessions.list(params)))


@translated
def expire_checkout(session_id: str) -> bool:
    """Close an open checkout, so that nobody can pay it; say whether it was still open."""
    try:
        api().checkout.sessions.expire(session_id)
    except stripe.InvalidRequestError:
        return False
    return True


@translated
def create_portal(
    *, customer_id: str, return_url: str, flow: StripeJson | None = None
) -> StripeJson:
    """Open a session of Stripe's portal; with `flow`, on the page for one errand alone."""
    params: StripeJson = {"customer": customer_id, "return_url": return_url}
    if configuration := portal_configuration():
        params["configuration"] = configuration["id"]
    if flow:
        params["flow_data"] = flow
    return as_json(api().billing_portal.sessions.create(params))
