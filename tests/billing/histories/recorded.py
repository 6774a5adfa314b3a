"""Histories with a name, played at Stripe; and their events, delivered as the network pleases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from urllib.request import Request

import stripe
from django.conf import settings
from django.urls import reverse
from djstripe.models import Customer, Event, Invoice, Subscription, WebhookEndpoint

from accounts.encryption import decrypt
from billing import gateway, services
from billing.models import Standing, TierPrice
from billing.services.setup_endpoint import EVENTS
from orgs import clock
from orgs.models import Organization
from tests.billing.histories.desk import FAILS, GOOD, Desk
from tests.cast import OrganizationFactory
from tests.sandbox_process import opener

StripeEvent = dict[str, Any]


class Story:
    """A new organization, synced once; what happens to it at Stripe; and the events of that.

    Stripe delivers nothing by itself: the story does.
    """

    def __init__(self, url: str, endpoint: WebhookEndpoint) -> None:
        self.url = url + reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid])
        self.secret = decrypt(endpoint.secret)
        self._api = gateway.api()
        present = int(clock.now().timestamp())
        made = self._api.test_helpers.test_clocks.create({"frozen_time": present})
        settings.STRIPE_TEST_CLOCK = made.id
        self.organization = OrganizationFactory.create()
        services.sync_organization(self.organization)
        self.organization.refresh_from_db()
        self.customer = str(self.organization.stripe_customer_id)
        self.desk = Desk(self.customer)
        self._told = {each["id"] for each in self._listed()}
        self._before = self._rows()

    def advance(self, days: int) -> None:
        services.advance_test_clock(by=timedelta(days=days))

    def events(self) -> list[StripeEvent]:
        """Return those that our endpoint asks for and that were not returned before, oldest
        first."""
        new = [each for each in self._listed() if each["id"] not in self._told]
        self._told |= {each["id"] for each in new}
        return [each for each in reversed(new) if each["type"] in EVENTS]

    def _listed(self) -> list[StripeEvent]:
        events = self._api.events.list({"limit": 100}).auto_paging_iter()
        plain = (each.to_dict(for_json=True) for each in events)
        return [each for each in plain if self.customer in json.dumps(each)]

    def deliver(self, events: Iterable[StripeEvent]) -> None:
        """Post these one after the other, each signed as it goes."""
        for event in events:
            body = json.dumps(event)
            signed = stripe.WebhookSignature.generate_signature_header(body, self.secret)
            headers = {"Stripe-Signature": signed, "Content-Type": "application/json"}
            with opener.open(Request(self.url, body.encode(), headers), timeout=10) as answer:
                assert answer.status == 200

    def standing(self) -> tuple[str, str]:
        found = Standing.objects.get(organization=self.organization)
        return found.status, found.reason

    def forget(self) -> None:
        """Take the product back to where it was before anything happened at Stripe."""
        standing, organization, customer = self._before
        Standing.objects.filter(pk=standing["id"]).update(**standing)
        Organization.objects.filter(pk=organization["id"]).update(**organization)
        Customer.objects.filter(id=customer["id"]).update(**customer)
        for mirrored in (Subscription, Invoice, Event):
            mirrored.objects.all()._raw_delete("default")

    def _rows(self) -> tuple[Any, Any, Any]:
        key = self.organization.pk
        return (
            Standing.objects.filter(organization=key).values().get(),
            Organization.objects.filter(pk=key).values("id", "tier", "locked_from").get(),
            Customer.objects.filter(id=self.customer).values("id", "stripe_data").get(),
        )


def shuffled(
    events: list[StripeEvent], random: Random, *, last: str = "", lost: float = 0.25
) -> list[StripeEvent]:
    """Drop some, double some, and mix them; but one arrives at least.

    Those of the type `last` arrive, and after all others.
    """
    closing = [each for each in events if each["type"] == last]
    others = [each for each in events if each["type"] != last]
    arriving = [each for each in others if random.random() >= lost]
    arriving += [each for each in arriving if random.random() < 0.25]
    random.shuffle(arriving)
    return arriving + closing or [random.choice(events)]


@dataclass(frozen=True)
class Sequence:
    acts: list[Callable[[Story], object]]
    # The status and the reason that it ends in.
    end: tuple[str, str]
    dunning_end: str = "cancel"
    # The type of the events that arrive last, if that is the point of it.
    last: str = ""


def price(tier: str) -> str:
    return str(TierPrice.objects.get(tier__key=tier, interval="month").stripe_price_id)


def subscribe(story: Story) -> None:
    story.desk.subscribe(price("pro"))


def fail_renewal(story: Story) -> None:
    story.desk.use_card(FAILS)
    story.advance(32)


def recover(story: Story) -> None:
    story.desk.use_card(GOOD)
    story.desk.pay()


def month(story: Story) -> None:
    story.advance(32)


def end(story: Story) -> None:
    story.desk.end()


def end_later(story: Story) -> None:
    story.desk.end_later()


def upgrade(story: Story) -> None:
    story.desk.switch(price("business"))


def delete(story: Story) -> None:
    story.desk.delete()


PAID = ("current", "")
SEQUENCES = {
    "subscribe": Sequence([subscribe], PAID),
    "renew": Sequence([subscribe, month, month], PAID),
    "fail": Sequence([subscribe, fail_renewal], ("past_due", "payment_failed")),
    "fail and recover": Sequence([subscribe, fail_renewal, recover], PAID),
    "fail to unpaid": Sequence(
        [subscribe, fail_renewal, month], ("lapsed", "unpaid"), dunning_end="unpaid"
    ),
    "fail to the end": Sequence([subscribe, fail_renewal, month], ("lapsed", "payment_failed")),
    "cancel at the end": Sequence([subscribe, end_later, month], ("free", "")),
    "cancel and subscribe again": Sequence(
        [subscribe, end, subscribe], PAID, last="customer.subscription.deleted"
    ),
    "upgrade": Sequence([subscribe, upgrade, month], PAID),
    "customer deleted": Sequence([subscribe, delete], ("lapsed", "customer_deleted")),
}
