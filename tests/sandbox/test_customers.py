"""Customers."""

import pytest
import stripe

from tests.sandbox.world import Shop

pytestmark = pytest.mark.process


def test_a_customer_can_be_made_found_and_changed(stripe_client: stripe.StripeClient) -> None:
    customers = stripe_client.v1.customers
    made = customers.create(
        {
            "email": "owner@example.com",
            "name": "Hedgehogs",
            "metadata": {"key": "7", "kind": "team"},
            "address": {"country": "DE", "city": "Jena"},
            "preferred_locales": ["de"],
        }
    )

    customers.update(made.id, {"name": "Hedgehogs & Co", "metadata": {"kind": "", "more": "1"}})

    found = customers.retrieve(made.id)
    assert found.name == "Hedgehogs & Co"
    assert found.metadata is not None
    assert found.metadata.to_dict() == {"key": "7", "more": "1"}
    assert found.address is not None
    assert (found.address.country, found.address.line1) == ("DE", None)


def test_an_update_names_what_it_changed(stripe_client: stripe.StripeClient) -> None:
    made = stripe_client.v1.customers.create({"email": "old@example.com", "metadata": {"a": "1"}})
    stripe_client.v1.customers.update(made.id, {"email": "new@example.com", "metadata": {"b": "2"}})
    stripe_client.v1.customers.update(made.id, {"email": "new@example.com"})

    newest = stripe_client.v1.events.list({"type": "customer.*"}).data

    assert [event.type for event in newest] == ["customer.updated", "customer.created"]
    assert newest[0].data.to_dict()["previous_attributes"] == {
        "email": "old@example.com",
        "metadata": {"b": None},
    }
    assert newest[0].to_dict()["request"]["id"].startswith("req_")


def test_customers_are_listed_by_e_mail(stripe_client: stripe.StripeClient) -> None:
    for email in ("a@example.com", "b@example.com"):
        stripe_client.v1.customers.create({"email": email})

    found = stripe_client.v1.customers.list({"email": "a@example.com"}).data

    assert [customer.email for customer in found] == ["a@example.com"]


def test_customers_are_found_by_their_metadata(stripe_client: stripe.StripeClient) -> None:
    customers = stripe_client.v1.customers
    customers.create({"metadata": {"customer_key": "other"}})
    mine = customers.create({"metadata": {"customer_key": "f81d4fae"}})

    found = customers.search({"query": "metadata['customer_key']:'f81d4fae'"})

    assert [customer.id for customer in found.data] == [mine.id]
    with pytest.raises(stripe.InvalidRequestError, match="unable to parse"):
        customers.search({"query": "everybody"})


def test_deleting_a_customer_ends_its_subscriptions(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    shop.client.v1.customers.delete(customer)

    left = shop.client.v1.customers.retrieve(customer)
    assert left.to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert shop.subscription(customer).status == "canceled"
    assert "customer.subscription.deleted" in shop.events(about=subscription.id)
    assert shop.events(about=customer)[-1] == "customer.deleted"
    assert not shop.client.v1.customers.list().data


def test_a_deleted_customers_subscriptions_can_still_be_read(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    shop.client.v1.customers.delete(customer)

    found = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (found.status, found.customer) == ("canceled", customer)
    listed = shop.client.v1.subscriptions.list({"customer": customer, "status": "all"}).data
    assert [each.id for each in listed] == [subscription.id]


def test_a_deleted_customer_cannot_complete_a_checkout(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer)
    shop.client.v1.customers.delete(customer)

    page = shop.pay(session)

    assert "This customer no longer exists." in page.text
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert shop.client.v1.subscriptions.list({"status": "all"}).data == []


def test_a_deleted_customer_begins_nothing_new(shop: Shop) -> None:
    customer = shop.customer()
    shop.client.v1.customers.delete(customer)

    for begin in (shop.checkout, shop.begin):
        with pytest.raises(stripe.InvalidRequestError) as raised:
            begin(customer)

        assert (raised.value.http_status, raised.value.code) == (400, "resource_missing")


def test_a_deleted_customer_can_be_neither_changed_nor_deleted(shop: Shop) -> None:
    customer = shop.customer()
    shop.client.v1.customers.delete(customer)

    with pytest.raises(stripe.InvalidRequestError) as changed:
        shop.client.v1.customers.update(customer, {"name": "x"})
    with pytest.raises(stripe.InvalidRequestError) as deleted:
        shop.client.v1.customers.delete(customer)

    assert changed.value.http_status == deleted.value.http_status == 404


def test_an_expanded_customer_shows_its_live_subscriptions(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    found = shop.client.v1.customers.retrieve(customer, {"expand": ["subscriptions"]})

    assert found.subscriptions is not None
    assert [each.id for each in found.subscriptions.data] == [subscription.id]
