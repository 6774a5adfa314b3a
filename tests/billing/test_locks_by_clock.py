"""A lock after a grace: it begins by the clock, without event or job, and is logged once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import UserEventLog
from billing import services
from billing.models import Standing, Status
from orgs import clock
from orgs.models import ClockShift, Organization
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.payer import Payer

FAILS_LATER, GOOD = "4000000000000341", "4242424242424242"


@pytest.fixture
def in_grace(payer: Payer, settings: Settings) -> Payer:
    """Acme's renewal failed, and its seven days run. Stripe's clock began at the present."""
    settings.BILLING_GRACE_DAYS = 7
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    payer.sync()
    return payer


def lines() -> list[UserEventLog]:
    return list(UserEventLog.objects.filter(event="lock_began"))


def page(client: Client) -> int:
    # The clock is read again after a second; nobody waits for it here.
    cache.clear()
    return client.get(reverse("home")).status_code


def test_the_deadline_locks_the_team_and_the_sweep_logs_it_once(
    in_grace: Payer, cast: Cast
) -> None:
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    assert (page(alice), page(bob)) == (200, 200)
    services.sync_due(now=clock.now())
    assert lines() == []

    in_grace.advance(8)
    asked = len(in_grace.sandbox.requests())
    assert (page(alice), page(bob)) == (200, 403)
    assert len(in_grace.sandbox.requests()) == asked

    services.sync_due(now=clock.now())
    services.sync_due(now=clock.now())
    (line,) = lines()
    acme = Organization.objects.get(pk=cast.acme.pk)
    assert acme.locked_from is not None
    assert line.organization_id == acme.pk
    assert line.data["locked_from"] == acme.locked_from.isoformat()
    assert line.data["status"] == "past_due"


def test_a_lock_that_begins_and_ends_between_two_sweeps_is_logged_too(
    in_grace: Payer, cast: Cast
) -> None:
    in_grace.advance(8)
    in_grace.change_card(GOOD)
    in_grace.pay()
    acme = in_grace.sync()
    assert acme.locked_from is None
    services.sync_due(now=clock.now())
    assert len(lines()) == 1


def test_who_pays_in_time_was_never_locked(in_grace: Payer) -> None:
    in_grace.advance(2)
    in_grace.change_card(GOOD)
    in_grace.pay()
    assert in_grace.sync().locked_from is None
    in_grace.advance(10)
    services.sync_due(now=clock.now())
    assert lines() == []


def test_many_locks_are_logged_in_batches_with_a_line_each(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.services.marks.BATCH", 2)
    now = timezone.now()
    for number in range(5):
        team = OrganizationFactory.create()
        Standing.objects.filter(organization=team).update(locks_at=now - timedelta(hours=number))
    assert services.log_begun_locks(now=now) == 5
    assert len({line.organization_id for line in lines()}) == 5
    assert services.log_begun_locks(now=now) == 0


def test_in_production_the_clock_is_the_real_one_and_asks_nobody(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ClockShift.objects.create(seconds=10_000_000)
    with django_assert_num_queries(0):
        assert abs(clock.now() - timezone.now()) < timedelta(seconds=5)


def test_time_never_goes_back(settings: Settings, db: None) -> None:
    settings.STRIPE_TEST_CLOCK = "clock_1"
    ahead: datetime = timezone.now() + timedelta(days=40)
    clock.keep_up_with(ahead)
    clock.keep_up_with(timezone.now() - timedelta(days=400))
    assert clock.now() >= ahead


def test_after_debt_to_the_end_the_owner_continues_on_free(in_grace: Payer, cast: Cast) -> None:
    """Also where the test clock ran ahead: the choice is later than that end."""
    in_grace.advance(40)
    in_grace.sync()
    assert Standing.objects.get(organization=cast.acme).reason == "payment_failed"
    client = signed_in(cast.alice)
    text = client.get(reverse("billing:overview")).content.decode()
    assert reverse("billing:choose_free") in text
    client.post(reverse("billing:choose_free"), follow=True)
    standing = Standing.objects.get(organization=cast.acme)
    assert (standing.status, standing.organization.locked_from) == (Status.FREE, None)
    assert page(signed_in(cast.bob)) == 200
