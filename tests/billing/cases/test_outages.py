"""Cases 5, 13 and 14: events that never come, calls that fail, events that nobody can use."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from djstripe.models import Subscription, WebhookEndpoint
from pytest_django import Settings

from billing import gateway
from billing.models import Standing, Status
from orgs import clock
from tests.billing.cases import FAILS_LATER, Team, acme, arrive, deliver, found_team, reword, sees
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.payer import Payer

pytestmark = pytest.mark.django_db(transaction=True)

LOSE_ALL = {"event": "*", "drop": True}
# Seconds; what a person waits for an answer while Stripe gives none.
BOUND = 5.0


def test_case_5_after_days_without_any_event_the_periodic_sync_restores_stripes_state(
    wired_payer: Payer, cast: Cast, settings: Settings
) -> None:
    """Case 5: Stripe stops repeating its events after 3 days; nothing here was marked."""
    team = found_team(wired_payer, settings)
    team.payer.subscribe()
    team.payer.change_card(FAILS_LATER)
    arrive(team.payer)
    last_look = team.standing.synced_at
    wired_payer.sandbox.weather([LOSE_ALL])
    team.payer.advance(35)
    arrive(team.payer)
    assert last_look is not None
    assert clock.now() - last_look > timedelta(days=3)
    page = sees(cast.dana, "admin:billing_standing_changelist")[1]
    assert date_format(timezone.localtime(last_look), "DATETIME_FORMAT") in page

    call_command("sync_billing", due=True)
    assert team.standing.status == Status.PAST_DUE
    team.assert_locked()
    team.assert_in_step()


def test_case_13_stripe_failing_in_the_middle_changes_nothing_and_is_made_up_for(
    wired_payer: Payer, cast: Cast, settings: Settings
) -> None:
    """Case 13: 500, 429, a time-out, a cut line and a strange page, halfway through a sync."""
    settings.STRIPE_TIMEOUT = 1
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    weathers: list[dict[str, Any]] = [
        {"status": 500},
        {"status": 429},
        {"delay_ms": 3000},
        {"drop": True},
        {"nonsense": True},
    ]
    for number, weather in enumerate(weathers):
        before = _written(team)
        wired_payer.sandbox.weather([{"path": "/v1/invoices", **weather}])
        _cancel_or_resume(team, is_canceled=number % 2 == 0)
        arrive(wired_payer)
        assert _statuses(wired_payer) == {200}
        assert _return_from_stripe(team) == 202
        assert _written(team) == before
        assert team.standing.sync_requested_at is not None
        team.assert_open("pro")

        wired_payer.sandbox.weather([])
        call_command("sync_billing", due=True)
        assert _written(team) != before
        team.assert_in_step()


def _cancel_or_resume(team: Team, *, is_canceled: bool) -> None:
    (live,) = Subscription.objects.filter(customer_id=team.customer)
    gateway.api().subscriptions.update(live.id, {"cancel_at_period_end": is_canceled})


def _return_from_stripe(team: Team) -> int:
    """Return what the owner is answered, who must not wait for long."""
    began = time.monotonic()
    status = signed_in(team.owner).get(reverse("billing:checkout_return")).status_code
    assert time.monotonic() - began < BOUND
    return status


def _written(team: Team) -> list[object]:
    """All that a sync writes."""
    standing = team.standing
    mirror = Subscription.objects.filter(customer_id=team.customer)
    return [
        (standing.status, standing.reason, standing.ends_at, standing.synced_at),
        (team.organization.tier, team.organization.locked_from),
        list(mirror.values_list("id", "stripe_data")),
    ]


def _statuses(payer: Payer) -> set[int]:
    """What was answered to the events that were posted."""
    return {each["last_status"] for each in payer.sandbox.deliveries()["list"]}


def test_case_13_a_sync_that_breaks_while_it_writes_leaves_nothing_half_written(
    wired_payer: Payer, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 13: a fault of our own, met when the mirror is written and the verdict is not."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    before = _written(team)
    reword(monkeypatch, rb'"cancel_at": \d+', b'"cancel_at": "a time that we cannot read"')
    _cancel_or_resume(team, is_canceled=True)
    arrive(wired_payer)
    assert _statuses(wired_payer) == {200}
    with pytest.raises(CommandError):
        call_command("sync_billing", due=True)
    assert _written(team) == before
    team.assert_open("pro")

    monkeypatch.undo()
    call_command("sync_billing", due=True)
    assert team.standing.ends_at is not None
    team.assert_in_step()


def test_case_14_poison_is_answered_kept_in_sight_and_harms_nobody(
    wired_payer: Payer, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 14: what breaks other people's webhooks, and bodies that are no events at all."""
    team, other = acme(wired_payer, cast), OrganizationFactory.create()
    gateway.api().customers.update(team.customer, {"metadata": {"note": "a\x00b"}})
    wired_payer.sandbox.weather([{"event": "*", "nonsense": True}])
    wired_payer.subscribe_at_stripe()
    arrive(wired_payer)
    for name, fields in _poison(team.customer).items():
        event = {"id": f"evt_{name}", "object": "event", "type": "customer.updated", **fields}
        assert deliver(json.dumps(event), **{"X-Forwarded-For": "unknown"}) == 200
        assert f"evt_{name}" in sees(cast.dana, "admin:djstripe_event_changelist")[1]
    secret = WebhookEndpoint.objects.get().secret
    WebhookEndpoint.objects.update(secret="")
    assert deliver("{}") == 400
    WebhookEndpoint.objects.update(secret=secret)

    assert "got a signed body that is no event" in caplog.text
    assert "has no secret" in caplog.text
    assert "Internal Server Error" not in caplog.text
    assert _statuses(wired_payer) == {200}
    Payer(wired_payer.sandbox, other).subscribe()
    arrive(wired_payer)
    other.refresh_from_db()
    assert str(other.tier) == "Pro"
    team.assert_open("pro")
    team.assert_in_step()


def _poison(customer: str) -> dict[str, dict[str, Any]]:
    """What each of these events has that an ordinary one has not."""
    coupon = {"id": "half", "object": "coupon", "percent_off": 50}
    subject = {"id": customer, "object": "customer"}
    discount = {"id": "di_1", "object": "discount", "coupon": coupon, "customer": customer}
    return {
        "discount": {"data": {"object": subject | {"discount": discount}}},
        "thin": {"object": "v2.core.event", "created": "2026-06-15T12:00:00.000Z", "data": None},
        "nul": {"data": {"object": subject | {"metadata": {"note": "a\x00b"}}}},
        "old": {"api_version": "2013-02-11", "request": "req_1", "data": {"object": subject}},
    }


def test_case_14_an_organization_that_cannot_be_synced_is_in_sight_and_holds_up_no_other(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 14: what Stripe answers about Acme makes no sense; the others go on."""
    team, other = acme(wired_payer, cast), OrganizationFactory.create()
    poisoned = {"path": f"/v1/customers/{team.customer}", "method": "GET", "nonsense": True}
    wired_payer.sandbox.weather([poisoned])
    wired_payer.subscribe_at_stripe()
    Payer(wired_payer.sandbox, other).subscribe()
    arrive(wired_payer)
    other.refresh_from_db()
    assert str(other.tier) == "Pro"
    assert _statuses(wired_payer) == {200}
    team.assert_open("free")
    with pytest.raises(CommandError):
        call_command("sync_billing", due=True)
    (marked,) = Standing.objects.marked()
    assert marked == team.standing
    page = sees(cast.dana, "admin:billing_standing_changelist")[1]
    assert date_format(timezone.localtime(marked.sync_requested_at), "DATETIME_FORMAT") in page

    wired_payer.sandbox.weather([])
    call_command("sync_billing", due=True)
    team.assert_open("pro")
    team.assert_in_step()
