"""What the webhook benchmark measures on: a database, organizations that pay, their events."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from djstripe.models import WebhookEndpoint

from accounts import services as accounts
from accounts.encryption import decrypt
from bench.databases import make_tables
from billing import services as billing
from billing.models import Standing, TierPrice
from billing.services.setup_endpoint import EVENTS
from orgs import services as orgs
from orgs.models import Organization

DELAY_MS = 300
# For this one dj-stripe asks for a customer's `sources`, which the stand-in does not have.
POSTED = [each for each in EVENTS if each != "customer.updated"]
# Longer than anything takes: whoever waits this long waits for ever.
PATIENCE = 120.0
TRIAL = {
    "trial_period_days": 14,
    "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
}

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float

    @property
    def is_acknowledgement(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Payer:
    """An organization with a subscription, and the events that Stripe has of it."""

    organization: Organization
    subscription_id: str
    events: list[dict[str, Any]] = field(default_factory=list)


class World:
    """One database and Stripe's stand-in, filled; and what can be done to both."""

    def __init__(self) -> None:
        self.stripe: Any = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            stripe_version=settings.STRIPE_API_VERSION,
            base_addresses={"api": settings.STRIPE_API_HOST},
        ).v1
        make_tables()
        billing.set_up_stripe(base_url="http://127.0.0.1:1")
        self.endpoint = WebhookEndpoint.objects.get()
        # We post its events ourselves.
        self.stripe.webhook_endpoints.delete(self.endpoint.id)

    @property
    def path(self) -> str:
        return f"/stripe/webhook/{self.endpoint.djstripe_uuid}/"

    def add_payer(self, name: str, *, on_trial: bool = False) -> Payer:
        """Found an organization and subscribe it at Stripe, by card or on a trial without one."""
        owner = accounts.create_person(email=f"{name}@example.com", password=None)
        organization = orgs.found_organization(name=name, owner=owner)
        self._sync(organization)
        customer = organization.stripe_customer_id
        assert customer is not None
        price = TierPrice.objects.get(tier__key="pro", interval="month").stripe_price_id
        terms: dict[str, Any] = TRIAL
        if not on_trial:
            card = self.stripe.payment_methods.attach("pm_card_visa", {"customer": customer})
            terms = {"default_payment_method": card.id}
        created = self.stripe.subscriptions.create(
            {"customer": customer, "items": [{"price": price}], **terms}
        )
        self._sync(organization)
        return Payer(organization, created.id, self._events_of(customer))

    def _sync(self, organization: Organization) -> None:
        billing.sync_now(organization=organization, patience=timedelta(seconds=PATIENCE))
        organization.refresh_from_db()

    def _events_of(self, customer_id: str) -> list[dict[str, Any]]:
        """Return what Stripe would post of this customer, oldest first."""
        listed = self.stripe.events.list({"types": POSTED, "limit": 100})
        events = [event.to_dict(for_json=True) for event in listed.auto_paging_iter()]
        return [event for event in reversed(events) if _customer_id(event) == customer_id]

    def end_trial(self, payer: Payer) -> dict[str, Any]:
        """End a trial without a card, which pauses the subscription; return Stripe's event."""
        self.stripe.subscriptions.update(payer.subscription_id, {"trial_end": "now"})
        listed = self.stripe.events.list({"type": "customer.subscription.paused", "limit": 1})
        event: dict[str, Any] = listed.data[0].to_dict(for_json=True)
        return event

    def post(self, url: str, event: dict[str, Any]) -> Answer:
        """Post an event under a new id, as nobody handles one twice; time the answer."""
        body, headers = self.signed(event)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        began = perf_counter()
        try:
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            response.read()
            return Answer(response.status, perf_counter() - began)
        finally:
            connection.close()

    def signed(self, event: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Return the body and the headers of a delivery of this event."""
        body = json.dumps(event | {"id": f"evt_{uuid.uuid4().hex}"})
        secret = decrypt(self.endpoint.secret)
        signature = stripe.WebhookSignature.generate_signature_header(body, secret)
        return body, {"Content-Type": "application/json", "Stripe-Signature": signature}

    def set_delay(self, milliseconds: int) -> None:
        """Have Stripe answer each call after so long."""
        self._control("weather", {"rules": [{"path": "/v1/*", "delay_ms": milliseconds}]})

    def calls(self) -> int:
        """Count the calls that Stripe has got so far."""
        return len(self._control("requests")["requests"])

    def _control(self, name: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{settings.STRIPE_API_HOST}/_sandbox/{name}", data)
        with opener.open(request, timeout=PATIENCE) as response:
            return json.load(response)


def wait_until_synced() -> None:
    """Wait until no organization is marked; a mark stays until its sync is done."""
    wait_for(lambda: not Standing.objects.marked().exists())


def wait_for(is_so: Callable[[], bool]) -> float:
    """Return how many seconds it took until it was so. Raises TimeoutError."""
    began = perf_counter()
    while not is_so():
        if perf_counter() - began > PATIENCE:
            raise TimeoutError(f"It is not so after {PATIENCE:g} s")
        time.sleep(0.005)
    return perf_counter() - began


def _customer_id(event: dict[str, Any]) -> str | None:
    subject = event["data"]["object"]
    customer: str | None = (
        subject["id"] if subject["object"] == "customer" else subject.get("customer")
    )
    return customer
