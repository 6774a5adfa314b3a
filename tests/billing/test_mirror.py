"""The mirror holds what Stripe has: also what ended unseen, and what is gone altogether."""

from __future__ import annotations

import pytest
from djstripe.models import Customer, Invoice, Subscription

from accounts.models import UserEventLog
from billing import gateway
from billing.gateway import invoices
from billing.models import Standing, Status
from orgs.models import Organization
from tests.billing.stripe_objects import subscription
from tests.cast import Cast
from tests.payer import Payer

FAILS_LATER, GOOD = "4000000000000341", "4242424242424242"


def mirrored(id: str) -> str:
    """The status of a subscription, as the mirror has it."""
    status: str = Subscription.objects.get(id=id).stripe_data["status"]
    return status


def test_a_subscription_that_stripe_never_heard_of_is_removed(payer: Payer, cast: Cast) -> None:
    acme = payer.sync()
    Subscription.objects.create(
        id="sub_ghost",
        customer_id=acme.stripe_customer_id,
        stripe_data=subscription("active", id="sub_ghost"),
    )
    Standing.objects.update(subscription="sub_ghost", status=Status.CURRENT)
    payer.sync()
    assert not Subscription.objects.exists()
    standing = Standing.objects.get(organization=cast.acme)
    assert (standing.status, standing.subscription_id) == (Status.FREE, None)


def test_the_subscriptions_of_a_deleted_customer_end_in_the_mirror_too(payer: Payer) -> None:
    payer.subscribe()
    acme = payer.sync()
    (subscription,) = Subscription.objects.all()
    gateway.api().customers.delete(acme.stripe_customer_id)
    payer.sync()
    assert mirrored(subscription.id) == "canceled"
    assert Customer.objects.get().stripe_data["deleted"] is True


def test_an_invoice_that_was_paid_is_no_longer_open_in_the_mirror(payer: Payer) -> None:
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    payer.sync()
    (invoice,) = Invoice.objects.filter(stripe_data__status="open")
    payer.change_card(GOOD)
    payer.pay()
    payer.sync()
    invoice.refresh_from_db()
    assert invoice.stripe_data["status"] == "paid"


def test_what_has_changed_is_written_and_the_rest_is_left_alone(payer: Payer) -> None:
    payer.subscribe()
    payer.sync()
    invoice, subscription = Invoice.objects.get(), Subscription.objects.get()
    payer.cancel()
    payer.sync()
    assert Invoice.objects.get().djstripe_updated == invoice.djstripe_updated
    assert Subscription.objects.get().djstripe_updated > subscription.djstripe_updated
    assert Subscription.objects.get().stripe_data["cancel_at"] is not None


def test_open_invoices_are_known_however_many_newer_ones_there_are(
    payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoices, "RECENT_INVOICES", 1)
    payer.sandbox.settings(dunning_end="past_due")
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(65)
    payer.sync()
    assert Invoice.objects.filter(stripe_data__status="open").count() == 2


def test_an_invoice_that_stripe_no_longer_has_is_removed(payer: Payer) -> None:
    acme = payer.sync()
    Invoice.objects.create(
        id="in_ghost", customer_id=acme.stripe_customer_id, stripe_data={"status": "open"}
    )
    payer.sync()
    assert not Invoice.objects.exists()


def test_a_change_of_standing_names_what_it_came_from(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    acme = payer.sync()
    line = UserEventLog.objects.filter(event="standing_changed").latest("pk")
    subscription = Subscription.objects.get()
    invoice = Invoice.objects.get(stripe_data__status="open")
    assert line.data["stripe"] == {
        "customer": acme.stripe_customer_id,
        "subscriptions": {subscription.id: "past_due"},
        "open_invoices": [invoice.id],
    }


def test_the_key_is_renewed_once_and_in_the_sync_that_records_the_deletion(payer: Payer) -> None:
    acme = payer.sync()
    first = Standing.objects.get(organization=acme).customer_key
    payer.sync()
    assert Standing.objects.get(organization=acme).customer_key == first
    gateway.api().customers.delete(acme.stripe_customer_id)
    payer.sync()
    second = Standing.objects.get(organization=acme).customer_key
    payer.sync()
    assert second != first
    assert Standing.objects.get(organization=acme).customer_key == second
    assert UserEventLog.objects.filter(event="customer_deleted").count() == 1


def test_a_new_customer_whose_creation_went_unanswered_is_found_again(payer: Payer) -> None:
    """Starting afresh, and the answer is lost: the next try finds that customer by its key."""
    dead = payer.sync().stripe_customer_id
    gateway.api().customers.delete(dead)
    payer.sync()
    payer.sandbox.weather(
        [{"path": "/v1/customers", "method": "POST", "drop": True, "after_effect": True}]
    )
    with pytest.raises(gateway.BillingUnavailable):
        payer.checkout_url()
    payer.sandbox.weather([])
    payer.checkout_url()
    (alive,) = payer.customers()
    acme = Organization.objects.get(pk=payer.organization.pk)
    assert acme.stripe_customer_id == alive["id"] != dead


def test_a_customer_deleted_before_it_was_linked_is_replaced(payer: Payer) -> None:
    """Stripe answers a repeated key as it did the first time, also when that customer is gone."""
    payer.sandbox.weather(
        [{"path": "/v1/customers", "method": "POST", "drop": True, "after_effect": True}]
    )
    with pytest.raises(gateway.BillingUnavailable):
        payer.sync()
    payer.sandbox.weather([])
    (lost,) = payer.customers()
    gateway.api().customers.delete(lost["id"])
    acme = payer.sync()
    (alive,) = payer.customers()
    assert acme.stripe_customer_id == alive["id"] != lost["id"]
    assert Standing.objects.get(organization=acme).status == Status.FREE
