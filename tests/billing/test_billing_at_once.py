"""What happens at the same moment: syncs, deliveries, clicks."""

from __future__ import annotations

import json
import uuid

import pytest
import stripe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Event, WebhookEndpoint
from pytest_django import Settings

from billing import services
from billing.models import Standing, Status
from billing.services import Outcome
from tests.cast import Cast, OrganizationFactory
from tests.payer import Payer
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_syncs_at_once_make_one_customer(payer: Payer, settings: Settings) -> None:
    # Nobody syncs it when it is founded.
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    team = OrganizationFactory.create()
    there = len(payer.customers())
    seen = len(payer.sandbox.requests())
    payer.sandbox.weather([{"path": "/v1/customers", "method": "POST", "delay_ms": 500}])
    results = together(*[lambda: services.sync_organization(team) for _ in range(4)])
    assert Outcome.SYNCED in results
    assert all(isinstance(each, Outcome) for each in results)
    asked = [(call["method"], call["path"]) for call in payer.sandbox.requests()[seen:]]
    assert asked.count(("POST", "/v1/customers")) == 1
    assert len(payer.customers()) == there + 1
    standing = Standing.objects.get(organization=team)
    assert standing.sync_requested_at is None
    assert standing.lease_until is None


def test_a_change_during_a_sync_is_seen_by_that_sync(payer: Payer, cast: Cast) -> None:
    """The mark moves while the holder of the lease asks; it asks again before it rests."""
    payer.sync()
    payer.sandbox.weather([{"path": "/v1/invoices", "delay_ms": 500, "times": 1}])

    seen = len(payer.sandbox.requests())

    def change_and_mark() -> None:
        payer.wait_for_call("GET", "/v1/subscriptions", after=seen)
        payer.subscribe_at_stripe()
        services.request_sync(organization_ids=[cast.acme.pk], now=timezone.now())

    together(lambda: services.sync_organization(cast.acme), change_and_mark)
    standing = Standing.objects.get(organization=cast.acme)
    assert standing.status == Status.CURRENT
    assert standing.sync_requested_at is None


def test_a_sync_that_outlived_its_lease_writes_nothing(payer: Payer, cast: Cast) -> None:
    """A slow old answer of `free`, written after the newer `active`, would lock a payer out."""
    payer.sync()
    payer.sandbox.weather([{"path": "/v1/invoices", "delay_ms": 1500, "times": 1}])

    seen = len(payer.sandbox.requests())

    def overtake() -> Outcome:
        payer.wait_for_call("GET", "/v1/subscriptions", after=seen)
        payer.subscribe_at_stripe()
        Standing.objects.update(lease_until=timezone.now())
        return services.sync_organization(cast.acme)

    slow, quick = together(lambda: services.sync_organization(cast.acme), overtake)
    assert (slow, quick) == (Outcome.OVERTAKEN, Outcome.SYNCED)
    assert Standing.objects.get(organization=cast.acme).status == Status.CURRENT


def test_one_event_delivered_eight_times_at_once_is_stored_once(transactional_db: None) -> None:
    endpoint = WebhookEndpoint.objects.create(
        id="we_1",
        djstripe_uuid=uuid.uuid4(),
        secret="whsec_x",
        enabled_events=["*"],
        url="https://x",
    )
    body = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.paid", "data": {}})
    header = stripe.WebhookSignature.generate_signature_header(body, "whsec_x")

    def deliver() -> int:
        return (
            Client()
            .post(
                reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid]),
                data=body,
                content_type="application/json",
                headers={"stripe-signature": header},
            )
            .status_code
        )

    assert together(*[deliver] * 8) == [200] * 8
    assert Event.objects.count() == 1
