"""Cases 1 to 4: answers that are overtaken, events that come twice or in another order."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone
from djstripe.models import Event, Subscription
from pytest_django import Settings

from accounts.models import UserEventLog
from billing import gateway, services
from billing.models import Standing, Status, TierPrice
from billing.services import Outcome
from orgs.models import Organization
from tests.billing.cases import FAILS_LATER, Team, acme, arrive, deliver, found_team
from tests.cast import Cast
from tests.payer import Payer
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

LOSE_ALL = {"event": "*", "drop": True}
ENDED = "customer.subscription.deleted"
SEQUENCE = [
    "customer.subscription.created",
    "invoice.payment_failed",
    "invoice.paid",
    "customer.subscription.updated",
]
EVERY_ORDER = list(permutations(SEQUENCE))


@pytest.mark.parametrize("outlives_its_lease", [False, True])
def test_case_1_a_slow_answer_of_active_is_not_written_over_past_due(
    wired_payer: Payer, settings: Settings, outlives_its_lease: bool
) -> None:
    """Case 1: Stripe says `active` to a sync, then the renewal fails, then that sync writes."""
    team = found_team(wired_payer, settings)
    payer = team.payer
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    arrive(payer)
    payer.sandbox.weather([{"path": "/v1/invoices", "delay_ms": 2000, "times": 1}])
    seen = len(payer.sandbox.requests())

    def fail_the_renewal() -> None:
        # It has been told of the subscription by then.
        payer.wait_for_call("GET", "/v1/invoices", after=seen)
        if outlives_its_lease:
            payer.advance(32)
        else:
            payer.sandbox.advance(settings.STRIPE_TEST_CLOCK, days=32)
        arrive(payer)

    slow, done = together(lambda: services.sync_organization(team.organization), fail_the_renewal)
    assert isinstance(slow, Outcome)
    assert done is None
    lines = UserEventLog.objects.filter(event="standing_changed", organization=team.organization)
    told = [line.data["after"]["status"] for line in lines.order_by("pk")]
    assert told == [Status.CURRENT, Status.PAST_DUE]
    team.assert_locked()
    team.assert_in_step()


def test_case_2_an_event_that_comes_eight_times_at_once_has_one_effect(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 2: the same event delivered 8 times at once: every answer 2xx, one effect."""
    team = acme(wired_payer, cast)
    kind = "customer.subscription.created"
    wired_payer.sandbox.weather([{"event": kind, "duplicate": 7}, LOSE_ALL])
    wired_payer.subscribe_at_stripe()
    arrive(wired_payer)
    posted = [each for each in _deliveries(wired_payer) if each["type"] == kind]
    assert [(each["last_status"], each["attempts"]) for each in posted] == [(200, 1)] * 8
    assert Event.objects.filter(type=kind).count() == 1
    assert UserEventLog.objects.filter(event="standing_changed").count() == 1
    team.assert_open("pro")
    team.assert_in_step()


def _deliveries(payer: Payer) -> list[dict[str, Any]]:
    deliveries: list[dict[str, Any]] = payer.sandbox.deliveries()["list"]
    return deliveries


def test_case_3_the_end_of_a_subscription_arrives_before_its_beginning(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 3: `deleted` first, then `updated` and `created`: the end at Stripe counts."""
    team = acme(wired_payer, cast)
    wired_payer.sandbox.weather([{"event": ENDED}, LOSE_ALL])
    _begin_incomplete_and_pay(team)
    _cancel_now(team)
    arrive(wired_payer)
    told = _told(wired_payer)
    for kind in ("customer.subscription.updated", "customer.subscription.created"):
        assert deliver(json.dumps(told[kind])) == 200
    team.assert_open("free")
    team.assert_in_step()


def test_case_3_the_end_of_an_old_subscription_arrives_after_the_new_one_began(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 3: a late `deleted` of what was replaced locks nobody out."""
    team = acme(wired_payer, cast)
    wired_payer.sandbox.weather([{"event": ENDED, "drop": True}])
    wired_payer.subscribe_at_stripe()
    _cancel_now(team)
    wired_payer.subscribe_at_stripe()
    arrive(wired_payer)
    assert deliver(json.dumps(_told(wired_payer)[ENDED])) == 200
    team.assert_open("pro")
    team.assert_in_step()


def _cancel_now(team: Team) -> None:
    (live,) = gateway.api().subscriptions.list({"customer": team.customer}).data
    gateway.api().subscriptions.cancel(live.id)


def _told(payer: Payer) -> dict[str, dict[str, Any]]:
    """The events that Stripe keeps, by type."""
    events: list[dict[str, Any]] = payer.sandbox.call("events?limit=100")["data"]
    return {each["type"]: each for each in events}


@pytest.mark.parametrize(
    "orders",
    [
        pytest.param(EVERY_ORDER[::6], id="one by what comes first"),
        pytest.param(EVERY_ORDER, id="every", marks=pytest.mark.thorough),
    ],
)
def test_case_4_every_order_of_a_real_sequence_ends_alike(
    wired_payer: Payer, cast: Cast, orders: list[tuple[str, ...]]
) -> None:
    """Case 4: any permutation of created (incomplete), failed, paid, updated (active)."""
    team = acme(wired_payer, cast)
    wired_payer.sandbox.weather([LOSE_ALL])
    _begin_incomplete_and_pay(team)
    told = _told(wired_payer)
    for order in orders:
        _forget_and_lock(team)
        assert [deliver(json.dumps(told[kind])) for kind in order] == [200] * len(order)
        acme_now = team.organization
        assert (str(acme_now.tier), acme_now.locked_from) == ("Pro", None), order
    team.assert_open("pro")
    team.assert_in_step()


def _begin_incomplete_and_pay(team: Team) -> None:
    """Subscribe with a card that fails, then pay with another."""
    api = gateway.api()
    bad = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": team.customer})
    price = TierPrice.objects.get(tier__key="pro", interval="month").stripe_price_id
    begun = api.subscriptions.create(
        {
            "customer": team.customer,
            "items": [{"price": price}],
            "default_payment_method": bad.id,
        }
    )
    assert begun.status == "incomplete"
    good = api.payment_methods.attach("pm_card_visa", {"customer": team.customer})
    api.invoices.pay(begun.latest_invoice, {"payment_method": good.id})


def _forget_and_lock(team: Team) -> None:
    """Have the rows know nothing of the subscription, and say the opposite of what it says."""
    Event.objects.all().delete()
    Subscription.objects.all().delete()
    yesterday = timezone.now() - timedelta(days=1)
    Standing.objects.update(status=Status.LAPSED, reason="unpaid", subscription=None)
    Organization.objects.update(tier=None, locked_from=yesterday)
