"""`expand`: ids become objects, however deep, and what cannot be expanded is named."""

import pytest
import stripe

from tests.sandbox import raw
from tests.sandbox.world import Shop

pytestmark = pytest.mark.process


def test_a_path_of_four_steps_reaches_the_product(shop: Shop) -> None:
    subscription = shop.begin(shop.payer())

    found = raw.call(
        f"{shop.url}/v1/subscriptions/{subscription.id}"
        "?expand[]=items.data.price.product&expand[]=latest_invoice.payments&expand[]=customer"
    ).body

    assert found["items"]["data"][0]["price"]["product"]["name"] == "Team"
    assert found["latest_invoice"]["payments"]["data"][0]["status"] == "paid"
    assert found["customer"]["email"] == "owner@example.com"


def test_in_lists_each_object_is_expanded(shop: Shop) -> None:
    customer = shop.payer()
    first, second = shop.begin(customer), shop.begin(customer)

    found = raw.call(
        f"{shop.url}/v1/subscriptions?expand[]=data.customer&expand[]=data.latest_invoice.customer"
    ).body["data"]

    assert [each["id"] for each in found] == [second.id, first.id]
    assert {each["customer"]["id"] for each in found} == {customer}
    assert {each["latest_invoice"]["customer"]["id"] for each in found} == {customer}


def test_what_is_empty_stays_empty(shop: Shop) -> None:
    customer = raw.call(
        f"{shop.url}/v1/customers/{shop.customer()}"
        "?expand[]=default_source&expand[]=invoice_settings.default_payment_method"
    ).body

    assert customer["default_source"] is None
    assert customer["invoice_settings"]["default_payment_method"] is None


def test_a_deleted_customer_is_expanded_to_what_is_left_of_it(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    shop.client.v1.customers.delete(customer)

    found = raw.call(f"{shop.url}/v1/subscriptions/{subscription.id}?expand[]=customer").body

    assert found["customer"] == {"id": customer, "object": "customer", "deleted": True}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_thing", "cannot be expanded (no_such_thing)"),
        ("status", "cannot be expanded (status)"),
        ("id", "cannot be expanded (id)"),
        ("metadata", "cannot be expanded (metadata)"),
        ("status.more", "cannot be expanded (status)"),
        ("latest_invoice.nothing", "cannot be expanded (nothing)"),
        ("items.data.price.product.default_price", "cannot expand more than 4 levels"),
    ],
)
def test_what_cannot_be_expanded_is_refused_by_name(shop: Shop, path: str, message: str) -> None:
    subscription = shop.begin(shop.payer())

    answer = raw.call(
        f"{shop.url}/v1/subscriptions/{subscription.id}?expand[]=customer&expand[]={path}"
    )

    assert answer.status == 400
    assert message in answer.body["error"]["message"]
    assert answer.body["error"]["param"] == "expand[1]"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("customer", "You may want to try expanding 'data.customer' instead"),
        ("data", r"cannot be expanded \(data\)"),
        ("data.items.data.price.product", "cannot expand more than 4 levels"),
    ],
)
def test_lists_are_expanded_through_their_data(shop: Shop, path: str, message: str) -> None:
    shop.begin(shop.payer())

    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.client.v1.subscriptions.list({"expand": [path]})
