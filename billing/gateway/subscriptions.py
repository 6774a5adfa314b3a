"""Subscriptions, and what they are paid with."""

from __future__ import annotations

import stripe

from billing.gateway import client
from billing.gateway.client import (
    PriceNotSold,
    StripeJson,
    api,
    as_json,
    every,
    or_none,
    translated,
)


@translated
def list_subscriptions(customer_id: str, *, with_methods: bool = False) -> list[StripeJson]:
    """Return all of the customer's subscriptions, ended ones included, to the last page.

    `with_methods`: those that have a payment method of their own carry it in full.
    """
    params: StripeJson = {"customer": customer_id, "status": "all", "limit": client.PAGE_SIZE}
    if with_methods:
        params["expand"] = ["data.default_payment_method"]
    return list(every(api().subscriptions.list(params)))


@translated
def retrieve_subscription(subscription_id: str) -> StripeJson | None:
    """Return the subscription; None when Stripe has none of this id."""
    return or_none(lambda: api().subscriptions.retrieve(subscription_id))


@translated
def cancel_subscription(subscription_id: str) -> StripeJson | None:
    """End it now and return it; None when Stripe has none that lives.

    By Stripe's defaults, nothing is invoiced for it any more and nothing is paid back.
    """
    return or_none(lambda: api().subscriptions.cancel(subscription_id))


@translated
def schedule_end(subscription_id: str) -> None:
    """Have a subscription end with the period that is paid."""
    api().subscriptions.update(subscription_id, {"cancel_at_period_end": True})


@translated
def take_end_back(subscription: StripeJson) -> None:
    """Have a subscription that was to end go on. Flexible billing keeps the end as a moment, the
    older way as a flag; Stripe refuses to be told of both."""
    change: StripeJson = {"cancel_at": ""}
    if subscription.get("cancel_at_period_end"):
        change = {"cancel_at_period_end": False}
    api().subscriptions.update(subscription["id"], change)


@translated
def preview_change(
    *, subscription_id: str, customer_id: str, items: list[StripeJson]
) -> StripeJson:
    """Return the invoice that a change of a subscription's items would make today.

    Raises PriceNotSold as well.
    """
    details = {"items": items, "proration_behavior": "always_invoice"}
    params = {
        "customer": customer_id,
        "subscription": subscription_id,
        "subscription_details": details,
    }
    try:
        return as_json(api().invoices.create_preview(params))
    except stripe.InvalidRequestError as error:
        if "price" in (error.param or ""):
            raise PriceNotSold from error
        raise


@translated
def retrieve_payment_method(method_id: str) -> StripeJson | None:
    """Return the payment method; None when Stripe has none of this id."""
    return or_none(lambda: api().payment_methods.retrieve(method_id))
