"""Writes what Stripe said into dj-stripe's tables, and calls nobody.

dj-stripe's own `sync_from_stripe_data` follows each reference with a request of its own, inside
the caller's transaction; these functions write what was fetched before, and only that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from djstripe.models import Customer, Event, Invoice, Price, Product, Subscription, WebhookEndpoint

from accounts.encryption import decrypt, encrypt, is_current
from billing.standing import NEVER_STARTED, OVER

StripeJson = dict[str, Any]


def write_customer(data: StripeJson) -> None:
    data = _storable(data)
    if data.get("deleted"):
        # What is left of it; the row and its history stay.
        Customer.objects.filter(id=data["id"]).update(stripe_data=data)
        return
    Customer.objects.update_or_create(
        id=data["id"], defaults=_common(data) | {"email": data.get("email") or ""}
    )


def write_subscriptions(customer_id: str, subscriptions: Iterable[StripeJson]) -> None:
    _write(Subscription, customer_id, subscriptions)


def write_invoices(customer_id: str, invoices: Iterable[StripeJson]) -> None:
    _write(Invoice, customer_id, invoices)


def _write(model: Any, customer_id: str, objects: Iterable[StripeJson]) -> None:
    """Write those of a customer's objects that are new or have changed."""
    told = {data["id"]: data for data in map(_storable, objects)}
    rows = model.objects.filter(id__in=told, customer_id=customer_id)
    known = dict(rows.values_list("id", "stripe_data"))
    for id, data in told.items():
        if known.get(id) != data:
            model.objects.update_or_create(
                id=id, defaults=_common(data) | {"customer_id": customer_id}
            )


def unended_subscriptions(customer_id: str) -> set[str]:
    """Return the ids of the customer's subscriptions that, for all we know, have not ended."""
    rows = Subscription.objects.filter(customer_id=customer_id)
    return set(rows.exclude(stripe_data__status__in=sorted(OVER)).values_list("id", flat=True))


def had_subscription(customer_id: str) -> bool:
    """Say whether any subscription of the customer ever began."""
    rows = Subscription.objects.filter(customer_id=customer_id)
    return bool(rows.exclude(stripe_data__status__in=sorted(NEVER_STARTED)).exists())


def open_invoices(customer_id: str) -> set[str]:
    """Return the ids of the customer's invoices that, for all we know, are open."""
    rows = Invoice.objects.filter(customer_id=customer_id, stripe_data__status="open")
    return set(rows.values_list("id", flat=True))


def kept_of(
    customer_ids: Iterable[str],
) -> tuple[dict[str, dict[str, StripeJson]], dict[str, set[str]]]:
    """Return, by customer, the subscriptions that have not ended and the ids of open invoices."""
    subscriptions: dict[str, dict[str, StripeJson]] = {id: {} for id in customer_ids}
    invoices: dict[str, set[str]] = {id: set() for id in subscriptions}
    rows = Subscription.objects.filter(customer_id__in=subscriptions)
    unended = rows.exclude(stripe_data__status__in=sorted(OVER))
    for customer_id, data in unended.values_list("customer_id", "stripe_data"):
        subscriptions[customer_id][data["id"]] = data
    theirs = Invoice.objects.filter(customer_id__in=invoices, stripe_data__status="open")
    for customer_id, id in theirs.values_list("customer_id", "id"):
        invoices[customer_id].add(id)
    return subscriptions, invoices


def forget(*, subscriptions: Iterable[str], invoices: Iterable[str]) -> None:
    """Remove what Stripe no longer has."""
    Subscription.objects.filter(id__in=subscriptions).delete()
    Invoice.objects.filter(id__in=invoices).delete()


def is_deleted(customer_id: str) -> bool:
    """Say whether Stripe told us that it deleted the customer."""
    return bool(Customer.objects.filter(id=customer_id, stripe_data__deleted=True).exists())


def write_price(data: StripeJson) -> None:
    """Write a price that carries its product in full."""
    data = _storable(data)
    product = data["product"]
    Product.objects.update_or_create(
        id=product["id"],
        defaults=_common(product) | {"name": product["name"], "active": product["active"]},
    )
    Price.objects.update_or_create(
        id=data["id"],
        defaults=_common(data)
        | {
            "product_id": product["id"],
            "active": data["active"],
            "currency": data["currency"],
            "nickname": data.get("nickname") or "",
            "lookup_key": data.get("lookup_key"),
        },
    )


def missing_prices(price_ids: Iterable[str]) -> set[str]:
    """Return those that the mirror lacks."""
    wanted = set(price_ids)
    return wanted - set(Price.objects.filter(id__in=wanted).values_list("id", flat=True))


def write_webhook_endpoint(data: StripeJson, identifier: UUID) -> None:
    """Write an endpoint as Stripe answered its creation, the one time it tells the secret."""
    secret = data["secret"]
    told = {key: value for key, value in data.items() if key != "secret"}
    WebhookEndpoint.objects.create(
        id=data["id"],
        djstripe_uuid=identifier,
        url=data["url"],
        secret=encrypt(secret),
        api_version=data.get("api_version") or "",
        enabled_events=data["enabled_events"],
        status=data["status"],
        **_common(told),
    )


def endpoints_not_encrypted() -> list[WebhookEndpoint]:
    """Those whose secret is not encrypted with the present key."""
    rows = WebhookEndpoint.objects.exclude(secret="").only("id", "secret")
    return [each for each in rows if not is_current(each.secret)]


def encrypt_webhook_secret(endpoint: WebhookEndpoint) -> None:
    """Encrypt it with the present key; leave what somebody wrote meanwhile. Raises Unreadable."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk, secret=endpoint.secret)
    rows.update(secret=encrypt(decrypt(endpoint.secret)))


def store_event(data: StripeJson) -> None:
    """Store an event once, by its id; one that is there already stays as it is."""
    # Looking through the text is ten times faster than through the objects, and next to no
    # event has one.
    if r"\u0000" in json.dumps(data):
        data = _storable(data)
    # Events of older API versions name the request by its id alone.
    request = data["request"] if isinstance(data.get("request"), dict) else {}
    row = Event(
        id=data["id"],
        api_version=data.get("api_version") or "",
        data=data.get("data") or {},
        request_id=request.get("id") or "",
        idempotency_key=request.get("idempotency_key") or "",
        type=data["type"],
        **_common(data),
    )
    Event.objects.bulk_create([row], ignore_conflicts=True)


def _storable(value: Any) -> Any:
    """Return the JSON value without NUL characters, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _common(data: StripeJson) -> StripeJson:
    # Thin events (v2) write their time as text.
    created = data.get("created")
    return {
        "stripe_data": data,
        "livemode": data.get("livemode"),
        "metadata": data.get("metadata"),
        "created": datetime.fromtimestamp(created, UTC) if isinstance(created, int) else None,
    }
