"""Cards, attached and detached by the API."""

import pytest
import stripe

from tests.sandbox.world import Shop

pytestmark = pytest.mark.process


def test_a_card_can_be_made_from_its_number_and_attached(shop: Shop) -> None:
    customer = shop.customer()
    methods = shop.client.v1.payment_methods
    made = methods.create(
        {
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": 8, "exp_year": 2035, "cvc": "314"},
        }
    )

    methods.attach(made.id, {"customer": customer})

    attached = methods.list({"customer": customer, "type": "card"}).data
    assert [method.id for method in attached] == [made.id]
    assert attached[0].card is not None
    assert (attached[0].card.last4, attached[0].card.exp_year) == ("4242", 2035)
    assert shop.client.v1.customers.payment_methods.list(customer).data[0].id == made.id
    assert shop.client.v1.customers.payment_methods.retrieve(customer, made.id).id == made.id


def test_an_unknown_number_is_a_card_error(stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as raised:
        stripe_client.v1.payment_methods.create(
            {
                "type": "card",
                "card": {"number": "4111", "exp_month": 8, "exp_year": 2035, "cvc": "314"},
            }
        )

    assert raised.value.code == "incorrect_number"


def test_a_card_without_funds_cannot_be_attached(shop: Shop) -> None:
    with pytest.raises(stripe.CardError) as raised:
        shop.client.v1.payment_methods.attach(
            "pm_card_visa_chargeDeclinedInsufficientFunds", {"customer": shop.customer()}
        )

    assert raised.value.error is not None
    assert raised.value.error.decline_code == "insufficient_funds"


def test_a_detached_card_pays_nothing_any_more(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    method = str(subscription.default_payment_method)

    shop.client.v1.payment_methods.detach(method)

    assert shop.subscription(customer).default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="cannot be used again"):
        shop.client.v1.payment_methods.attach(method, {"customer": customer})


def test_another_customers_card_cannot_be_a_default(shop: Shop) -> None:
    mine, other = shop.customer(), shop.customer("other@example.com")
    method = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": other})

    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.client.v1.customers.update(
            mine, {"invoice_settings": {"default_payment_method": method.id}}
        )

    assert raised.value.param == "invoice_settings[default_payment_method]"


def test_billing_details_can_be_changed(shop: Shop) -> None:
    methods = shop.client.v1.payment_methods
    method = methods.attach("pm_card_visa", {"customer": shop.customer()})

    methods.update(method.id, {"billing_details": {"name": "Ada"}, "metadata": {"a": "1"}})

    assert methods.retrieve(method.id).billing_details.name == "Ada"
