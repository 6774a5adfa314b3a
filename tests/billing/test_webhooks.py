"""Stripe's way in: verify, store once, mark, answer; and nothing else."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import stripe
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from djstripe.models import Customer, Event, WebhookEndpoint
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.encryption import Unreadable
from billing.models import Standing
from orgs.models import Organization
from tests.cast import Cast

SECRET = "whsec_test"


@pytest.fixture
def endpoint(db: None) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        id="we_1", djstripe_uuid=uuid.uuid4(), secret=SECRET, enabled_events=["*"], url="https://x"
    )


@pytest.fixture
def customer(cast: Cast) -> str:
    """Acme, synced: linked to a customer and not marked."""
    Customer.objects.create(id="cus_acme")
    Organization.objects.filter(pk=cast.acme.pk).update(stripe_customer="cus_acme")
    Standing.objects.update(sync_requested_at=None)
    return "cus_acme"


def event(**fields: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.payment_failed",
        "api_version": "2026-05-27.dahlia",
        "created": 1_780_000_000,
        "livemode": False,
        "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_acme"}},
        "request": {"id": None, "idempotency_key": None},
    } | fields


def signature(body: bytes, secret: str = SECRET, timestamp: int | None = None) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp
    )
    return header


def post(endpoint: WebhookEndpoint, body: Any, **headers: str) -> Any:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if "stripe-signature" not in headers:
        headers["stripe-signature"] = signature(body)
    return Client().post(
        reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid]),
        data=body,
        content_type="application/json",
        headers=headers,
    )


def is_marked(cast: Cast) -> bool:
    return Standing.objects.get(organization=cast.acme).sync_requested_at is not None


def test_an_event_is_stored_and_marks_its_organization(
    endpoint: WebhookEndpoint, customer: str, cast: Cast
) -> None:
    assert post(endpoint, event()).status_code == 200
    assert Event.objects.get().type == "invoice.payment_failed"
    assert is_marked(cast)


def test_an_event_delivered_again_is_stored_once(endpoint: WebhookEndpoint, customer: str) -> None:
    for _ in range(3):
        assert post(endpoint, event()).status_code == 200
    assert Event.objects.count() == 1


def test_an_acknowledgement_costs_a_constant_number_of_statements(
    endpoint: WebhookEndpoint, customer: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Endpoint; savepoint, event, mark, who is at it, release. The network is closed in tests, so a
    # call to Stripe would fail.
    with django_assert_num_queries(6):
        post(endpoint, event())


def test_a_secret_is_taken_readable_or_encrypted(endpoint: WebhookEndpoint, customer: str) -> None:
    """One of before there was a key to encrypt it, or written by hand, still verifies."""
    assert post(endpoint, event(id="evt_1")).status_code == 200
    call_command("encrypt_secrets", stdout=StringIO())
    assert SECRET not in WebhookEndpoint.objects.get().secret
    assert post(endpoint, event(id="evt_2")).status_code == 200
    assert Event.objects.count() == 2


def test_without_the_key_of_a_secret_stripe_is_left_to_repeat_its_events(
    endpoint: WebhookEndpoint, customer: str, settings: Settings
) -> None:
    call_command("encrypt_secrets", stdout=StringIO())
    former, settings.ENCRYPTION_KEY = settings.ENCRYPTION_KEY, "another"
    with pytest.raises(Unreadable, match="ENCRYPTION_KEY_FALLBACKS"):
        post(endpoint, event())
    assert not Event.objects.exists()
    settings.ENCRYPTION_KEY_FALLBACKS = [former]
    assert post(endpoint, event()).status_code == 200


@pytest.mark.parametrize(
    "subject",
    [
        {"object": "invoice", "customer": {"id": "cus_acme"}},
        {"object": "customer", "id": "cus_acme"},
        {"object": "subscription", "customer": "cus_acme", "metadata": {"note": "a\x00b"}},
    ],
)
def test_the_customer_is_found_wherever_it_stands(
    endpoint: WebhookEndpoint, customer: str, cast: Cast, subject: dict[str, Any]
) -> None:
    assert post(endpoint, event(data={"object": subject})).status_code == 200
    assert is_marked(cast)


@pytest.mark.parametrize(
    "strange",
    [
        {"data": {"object": {"object": "invoice", "customer": "cus_of_another_environment"}}},
        {"data": {"object": {"object": "customer", "id": None}}},
        {"data": {"object": {"object": "balance"}}},
        {"data": None},
        {
            "object": "v2.core.event",
            "type": "v2.core.event_destination.ping",
            "created": "2026-06-15T12:00:00.000Z",
            "data": None,
        },
        {"request": "req_of_an_old_api_version", "api_version": "2016-07-06"},
        {"api_version": None, "request": None, "created": None},
        {"data": {"object": {"customer": "cus_other", "metadata": {"djstripe_subscriber": "1"}}}},
    ],
)
def test_what_concerns_nobody_is_acknowledged_and_changes_nothing(
    endpoint: WebhookEndpoint, customer: str, cast: Cast, strange: dict[str, Any]
) -> None:
    payload = event(data={"object": {}}) | strange
    assert post(endpoint, payload).status_code == 200
    assert Event.objects.count() == 1
    assert not is_marked(cast)
    cast.acme.refresh_from_db()
    assert cast.acme.stripe_customer_id == "cus_acme"


@pytest.mark.parametrize(
    "sign",
    [
        lambda body: signature(b"{}"),
        lambda body: signature(body, "whsec_other"),
        lambda body: signature(body, timestamp=int(time.time()) - 3600),
        lambda body: "t=1,v1=",
        lambda body: "nonsense",
    ],
    ids=["another body", "another secret", "an hour old", "empty", "nonsense"],
)
def test_a_wrong_signature_is_refused_and_stores_nothing(
    endpoint: WebhookEndpoint, sign: Callable[[bytes], str]
) -> None:
    body = json.dumps(event()).encode()
    assert post(endpoint, body, **{"stripe-signature": sign(body)}).status_code == 400
    assert not Event.objects.exists()


def test_a_missing_signature_is_refused(endpoint: WebhookEndpoint) -> None:
    assert post(endpoint, event(), **{"stripe-signature": ""}).status_code == 400
    assert not Event.objects.exists()


def test_no_header_replaces_the_secret(endpoint: WebhookEndpoint, settings: Any) -> None:
    settings.DEBUG = True
    forged = json.dumps(event()).encode()
    headers = {
        "stripe-signature": signature(forged, "whsec_mine"),
        "x-djstripe-webhook-secret": "whsec_mine",
    }
    assert post(endpoint, forged, **headers).status_code == 400
    assert not Event.objects.exists()


def test_an_endpoint_without_a_secret_verifies_nothing(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.update(secret="")
    body = json.dumps(event()).encode()
    assert post(endpoint, body, **{"stripe-signature": signature(body, "")}).status_code == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"null", b"{}", b'{"id": 1, "type": 2}', b'{"id": "", "type": "x"}'],
)
def test_a_signed_body_that_is_no_event_is_refused(endpoint: WebhookEndpoint, body: bytes) -> None:
    assert post(endpoint, body).status_code == 400
    assert not Event.objects.exists()


def test_a_body_that_is_not_text_is_refused(endpoint: WebhookEndpoint) -> None:
    assert post(endpoint, b"\xff\xfe", **{"stripe-signature": "t=1,v1=0"}).status_code == 400


def test_an_unknown_endpoint_is_not_found(endpoint: WebhookEndpoint) -> None:
    endpoint.djstripe_uuid = uuid.uuid4()
    assert post(endpoint, event()).status_code == 404
    assert not Event.objects.exists()


def test_an_oversized_body_is_refused_unread(endpoint: WebhookEndpoint) -> None:
    assert post(endpoint, event(padding="x" * 1_000_001)).status_code == 413
    assert not Event.objects.exists()


def test_only_posts_are_taken(endpoint: WebhookEndpoint) -> None:
    url = reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid])
    assert Client().get(url).status_code == 405
