"""Cases 11, 12 and 15: one organization, one customer, whatever becomes of either."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.models import ProtectedError
from django.urls import reverse
from djstripe.models import Event

from accounts import services as accounts
from billing import gateway, services
from billing.models import TierPrice
from config.browser import Browser
from orgs import services as services_of_orgs
from orgs.models import Organization
from tests.billing.cases import GOOD, Team, acme, arrive, deliver, sees
from tests.cast import Cast, OrganizationFactory, add_member, signed_in
from tests.payer import Payer
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def _found_during_an_outage(payer: Payer) -> Team:
    """Found an organization that Stripe knows nothing of yet."""
    payer.sandbox.weather([{"path": "/v1/customers", "status": 500}])
    organization = OrganizationFactory.create()
    payer.sandbox.weather([])
    organization.refresh_from_db()
    assert organization.stripe_customer_id is None
    member = add_member(organization)
    return Team(Payer(payer.sandbox, organization), organization.owner, member)


def _click_subscribe(team: Team) -> Any:
    price = TierPrice.objects.get(tier__key="pro", interval="month")
    # Where Stripe sends people back to is served.
    host = {"host": urlsplit(settings.BASE_URL).netloc}
    return signed_in(team.owner).post(
        reverse("billing:subscribe"), {"price": price.pk}, headers=host
    )


def test_case_11_what_happens_at_stripe_before_the_customer_is_linked_here_is_not_missed(
    wired_payer: Payer,
) -> None:
    """Case 11: the event arrives before the sync that made the customer has committed."""
    team = _found_during_an_outage(wired_payer)
    payer, known = team.payer, {each["id"] for each in wired_payer.customers()}
    payer.sandbox.weather([{"path": "/v1/invoices", "method": "GET", "delay_ms": 2000, "times": 1}])
    seen = len(payer.sandbox.requests())

    def subscribe_at_once() -> None:
        # The sync has been told that there are no subscriptions by then.
        payer.wait_for_call("GET", "/v1/invoices", after=seen)
        (customer,) = {each["id"] for each in payer.customers()} - known
        payer.subscribe_at_stripe(customer)
        arrive(payer)

    done = together(lambda: services.sync_organization(team.organization), subscribe_at_once)
    assert done == [services.Outcome.SYNCED, None]
    assert {each["last_status"] for each in payer.sandbox.deliveries()["list"]} == {200}
    assert Event.objects.filter(type="customer.subscription.created").exists()
    team.assert_open("pro")
    team.assert_in_step()


def test_case_11_two_clicks_on_subscribe_at_once_make_one_customer_and_one_subscription(
    wired_payer: Payer,
) -> None:
    """Case 11: both clicks come to the same page of Stripe's, on which one can pay once."""
    team = _found_during_an_outage(wired_payer)
    customers = len(wired_payer.customers())
    wired_payer.sandbox.weather([{"path": "/v1/customers", "method": "POST", "delay_ms": 500}])
    answers: list[Any] = together(*[lambda: _click_subscribe(team)] * 2)
    assert [each.status_code for each in answers] == [302, 302]
    first, second = (each["Location"] for each in answers)
    assert first == second
    assert len(wired_payer.customers()) == customers + 1

    tabs = [Browser(), Browser()]
    for tab in tabs:
        tab.open(first)
    for tab in tabs:
        tab.submit("checkout-form", card=GOOD)
    arrive(wired_payer)
    assert len(gateway.list_subscriptions(team.customer)) == 1
    team.assert_open("pro")
    team.assert_in_step()


def test_case_11_a_second_live_subscription_is_refused_or_reported(
    wired_payer: Payer, cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 11: our pages offer none; one that staff make at Stripe is in the drift report."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    answer = _click_subscribe(team)
    assert (answer.status_code, answer["Location"]) == (302, reverse("billing:overview"))
    assert wired_payer.open_checkouts() == []
    assert len(gateway.list_subscriptions(team.customer)) == 1

    wired_payer.subscribe_at_stripe()
    arrive(wired_payer)
    team.assert_open("pro")
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("B9")]
    assert team.customer in line


def test_case_12_a_customer_deleted_at_stripe_locks_stays_dead_and_is_replaced_by_paying(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 12: `deleted`, then a late `updated` of the same customer; then a fresh start."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    dead = team.customer
    wired_payer.sandbox.weather([{"event": "customer.updated", "drop": True}])
    gateway.api().customers.update(dead, {"description": "About to go"})
    (late,) = _updates(wired_payer, "About to go")
    gateway.api().customers.delete(dead)
    arrive(wired_payer)
    _assert_ended(team, dead)
    assert deliver(late) == 200
    _assert_ended(team, dead)

    browser = Browser()
    browser.open(_click_subscribe(team)["Location"])
    browser.submit("checkout-form", card=GOOD)
    arrive(wired_payer)
    fresh = team.customer
    assert [each["id"] for each in wired_payer.customers()] == [fresh]
    assert deliver(late) == 200
    assert team.customer == fresh != dead
    team.assert_open("pro")
    team.assert_in_step()


def _updates(payer: Payer, description: str) -> list[str]:
    events = payer.sandbox.call("events?type=customer.updated&limit=100")["data"]
    told = [each for each in events if each["data"]["object"]["description"] == description]
    return [json.dumps(each) for each in told]


def _assert_ended(team: Team, customer: str) -> None:
    assert team.standing.reason == "customer_deleted"
    team.assert_locked(banner="Your organization has no plan")
    assert "Choose a plan" in sees(team.owner)[1]
    assert team.customer == customer
    assert team.payer.customers() == []
    call_command("check_invariants")


def test_case_15_stripes_customer_follows_the_owner_and_keeps_its_one_subscription(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: the former owner can no longer pay; what the new one pays goes on for the next."""
    tab = Browser()
    tab.open(wired_payer.checkout_url())
    _transfer(cast, cast.bob)
    arrive(wired_payer)
    assert tab.submit("checkout-form", card=GOOD).status == 410
    team = Team(wired_payer, owner=cast.bob, member=cast.alice)
    assert gateway.list_subscriptions(team.customer) == []
    assert wired_payer.customers()[0]["email"] == "bob@example.com"
    assert _click_subscribe(acme(wired_payer, cast)).status_code == 403

    wired_payer.subscribe()
    arrive(wired_payer)
    team.assert_open("pro")
    (paid,) = gateway.list_subscriptions(team.customer)
    _transfer(cast, cast.alice)
    arrive(wired_payer)
    assert [each["email"] for each in wired_payer.customers()] == ["alice@example.com"]
    assert [each["id"] for each in gateway.list_subscriptions(team.customer)] == [paid["id"]]
    acme(wired_payer, cast).assert_open("pro")
    team.assert_in_step()


def _transfer(cast: Cast, new_owner: Any) -> None:
    services_of_orgs.transfer_ownership(
        organization=Organization.objects.get(pk=cast.acme.pk),
        new_owner=new_owner,
        by=cast.dana,
        reason="The other one takes over.",
    )


def test_case_15_an_organization_that_pays_cannot_vanish_and_leave_stripe_billing(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: not by staff, not with its owner, not past the services."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    organization = team.organization
    delete = reverse("admin:orgs_organization_delete", args=[organization.pk])
    assert signed_in(cast.dana).post(delete, {"post": "yes"}).status_code == 403
    with pytest.raises(accounts.OwnsOrganization):
        accounts.delete_person(person=cast.alice, by=cast.dana)
    with pytest.raises(ProtectedError):
        organization.delete()
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM orgs_organization WHERE id = %s", [organization.pk])
    team.assert_open("pro")
    team.assert_in_step()
