"""The only door to Stripe's API: plain JSON comes out, and one exception.

Calls carry the pinned API version, give up after seconds, and are made outside transactions.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import stripe
from django.conf import settings

StripeJson = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

PAGE_SIZE = 100
# So many of a customer's newest invoices are looked at, whatever became of them.
RECENT_INVOICES = 12
# By this we know our own configuration of the portal among an account's others.
PORTAL_MARK = {"made_by": "holdfast"}
# Seconds to wait for a test clock; Stripe takes a few for each month.
CLOCK_ATTEMPTS = 60
OUTAGES = (
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.AuthenticationError,
    stripe.RateLimitError,
)


class BillingUnavailable(Exception):
    """Stripe could not be asked, or refused. Nothing was decided; the work can be repeated.

    `is_outage` tells that it would go the same with any other request at this moment.
    """

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


class PriceNotSold(Exception):
    """Stripe no longer sells at this price: it was archived."""


class BadSignature(Exception):
    """The message was not signed by Stripe with this endpoint's secret, or is too old."""


def _translated(call: Callable[P, R]) -> Callable[P, R]:
    """Turn whatever Stripe's SDK raises into BillingUnavailable."""

    @wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except stripe.StripeError as error:
            raise BillingUnavailable(str(error), is_outage=isinstance(error, OUTAGES)) from error

    return wrapped


@lru_cache(maxsize=4)
def _make_client(key: str, host: str | None, timeout: int, retries: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": host} if host else {},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


def _client() -> Any:
    # Any: the SDK types each parameter as a TypedDict of its own, and each answer as an object
    # whose attributes move with its releases. What leaves this module is plain JSON.
    if not settings.STRIPE_SECRET_KEY:
        raise BillingUnavailable("STRIPE_SECRET_KEY is not set", is_outage=True)
    return _make_client(
        settings.STRIPE_SECRET_KEY,
        getattr(settings, "STRIPE_API_HOST", None),
        settings.STRIPE_TIMEOUT,
        settings.STRIPE_MAX_NETWORK_RETRIES,
    ).v1


def _json(answer: Any) -> StripeJson:
    plain: StripeJson = answer.to_dict(for_json=True)
    return plain


def _all(page: Any) -> Iterator[StripeJson]:
    return (_json(item) for item in page.auto_paging_iter())


@_translated
def create_customer(*, key: str) -> StripeJson:
    """Create the one customer of this key, or return it when it was created before.

    Nothing but the key goes into it: Stripe refuses a repeated key whose parameters changed, so
    what can change (e-mail, name) is set by `update_customer` afterwards.
    """
    params: StripeJson = {"metadata": {"customer_key": key}}
    if settings.STRIPE_TEST_CLOCK:
        params["test_clock"] = settings.STRIPE_TEST_CLOCK
    return _json(_client().customers.create(params, {"idempotency_key": key}))


@_translated
def find_customer(*, key: str) -> StripeJson | None:
    """Return the customer of this key. Stripe forgets idempotency keys after a day, not this."""
    found = _client().customers.search({"query": f"metadata['customer_key']:'{key}'", "limit": 1})
    return next((_json(customer) for customer in found.data), None)


@_translated
def touch_customer(customer_id: str) -> None:
    """Change nothing that anybody sees, so that Stripe tells of it."""
    _client().customers.update(customer_id, {"description": f"Touched at {time.time()}"})


@_translated
def create_throwaway_customer() -> StripeJson:
    """Create a customer that is nobody's and has no mark of ours."""
    return _json(_client().customers.create({"description": "Proof of the webhook endpoint"}))


@_translated
def delete_customer(customer_id: str) -> None:
    _client().customers.delete(customer_id)


@_translated
def retrieve_customer(customer_id: str) -> StripeJson:
    """Return the customer; one that was deleted has `deleted` true and little else."""
    return _json(_client().customers.retrieve(customer_id))


@_translated
def update_customer(customer_id: str, *, email: str, name: str) -> StripeJson:
    return _json(_client().customers.update(customer_id, {"email": email, "name": name}))


@_translated
def list_subscriptions(customer_id: str, *, with_methods: bool = False) -> list[StripeJson]:
    """Return all of the customer's subscriptions, ended ones included, to the last page.

    `with_methods`: those that have a payment method of their own carry it in full.
    """
    params: StripeJson = {"customer": customer_id, "status": "all", "limit": PAGE_SIZE}
    if with_methods:
        params["expand"] = ["data.default_payment_method"]
    return list(_all(_client().subscriptions.list(params)))


@_translated
def list_open_invoices(customer_id: str) -> list[StripeJson]:
    params = {"customer": customer_id, "status": "open", "limit": PAGE_SIZE}
    return list(_all(_client().invoices.list(params)))


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first."""

    objects: list[StripeJson]
    has_more: bool


def _page(answer: Any) -> Page:
    return Page([_json(each) for each in answer.data], bool(answer.has_more))


def _of_page(after: str | None, **params: Any) -> StripeJson:
    return params | {"limit": PAGE_SIZE} | ({"starting_after": after} if after else {})


def _by_clock() -> StripeJson:
    # Those who live by a test clock are in no list but its own.
    return {"test_clock": settings.STRIPE_TEST_CLOCK} if settings.STRIPE_TEST_CLOCK else {}


@_translated
def customers_page(after: str | None) -> Page:
    """Return a page of all customers but deleted ones, each with its unended subscriptions."""
    params = _of_page(after, expand=["data.subscriptions"], **_by_clock())
    return _page(_client().customers.list(params))


@_translated
def ended_subscriptions_page(after: str | None) -> Page:
    params = _of_page(after, status="ended", **_by_clock())
    return _page(_client().subscriptions.list(params))


@_translated
def open_invoices_page(after: str | None) -> Page:
    return _page(_client().invoices.list(_of_page(after, status="open")))


@_translated
def events_page(after: str | None, *, since: datetime, types: list[str]) -> Page:
    """Return a page of the events of these types since a moment. Stripe keeps them for 30 days."""
    created = {"gte": int(since.timestamp())}
    return _page(_client().events.list(_of_page(after, created=created, types=types)))


@_translated
def find_known_customer(customer_id: str) -> StripeJson | None:
    """Return the customer; None when Stripe has none of this id, not even a deleted one."""
    return _or_none(lambda: _client().customers.retrieve(customer_id))


@_translated
def list_recent_invoices(customer_id: str) -> tuple[list[StripeJson], bool]:
    """Return the customer's newest invoices, whatever became of them, and whether there are
    more."""
    page = _client().invoices.list({"customer": customer_id, "limit": RECENT_INVOICES})
    return [_json(invoice) for invoice in page.data], bool(page.has_more)


@_translated
def needs_confirmation(invoice_id: str) -> bool:
    """Say whether a payment of the invoice waits for the payer to confirm it (3-D Secure)."""
    expand = ["payments.data.payment.payment_intent"]
    invoice = _or_none(lambda: _client().invoices.retrieve(invoice_id, {"expand": expand}))
    payments = (((invoice or {}).get("payments") or {}).get("data")) or []
    intents = [(each.get("payment") or {}).get("payment_intent") for each in payments]
    return any(
        isinstance(each, dict) and each.get("status") == "requires_action" for each in intents
    )


@_translated
def retrieve_payment_method(method_id: str) -> StripeJson | None:
    """Return the payment method; None when Stripe has none of this id."""
    return _or_none(lambda: _client().payment_methods.retrieve(method_id))


@_translated
def retrieve_price(price_id: str) -> StripeJson:
    """Return the price, with its product in full."""
    return _json(_client().prices.retrieve(price_id, {"expand": ["product"]}))


@_translated
def find_price(price_id: str) -> StripeJson | None:
    """Return the price, with its product in full; None when Stripe has none of this id."""
    return _or_none(lambda: _client().prices.retrieve(price_id, {"expand": ["product"]}))


@_translated
def retrieve_subscription(subscription_id: str) -> StripeJson | None:
    """Return the subscription; None when Stripe has none of this id."""
    return _or_none(lambda: _client().subscriptions.retrieve(subscription_id))


@_translated
def retrieve_invoice(invoice_id: str) -> StripeJson | None:
    """Return the invoice; None when Stripe has none of this id."""
    return _or_none(lambda: _client().invoices.retrieve(invoice_id))


@_translated
def cancel_subscription(subscription_id: str) -> StripeJson | None:
    """End it now and return it; None when Stripe has none that lives.

    By Stripe's defaults, nothing is invoiced for it any more and nothing is paid back.
    """
    return _or_none(lambda: _client().subscriptions.cancel(subscription_id))


@_translated
def schedule_end(subscription_id: str) -> None:
    """Have a subscription end with the period that is paid."""
    _client().subscriptions.update(subscription_id, {"cancel_at_period_end": True})


@_translated
def take_end_back(subscription: StripeJson) -> None:
    """Have a subscription that was to end go on. Flexible billing keeps the end as a moment, the
    older way as a flag; Stripe refuses to be told of both."""
    change: StripeJson = {"cancel_at": ""}
    if subscription.get("cancel_at_period_end"):
        change = {"cancel_at_period_end": False}
    _client().subscriptions.update(subscription["id"], change)


@_translated
def preview_change(
    *, subscription_id: str, customer_id: str, items: list[StripeJson]
) -> StripeJson:
    """Return the invoice that a change of a subscription's items would make today."""
    details = {"items": items, "proration_behavior": "always_invoice"}
    params = {
        "customer": customer_id,
        "subscription": subscription_id,
        "subscription_details": details,
    }
    return _json(_client().invoices.create_preview(params))


def _or_none(call: Callable[[], Any]) -> StripeJson | None:
    try:
        return _json(call())
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return None
        raise


@_translated
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
        return _json(_client().checkout.sessions.create(params))
    except stripe.InvalidRequestError as error:
        if (error.param or "").startswith("line_items"):
            raise PriceNotSold from error
        raise


@_translated
def list_open_checkouts(customer_id: str) -> list[StripeJson]:
    params = {"customer": customer_id, "status": "open", "limit": PAGE_SIZE}
    return list(_all(_client().checkout.sessions.list(params)))


@_translated
def expire_checkout(session_id: str) -> bool:
    """Close an open checkout, so that nobody can pay it; say whether it was still open."""
    try:
        _client().checkout.sessions.expire(session_id)
    except stripe.InvalidRequestError:
        return False
    return True


@_translated
def create_portal(
    *, customer_id: str, return_url: str, flow: StripeJson | None = None
) -> StripeJson:
    """Open a session of Stripe's portal; with `flow`, on the page for one errand alone."""
    params: StripeJson = {"customer": customer_id, "return_url": return_url}
    if configuration := _portal_configuration():
        params["configuration"] = configuration["id"]
    if flow:
        params["flow_data"] = flow
    return _json(_client().billing_portal.sessions.create(params))


def portal_settings(prices: dict[str, list[str]]) -> StripeJson:
    """Return how our portal is set up: card, invoices, cancelling, and changing between these
    prices, which are those of each product."""
    products = [{"product": product, "prices": theirs} for product, theirs in prices.items()]
    features = {
        "customer_update": {"enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": products,
        },
    }
    # Stripe does not show the products again, so what was sent is compared by its digest.
    digest = hashlib.sha256(json.dumps(features, sort_keys=True).encode()).hexdigest()
    return {"features": features, "metadata": {**PORTAL_MARK, "digest": digest}}


@_translated
def find_portal_configuration() -> StripeJson | None:
    """Return the configuration that we made, if there is one."""
    return _portal_configuration()


@_translated
def save_portal_configuration(settings: StripeJson) -> None:
    """Have our portal be set up like this."""
    configurations = _client().billing_portal.configurations
    if found := _portal_configuration():
        configurations.update(found["id"], settings)
    else:
        configurations.create(settings)


def _portal_configuration() -> StripeJson | None:
    listed = _client().billing_portal.configurations.list({"active": True, "limit": PAGE_SIZE})
    ours = (each for each in _all(listed) if PORTAL_MARK.items() <= each["metadata"].items())
    return next(ours, None)


@_translated
def list_products(product_ids: list[str]) -> list[StripeJson]:
    return list(_all(_client().products.list({"ids": product_ids, "limit": PAGE_SIZE})))


@_translated
def create_product(*, product_id: str, name: str) -> None:
    _client().products.create({"id": product_id, "name": name})


@_translated
def update_product(product_id: str, *, name: str) -> None:
    """Name the product, and offer it if it was archived."""
    _client().products.update(product_id, {"name": name, "active": True})


@_translated
def list_prices(product_id: str) -> list[StripeJson]:
    """Return all prices of a product, archived ones included, each with the product in full."""
    params = {"product": product_id, "limit": PAGE_SIZE, "expand": ["data.product"]}
    return list(_all(_client().prices.list(params)))


@_translated
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
    return _json(_client().prices.create(params))


@_translated
def update_price(price_id: str, *, is_active: bool) -> StripeJson:
    """Offer a price, or archive it; whoever pays it goes on to. Returns it with its product."""
    params = {"active": is_active, "expand": ["product"]}
    return _json(_client().prices.update(price_id, params))


@_translated
def list_webhook_endpoints() -> list[StripeJson]:
    return list(_all(_client().webhook_endpoints.list({"limit": PAGE_SIZE})))


@_translated
def create_webhook_endpoint(*, url: str, events: list[str]) -> StripeJson:
    """Create the endpoint; its signing secret is in this answer and in no later one."""
    params = {"url": url, "enabled_events": events, "api_version": settings.STRIPE_API_VERSION}
    return _json(_client().webhook_endpoints.create(params))


@_translated
def update_webhook_endpoint(endpoint_id: str, *, events: list[str]) -> StripeJson:
    """Have it get these events, and be on."""
    params = {"enabled_events": events, "disabled": False}
    return _json(_client().webhook_endpoints.update(endpoint_id, params))


@_translated
def delete_webhook_endpoint(endpoint_id: str) -> None:
    _client().webhook_endpoints.delete(endpoint_id)


def verify_signature(*, body: bytes, header: str, secret: str, tolerance: int) -> None:
    """Return when Stripe signed this body with the secret within `tolerance` seconds.

    Raises BadSignature otherwise. An empty secret verifies nothing.
    """
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise BadSignature from error


@_translated
def test_clock_time(clock_id: str) -> datetime:
    """Return the time that it is for the customers of a test clock."""
    clock = _client().test_helpers.test_clocks.retrieve(clock_id)
    return datetime.fromtimestamp(clock.frozen_time, UTC)


@_translated
def advance_test_clock(clock_id: str, *, by: timedelta) -> None:
    """Move a test clock ahead and wait until Stripe has played what happens until then."""
    clocks = _client().test_helpers.test_clocks
    target = clocks.retrieve(clock_id).frozen_time + int(by.total_seconds())
    clocks.advance(clock_id, {"frozen_time": target})
    for _attempt in range(CLOCK_ATTEMPTS):
        if clocks.retrieve(clock_id).status == "ready":
            return
        time.sleep(1)
    raise BillingUnavailable("The test clock is still advancing")
