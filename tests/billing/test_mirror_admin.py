"""What Stripe said, in the admin: whose it is, where it is at Stripe, and no secret."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from djstripe.models import (
    Customer,
    Event,
    Invoice,
    Price,
    Product,
    Subscription,
    WebhookEndpoint,
)

from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.orgs.two_organizations import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def mirror(organization: Organization, number: int = 1) -> list[Any]:
    """What is said of an organization that pays."""
    customer = Customer.objects.create(
        id=f"cus_{number}", email="billing@example.com", subscriber=organization
    )
    Organization.objects.filter(pk=organization.pk).update(stripe_customer=customer)
    subscription = Subscription.objects.create(
        id=f"sub_{number}", customer=customer, stripe_data={"status": "past_due"}
    )
    invoice = Invoice.objects.create(
        id=f"in_{number}",
        customer=customer,
        stripe_data={"status": "open", "amount_due": 1950, "currency": "eur"},
    )
    event = Event.objects.create(
        id=f"evt_{number}",
        type="invoice.paid",
        data=(data := {"object": {"id": "in_1", "object": "invoice", "customer": customer.id}}),
        stripe_data={"data": data},
    )
    return [customer, subscription, invoice, event]


def test_the_menu_has_what_is_written_and_no_empty_tables() -> None:
    listed = {model for model in admin.site._registry if model._meta.app_label == "djstripe"}
    assert listed == {
        Customer,
        Event,
        Invoice,
        Price,
        Product,
        Subscription,
        WebhookEndpoint,
    }


def test_each_object_leads_to_its_organization_and_to_stripe(dana: Client, cast: Cast) -> None:
    kinds = ("customers", "subscriptions", "invoices", "events")
    for kind, row in zip(kinds, mirror(cast.acme), strict=True):
        page = unescape(dana.get(url(type(row), "change", row.pk)).content.decode())
        assert f'href="{url(Organization, "change", cast.acme.pk)}">Acme</a>' in page
        assert f'href="https://dashboard.stripe.com/test/{kind}/{row.id}"' in page
    assert '"object": "invoice"' in page


def test_lists_tell_standing_and_amount_in_words(dana: Client, cast: Cast) -> None:
    mirror(cast.acme)
    assert "Past due</span>" in dana.get(url(Subscription, "changelist")).content.decode()
    invoices = dana.get(url(Invoice, "changelist"), {"q": "cus_1"}).content.decode()
    for words in ("Open</span>", "€19.50", "Acme"):
        assert words in invoices
    assert "Acme" not in dana.get(url(Invoice, "changelist"), {"q": "cus_2"}).content.decode()


def test_what_is_nobodys_opens_too(dana: Client) -> None:
    nobodys = Customer.objects.create(id="cus_nobody")
    for row in (
        nobodys,
        Subscription.objects.create(id="sub_nobody", customer=nobodys),
        Event.objects.create(id="evt_nobody", type="x", data={"object": "nonsense"}),
    ):
        assert dana.get(url(type(row), "changelist")).status_code == 200
        assert dana.get(url(type(row), "change", row.pk)).status_code == 200


def test_a_secret_in_what_was_said_is_not_shown(dana: Client) -> None:
    row = Customer.objects.create(id="cus_1", stripe_data={"secret": "whsec_1", "name": "Ann"})
    page = dana.get(url(Customer, "change", row.pk)).content.decode()
    assert "Ann" in page
    assert "whsec_1" not in page


@pytest.mark.parametrize("model", [Customer, Subscription, Invoice, Event])
def test_a_list_costs_the_same_with_more_rows(dana: Client, cast: Cast, model: Any) -> None:
    def made() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert dana.get(url(model, "changelist")).status_code == 200
        return len(captured)

    mirror(cast.acme)
    before = made()
    for number in range(2, 5):
        mirror(OrganizationFactory.create(), number)
    assert made() == before
