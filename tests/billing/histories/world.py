"""One organization, its people, Stripe and the weather between them: what can be done there.

Stripe delivers its events by itself, signed and over HTTP, at a running server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import stripe
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.db import connection, transaction
from djstripe.models import Customer, Event, Invoice, Subscription

from accounts.models import User, UserEventLog
from billing import gateway, services
from billing.gateway import BillingUnavailable
from billing.models import PayerMail, Standing, SyncAttempt, TierPrice
from billing.services import facts, leases, projection
from config.browser import Browser, FormNotFound
from orgs import clock
from orgs import services as services_of_orgs
from orgs.guards import installation
from orgs.models import ClockShift, Invitation, Organization, OwnershipTransfer, Tier
from tests.billing.histories.desk import Desk
from tests.billing.histories.stage import Stage
from tests.cast import make_cast

# What people are told, and what they then leave undone.
REFUSALS = (
    BillingUnavailable,
    FormNotFound,
    services.AlreadySubscribed,
    services.NotOffered,
    services.SamePlan,
    stripe.StripeError,
)
AWAKE = "django_tasks.backends.immediate.ImmediateBackend"
# Wake-up calls reach nobody: what is marked waits for the sweep.
DEAF = "django_tasks.backends.dummy.DummyBackend"
# Each month makes an invoice and events for each subscription, which all cost time.
LONGEST = timedelta(days=150)
WRITTEN = (
    PayerMail,
    SyncAttempt,
    Standing,
    UserEventLog,
    OwnershipTransfer,
    Invitation,
    Invoice,
    Subscription,
    Organization,
    EmailAddress,
    User,
    Customer,
    Event,
    ClockShift,
)


class World:
    """One history: a new organization, whose customer lives by a test clock of its own."""

    def __init__(
        self, stage: Stage, *, grace_days: int, is_free_offered: bool, is_awake: bool
    ) -> None:
        self.stage = stage
        self.sandbox = stage.sandbox
        self.sandbox.settings(dunning_end="cancel")
        cache.clear()
        mail.outbox.clear()
        made = gateway.api().test_helpers.test_clocks.create({"frozen_time": int(time.time())})
        stage.settings.STRIPE_TEST_CLOCK = made.id
        stage.settings.BILLING_GRACE_DAYS = grace_days
        stage.settings.TASKS = {"default": {"BACKEND": AWAKE if is_awake else DEAF}}
        # Without a free tier the new organization is locked at once, and Bob could not join.
        Tier.objects.filter(key="free").update(is_offered=True)
        self.cast = make_cast()
        Tier.objects.filter(key="free").update(is_offered=is_free_offered)
        self.browser = Browser()
        self.checkouts: list[str] = []
        self.lasted = timedelta(0)
        self.weather: dict[str, list[dict[str, Any]]] = {"path": [], "event": []}
        self.slow: tuple[leases.Lease, facts.Facts] | None = None
        self.lost = self.sandbox.deliveries()["dropped"]
        services.sync_organization(self.cast.acme)

    @property
    def organization(self) -> Organization:
        return Organization.objects.select_related("owner").get(pk=self.cast.acme.pk)

    @property
    def desk(self) -> Desk:
        return Desk(str(self.organization.stripe_customer_id))

    def attempt(self, act: Callable[[], object]) -> None:
        """Do one step of the history, or be refused in one of the ways that people are told."""
        self.stage.steps += 1
        try:
            act()
        except REFUSALS:
            self.stage.refused += 1

    # --- The owner ----------------------------------------------------------------------------

    def choose_plan(self, lookup_key: str) -> None:
        """Open the page on which Stripe sells this plan, or confirms the change to it."""
        self.end_leases()
        organization = self.organization
        url = services.choose_plan(
            organization=organization,
            price=TierPrice.objects.get(stripe_price_id=self.stage.prices[lookup_key]),
            by=organization.owner,
            return_url=f"{self.sandbox.url}/",
            cancel_url=f"{self.sandbox.url}/",
        )
        self.browser.open(url)
        self.checkouts.append(url)

    def go_on(self, form: str, decision: str = "complete", **fields: str) -> None:
        """Send a form of Stripe's page, and answer the bank if it asks."""
        page = self.browser.submit(form, **fields)
        if any(each.id == "confirm-form" for each in page.forms):
            self.browser.submit("confirm-form", decision=decision)

    def open_portal(self) -> None:
        self.end_leases()
        organization = self.organization
        self.browser.open(
            services.open_portal(
                organization=organization,
                by=organization.owner,
                return_url=f"{self.sandbox.url}/",
            )
        )

    def hand_on(self) -> None:
        # Events arrive on a thread of their own. A mail that is under way meanwhile goes to whom it
        # was addressed, and its line may stand behind the transfer's: that is a race of mail, no
        # fault, so that none is under way here.
        self.sandbox.flush()
        organization = self.organization
        services_of_orgs.transfer_ownership(
            organization=organization,
            new_owner=organization.eligible_owners()[0],
            by=self.cast.dana,
            reason="By chance.",
        )

    def rename(self, name: str, billing_email: str) -> None:
        organization = self.organization
        services_of_orgs.change_details(
            organization=organization,
            by=organization.owner,
            name=name,
            slug=organization.slug,
            billing_email=billing_email,
        )

    def map_price(self, lookup_key: str, tier: str) -> None:
        """Have staff say that a price buys a tier, the one that it bought or another."""
        id = self.stage.prices[lookup_key]
        price = TierPrice.objects.filter(stripe_price_id=id).first()
        price = price or TierPrice(stripe_price_id=id, interval="month")
        price.tier = Tier.objects.get(key=tier)
        services.save_tier_price(price=price, by=self.cast.dana, now=clock.now())

    # --- Syncs that go wrong ------------------------------------------------------------------

    def begin_slow_sync(self) -> None:
        """Have a process take the lease and ask, and then stop for a while."""
        lease = leases.take(self.cast.acme.pk, clock.now())
        if lease is not None:
            self.slow = lease, facts.fetch(lease)

    def end_slow_sync(self) -> None:
        """Have that process write what it was told then, and die."""
        if self.slow is not None:
            lease, told = self.slow
            self.slow = None
            projection.write(lease, told, clock.now())

    def end_leases(self) -> None:
        """Wait until nobody holds a lease any more who does not use it."""
        Standing.objects.filter(lease_until__gt=clock.now()).update(lease_until=clock.now())

    # --- The weather --------------------------------------------------------------------------

    def change_weather(self, kind: str, rules: list[dict[str, Any]]) -> None:
        """Replace the weather for calls (`path`) or for deliveries (`event`)."""
        self.weather[kind] = rules
        self.sandbox.weather([*self.weather["path"], *self.weather["event"]])

    def clear_weather(self) -> None:
        self.weather = {"path": [], "event": []}
        self.sandbox.weather([])

    def settle(self) -> list[str]:
        """Let the weather clear and the product catch up; say what did not arrive."""
        self.clear_weather()
        self.end_leases()
        for _ in range(10):
            services.sync_due(now=clock.now())
            services.send_payer_mails(now=clock.now())
            counted = self.sandbox.flush()
            if counted["flushed"] and not Standing.objects.marked().exists():
                break
        else:
            return ["it is never done"]
        if counted["dropped"] > self.lost:
            # What nobody tells the product, it finds out within a day.
            self.lost = counted["dropped"]
            services.advance_test_clock(by=timedelta(hours=25))
            return self.settle()
        left = {state: counted[state] for state in ("pending", "failed") if counted[state]}
        return [f"events are left: {left}"] if left else []

    def end(self) -> None:
        """Leave nothing to the next history."""
        self.clear_weather()
        while not self.sandbox.flush()["flushed"]:
            pass
        installation.drop(connection)
        with transaction.atomic():
            for model in (*WRITTEN, TierPrice):
                model._base_manager.all()._raw_delete("default")
            for price, tier, interval in self.stage.sold:
                TierPrice.objects.create(stripe_price_id=price, tier_id=tier, interval=interval)
        installation.install(connection)

    def advance(self, by: timedelta) -> None:
        """Move Stripe's time and ours; a history that has lasted LONGEST moves by hours only."""
        self.lasted += by
        services.advance_test_clock(by=by if self.lasted < LONGEST else timedelta(hours=1))
