"""Case 10: metadata that lies or is missing, and customers that are somebody else's."""

from __future__ import annotations

import logging

import pytest
from djstripe.models import Customer, Event

from billing import gateway
from billing.models import Standing, TierPrice
from config.browser import Browser
from orgs.models import Organization
from tests.billing.cases import Team, acme, arrive
from tests.cast import Cast, OrganizationFactory
from tests.payer import Payer

pytestmark = pytest.mark.django_db(transaction=True)


def _links() -> dict[int, str | None]:
    return {each.pk: each.stripe_customer_id for each in Organization.objects.all()}


def _assert_all_acknowledged(payer: Payer) -> None:
    posted = payer.sandbox.deliveries()["list"]
    assert {(each["last_status"], each["attempts"]) for each in posted} == {(200, 1)}


@pytest.mark.parametrize("is_forged", [True, False], ids=["forged", "missing"])
def test_case_10_metadata_that_lies_or_is_missing_moves_no_customer(
    wired_payer: Payer, cast: Cast, is_forged: bool
) -> None:
    """Case 10: Acme's customer claims to be another organization's, or nobody's."""
    team, other = acme(wired_payer, cast), OrganizationFactory.create()
    before = _links()
    wired_payer.subscribe()
    key = str(Standing.objects.get(organization=other).customer_key) if is_forged else ""
    claims = {"customer_key": key, "djstripe_subscriber": str(other.pk), "owner": str(other.pk)}
    metadata = claims if is_forged else {"customer_key": ""}
    gateway.api().customers.update(team.customer, {"metadata": metadata})
    arrive(wired_payer)
    _assert_all_acknowledged(wired_payer)
    Payer(wired_payer.sandbox, other).sync()
    assert _links() == before
    assert not Customer.objects.exclude(subscriber=None).exists()
    assert len(wired_payer.customers()) == 2
    other.refresh_from_db()
    assert other.tier is None
    team.assert_open("pro")
    team.assert_in_step()


def test_case_10_another_environments_customer_on_our_account_is_left_alone(
    wired_payer: Payer, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 10: staging shares the account and says that its customer is Acme."""
    caplog.set_level(logging.INFO)
    team, before = acme(wired_payer, cast), _links()
    theirs = _pay_in_another_environment(team)
    arrive(wired_payer)
    _assert_all_acknowledged(wired_payer)
    assert _links() == before
    completed = Event.objects.get(type="checkout.session.completed")
    assert completed.data["object"]["customer"] == theirs
    assert f"Stripe event {completed.id} (checkout.session.completed) concerns no" in caplog.text
    wired_payer.sync()
    assert not Customer.objects.filter(id=theirs).exists()
    team.assert_open("free")
    team.assert_in_step()


def _pay_in_another_environment(team: Team) -> str:
    """Subscribe a customer of theirs, all of whose metadata is Acme's; return its id."""
    api = gateway.api()
    claims = {
        "customer_key": str(team.standing.customer_key),
        "djstripe_subscriber": str(team.organization.pk),
        "owner": str(team.owner.pk),
    }
    customer = api.customers.create({"email": team.owner.email, "metadata": claims}).id
    price = TierPrice.objects.get(tier__key="pro", interval="month").stripe_price_id
    session = api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": price, "quantity": 1}],
            "client_reference_id": str(team.organization.pk),
            "metadata": claims,
            "subscription_data": {"metadata": claims},
            "success_url": f"{team.payer.sandbox.url}/",
        }
    )
    browser = Browser()
    browser.open(session.url)
    browser.submit("checkout-form", card="4242424242424242")
    return str(customer)
