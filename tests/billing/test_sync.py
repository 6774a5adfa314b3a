"""`sync_organization`: standing, tier, lock and mirror agree with Stripe afterwards.

Stripe is the sandbox, over HTTP.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from djstripe.models import Customer, Price, Subscription
from pytest_django import Settings

from accounts.models import UserEventLog
from billing import services
from billing.gateway import BillingUnavailable
from billing.models import Standing, Status
from billing.services import Outcome
from orgs.models import Organization
from orgs.services import NotOwner
from tests.cast import Cast, OrganizationFactory
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess

FAILS_LATER = "4000000000000341"
GOOD = "4242424242424242"


def standing(cast: Cast) -> Standing:
    return Standing.objects.get(organization=cast.acme)


def created_customers(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    return [
        call
        for call in sandbox.requests()
        if (call["method"], call["path"]) == ("POST", "/v1/customers")
    ]


def test_the_customer_is_made_once_and_linked(payer: Payer, cast: Cast) -> None:
    for _ in range(3):
        payer.sync()
    customer = Customer.objects.get()
    assert cast.acme.stripe_customer_id == customer.id
    assert (customer.email, customer.stripe_data["name"]) == ("alice@example.com", "Acme")
    assert customer.subscriber is None
    assert len(created_customers(payer.sandbox)) == 1
    assert standing(cast).sync_requested_at is None
    assert standing(cast).status == Status.FREE


def test_the_customers_name_and_address_follow_the_organization(payer: Payer, cast: Cast) -> None:
    payer.sync()
    Organization.objects.update(name="Acme & Sons", billing_email="bills@example.com")
    payer.sync()
    customer = Customer.objects.get()
    assert (customer.email, customer.stripe_data["name"]) == ("bills@example.com", "Acme & Sons")


def test_a_customer_whose_creation_went_unanswered_is_not_made_twice(
    payer: Payer, cast: Cast
) -> None:
    lost = {"path": "/v1/customers", "method": "POST", "drop": True, "after_effect": True}
    payer.sandbox.weather([lost])
    with pytest.raises(BillingUnavailable):
        payer.sync()
    assert standing(cast).sync_requested_at is not None
    payer.sandbox.weather([])
    acme = payer.sync()
    assert [each["id"] for each in payer.customers()] == [acme.stripe_customer_id]


def test_subscribing_gives_the_tier(payer: Payer, cast: Cast) -> None:
    payer.subscribe("business")
    acme = payer.sync()
    assert acme.tier is not None
    assert acme.tier.key == "business"
    assert standing(cast).status == Status.CURRENT
    assert Subscription.objects.get().stripe_data["status"] == "active"
    assert Price.objects.filter(lookup_key="holdfast_business_month").exists()


def test_the_whole_story_of_a_failed_renewal(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    acme = payer.sync()
    assert standing(cast).status == Status.PAST_DUE
    assert acme.is_locked(timezone.now())
    assert acme.tier_at(timezone.now()).key == "free"

    payer.change_card(GOOD)
    payer.pay()
    acme = payer.sync()
    assert standing(cast).status == Status.CURRENT
    assert not acme.is_locked(timezone.now())
    assert acme.tier_at(timezone.now()).key == "pro"


def test_a_lock_that_has_begun_is_not_moved_by_later_syncs(payer: Payer) -> None:
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    first = payer.sync().locked_from
    assert payer.sync().locked_from == first


def test_with_a_grace_the_lock_lies_ahead(payer: Payer, cast: Cast, settings: Settings) -> None:
    settings.BILLING_GRACE_DAYS = 7
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    acme = payer.sync()
    assert acme.locked_from is not None
    assert acme.locked_from == standing(cast).grace_ends_at
    assert not acme.is_locked(acme.locked_from - timedelta(seconds=1))
    assert acme.is_locked(acme.locked_from)


def test_a_plan_canceled_in_the_portal_ends_in_free_and_not_in_a_lock(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe()
    payer.cancel()
    payer.sync()
    assert standing(cast).status == Status.CURRENT
    assert standing(cast).ends_at is not None

    payer.advance(32)
    acme = payer.sync()
    assert (standing(cast).status, acme.tier, acme.locked_from) == (Status.FREE, None, None)


def test_a_canceled_plan_can_be_resumed(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.cancel()
    payer.sync()
    payer.resume()
    payer.sync()
    assert (standing(cast).status, standing(cast).ends_at) == (Status.CURRENT, None)


def test_debt_to_the_end_is_a_lapse_until_the_owner_chooses_free(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(70)
    acme = payer.sync()
    assert (standing(cast).status, standing(cast).reason) == (Status.LAPSED, "payment_failed")
    assert acme.is_locked(timezone.now())

    with pytest.raises(NotOwner):
        services.choose_free_tier(organization=acme, by=cast.bob, now=timezone.now())
    # The test clock ran ahead of ours; the choice is made after that end.
    ended_at = timezone.now() + timedelta(days=3650)
    services.choose_free_tier(organization=acme, by=cast.alice, now=ended_at)
    acme = payer.sync()
    assert (standing(cast).status, acme.locked_from) == (Status.FREE, None)


def test_a_change_of_standing_is_logged_with_before_and_after(payer: Payer, cast: Cast) -> None:
    payer.sync()
    payer.subscribe()
    payer.sync()
    payer.sync()
    line = UserEventLog.objects.get(event="standing_changed")
    assert (line.data["before"]["tier"], line.data["after"]["tier"]) == ("free", "pro")
    assert line.data["after"]["subscription"] == Subscription.objects.get().id
    assert line.organization == cast.acme


def test_a_second_subscription_is_refused(payer: Payer) -> None:
    payer.subscribe()
    with pytest.raises(services.AlreadySubscribed):
        payer.subscribe("business")


def test_only_the_owner_pays(payer: Payer, cast: Cast) -> None:
    for person in (cast.bob, cast.charlie, cast.dana):
        with pytest.raises(NotOwner):
            services.open_portal(organization=cast.acme, by=person, return_url="http://x/")


@pytest.mark.parametrize(
    "weather",
    [
        {"status": 500},
        {"status": 429},
        {"drop": True},
    ],
)
@pytest.mark.parametrize("path", ["/v1/customers/*", "/v1/subscriptions", "/v1/invoices"])
def test_stripe_down_at_any_step_costs_nothing_and_heals_by_itself(
    payer: Payer, cast: Cast, path: str, weather: dict[str, Any]
) -> None:
    payer.subscribe()
    acme = payer.sync()
    tier = acme.tier
    payer.sandbox.weather([{"path": path, **weather}])
    with pytest.raises(BillingUnavailable):
        payer.sync()
    acme.refresh_from_db()
    assert (acme.tier, acme.locked_from) == (tier, None)
    assert not standing(cast).is_leased(timezone.now())
    with pytest.raises(CommandError):
        call_command("sync_billing", due=True)

    payer.sandbox.weather([])
    call_command("sync_billing", due=True)
    assert standing(cast).sync_requested_at is None


def test_nothing_is_half_written_when_the_write_fails(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    # Another organization holds this customer already, so that linking it fails at the end.
    other = OrganizationFactory.create()
    Organization.objects.filter(pk=cast.acme.pk).update(stripe_customer=None)
    customer = Customer.objects.get()
    Organization.objects.filter(pk=other.pk).update(stripe_customer=customer)
    before = (Standing.objects.get(organization=cast.acme).status, Subscription.objects.count())
    with pytest.raises(IntegrityError), transaction.atomic():
        payer.sync()
    assert before == (standing(cast).status, Subscription.objects.count())


@pytest.mark.django_db(transaction=True)
def test_stripe_is_never_called_inside_a_transaction(
    payer: Payer, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = requests.Session.request
    places: list[bool] = []

    def watched(session: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        places.append(connection.in_atomic_block)
        return request(session, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", watched)
    payer.subscribe()
    payer.sync()
    assert standing(cast).status == Status.CURRENT
    assert len(places) > 5
    assert not any(places)


def test_without_a_key_a_sync_asks_nobody_and_leaves_the_mark(
    cast: Cast, settings: Settings
) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(BillingUnavailable):
        services.sync_organization(cast.acme)
    assert standing(cast).sync_requested_at is not None


def test_who_holds_the_lease_syncs_alone(cast: Cast) -> None:
    Standing.objects.update(
        lease_until=timezone.now() + timedelta(seconds=60), sync_requested_at=None
    )
    assert services.sync_organization(cast.acme) is Outcome.BUSY
    assert standing(cast).sync_requested_at is not None


def test_a_lease_by_a_clock_that_ran_ahead_holds_up_nobody(payer: Payer, cast: Cast) -> None:
    """A process was killed at it while its machine's clock was an hour ahead."""
    now = timezone.now()
    Standing.objects.update(lease_until=now + timedelta(hours=1), sync_requested_at=now)
    assert services.sync_due(now=now) == (1, 0)


def test_a_lease_that_ran_out_is_taken_over(payer: Payer, cast: Cast) -> None:
    Standing.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.sync_organization(cast.acme) is Outcome.SYNCED
