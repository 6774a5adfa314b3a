"""The fifteen cases that billing at Stripe must survive, each over HTTP against the sandbox.

Each ends with what a person notices, and with rows here that say what Stripe says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
import requests
import stripe
from django.core.management import call_command
from django.urls import reverse
from djstripe.models import Subscription, WebhookEndpoint
from pytest_django import Settings

from accounts.encryption import decrypt
from accounts.models import User
from billing import gateway
from billing.models import Standing
from orgs import clock
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory, add_member, signed_in
from tests.payer import Payer

GOOD, FAILS_LATER = "4242424242424242", "4000000000000341"


@dataclass(frozen=True)
class Team:
    """An organization at Stripe, and two of its people."""

    payer: Payer
    owner: User
    member: User

    @property
    def organization(self) -> Organization:
        """The organization as it is now."""
        rows = Organization.objects.select_related("tier", "owner")
        return rows.get(pk=self.payer.organization.pk)

    @property
    def standing(self) -> Standing:
        return Standing.objects.get(organization=self.payer.organization.pk)

    @property
    def customer(self) -> str:
        """The id of its customer at Stripe."""
        customer = self.organization.stripe_customer_id
        assert customer is not None
        return customer

    def assert_open(self, tier: str) -> None:
        """Both get in, and have this tier."""
        assert sees(self.member)[0] == 200
        assert sees(self.owner)[0] == 200
        assert not self.organization.is_locked(clock.now())
        assert self.organization.tier_at(clock.now()).key == tier

    def assert_locked(self, *, banner: str = "Your organization is past due") -> None:
        """The member is refused and told whom to contact; the owner gets in under this banner."""
        status, text = sees(self.member)
        assert status == 403
        assert f"Contact {self.owner.get_full_name()}" in text
        status, text = sees(self.owner)
        assert (status, banner in text) == (200, True)
        assert self.organization.is_locked(clock.now())
        assert self.organization.tier_at(clock.now()).key == "free"

    def assert_in_step(self) -> None:
        """The mirror is what Stripe says, every row agrees with it, and nothing is left to do."""
        ours = Subscription.objects.filter(customer_id=self.customer)
        theirs = gateway.list_subscriptions(self.customer)
        assert {each.id: each.stripe_data for each in ours} == {each["id"]: each for each in theirs}
        assert not Standing.objects.marked().exists()
        call_command("check_invariants")


def acme(payer: Payer, cast: Cast) -> Team:
    return Team(payer, cast.alice, cast.bob)


def found_team(payer: Payer, settings: Settings) -> Team:
    """Found an organization whose customer lives by a test clock that shows the present."""
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    organization = OrganizationFactory.create()
    member = add_member(organization)
    return Team(Payer(payer.sandbox, organization), organization.owner, member)


def sees(person: User, page: str = "home") -> tuple[int, str]:
    """Return the status and the text of what this person's open session is answered."""
    answer = signed_in(person).get(reverse(page))
    return answer.status_code, unescape(answer.content.decode())


def arrive(payer: Payer) -> None:
    """Wait until the events have arrived, and what they woke is done."""
    assert payer.sandbox.flush()["flushed"]


def deliver(body: str, **headers: str) -> int:
    """Post a signed body to the endpoint as Stripe does, and return the status of the answer."""
    endpoint = WebhookEndpoint.objects.get()
    sign = stripe.WebhookSignature.generate_signature_header
    headers = {"Stripe-Signature": sign(body, decrypt(endpoint.secret)), **headers}
    return requests.post(endpoint.url, body.encode(), headers=headers, timeout=20).status_code


def reword(monkeypatch: pytest.MonkeyPatch, pattern: bytes, said: bytes) -> None:
    """Have Stripe's answers say this wherever they fit the pattern: what no sandbox knows of."""
    request = requests.Session.request

    def answer(*args: Any, **kwargs: Any) -> requests.Response:
        response = request(*args, **kwargs)
        response._content = re.sub(pattern, said, response.content)
        return response

    monkeypatch.setattr(requests.Session, "request", answer)
