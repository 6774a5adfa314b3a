"""What a sync carries over when something changes here, and the sweep that sees to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.signals import email_changed
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from billing import services
from billing.models import Standing, TierPrice
from orgs import services as services_of_orgs
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory
from tests.payer import Payer


def standing(cast: Cast) -> Standing:
    return Standing.objects.get(organization=cast.acme)


def test_a_sweep_ends_at_an_outage_and_does_the_rest_next_time(payer: Payer) -> None:
    for _ in range(5):
        OrganizationFactory.create()
    payer.sandbox.weather([{"path": "/v1/*", "status": 500}])
    asked = len(payer.sandbox.requests())
    assert services.sync_due(now=timezone.now()) == (0, 6)
    assert len(payer.sandbox.requests()) == asked + 3

    payer.sandbox.weather([])
    assert services.sync_due(now=timezone.now()) == (6, 0)
    assert len(payer.customers()) == 6


def test_those_that_always_fail_come_last_in_the_next_sweep(payer: Payer) -> None:
    """However many of them there are, they hold up nobody for ever."""
    broken = [OrganizationFactory.create() for _ in range(4)]
    services.sync_due(now=timezone.now())
    later = [OrganizationFactory.create() for _ in range(2)]
    services.request_sync(organization_ids=[each.pk for each in broken], now=timezone.now())
    customers = Organization.objects.filter(pk__in=[each.pk for each in broken])
    ids = customers.values_list("stripe_customer", flat=True)
    payer.sandbox.weather([{"path": f"/v1/customers/{id}", "status": 500} for id in ids])
    Standing.objects.filter(organization__in=broken).update(
        sync_requested_at=timezone.now() - timedelta(hours=1)
    )
    assert services.sync_due(now=timezone.now()) == (0, 6)
    assert services.sync_due(now=timezone.now())[0] == 2
    for organization in later:
        organization.refresh_from_db()
        assert organization.stripe_customer_id is not None


def test_one_that_stripe_refuses_does_not_keep_the_others_from_their_sync(
    payer: Payer, cast: Cast
) -> None:
    payer.sync()
    other = OrganizationFactory.create()
    refused = f"/v1/customers/{payer.organization.stripe_customer_id}"
    Standing.objects.filter(organization=cast.acme).update(sync_requested_at=timezone.now())
    payer.sandbox.weather([{"path": refused, "status": 404}])
    assert services.sync_due(now=timezone.now()) == (1, 1)
    other.refresh_from_db()
    assert other.stripe_customer_id is not None


def test_after_a_transfer_stripes_customer_follows_and_open_checkouts_expire(
    payer: Payer, cast: Cast
) -> None:
    payer.sync()
    payer.begin_checkout()
    Organization.objects.update(billing_email="bills@example.com")
    services_of_orgs.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Alice moves on."
    )
    assert standing(cast).sync_requested_at is not None
    payer.sync()
    assert payer.customers()[0]["email"] == "bob@example.com"
    assert payer.open_checkouts() == []
    # The new owner's own is left alone by the next sync.
    payer.organization.refresh_from_db()
    payer.begin_checkout()
    payer.sync()
    assert len(payer.open_checkouts()) == 1


def test_stripe_down_does_not_undo_a_transfer_and_the_follow_up_waits(
    payer: Payer, cast: Cast
) -> None:
    payer.sync()
    payer.begin_checkout()
    services_of_orgs.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Alice moves on."
    )
    payer.sandbox.weather([{"path": "/v1/checkout/sessions*", "status": 500}])
    assert services.sync_due(now=timezone.now()) == (0, 1)
    assert Organization.objects.get(pk=cast.acme.pk).owner == cast.bob
    assert standing(cast).sync_requested_at is not None

    payer.sandbox.weather([])
    assert services.sync_due(now=timezone.now()) == (1, 0)
    assert payer.open_checkouts() == []


def test_one_organization_is_synced_by_name(payer: Payer, cast: Cast) -> None:
    call_command("sync_billing", organization=cast.acme.pk)
    cast.acme.refresh_from_db()
    assert cast.acme.stripe_customer_id is not None
    with pytest.raises(CommandError, match="no organization 999"):
        call_command("sync_billing", organization=999)


def test_a_price_that_staff_map_gives_its_tier_to_those_who_pay_it(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe()
    price = TierPrice.objects.get(tier__key="pro", interval="month")
    TierPrice.objects.filter(pk=price.pk).delete()
    assert payer.sync().tier is None
    assert standing(cast).reason == "unmapped_price"

    price.pk = None
    services.save_tier_price(price=price, by=cast.dana, now=timezone.now())
    assert services.sync_due(now=timezone.now()) == (1, 0)
    acme = Organization.objects.get(pk=cast.acme.pk)
    assert acme.tier is not None
    assert acme.tier.key == "pro"


def test_a_retired_tier_keeps_serving_those_who_pay_it(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    acme = payer.sync()
    tier = acme.tier
    assert tier is not None
    services_of_orgs.change_tier(
        tier=tier,
        by=cast.dana,
        name=tier.name,
        rank=tier.rank,
        is_offered=False,
        seat_limit=tier.seat_limit,
        entitlements=list(tier.entitlements.all()),
    )
    # The next month is paid for, and read anew from Stripe.
    payer.advance(days=32)
    acme = payer.sync()
    assert (acme.tier, acme.locked_from) == (tier, None)
    assert (standing(cast).status, standing(cast).reason) == ("current", "")


def test_the_owners_new_address_follows_at_stripe(payer: Payer, cast: Cast) -> None:
    payer.sync()
    User.objects.filter(pk=cast.alice.pk).update(email="alice@new.example.com")
    email_changed.send(
        User, request=None, user=cast.alice, from_email_address=None, to_email_address=None
    )
    assert services.sync_due(now=timezone.now()) == (1, 0)
    assert payer.customers()[0]["email"] == "alice@new.example.com"
