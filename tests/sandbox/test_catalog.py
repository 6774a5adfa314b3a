"""Products, prices and the account."""

import pytest
import stripe

from tests.sandbox.world import Shop, period_end

pytestmark = pytest.mark.process


def test_the_account_is_there(stripe_client: stripe.StripeClient) -> None:
    assert stripe_client.v1.accounts.retrieve_current().id.startswith("acct_")


def test_a_product_keeps_the_id_it_was_given_and_no_other_gets_it(shop: Shop) -> None:
    assert shop.client.v1.products.retrieve("prod_team").name == "Team"

    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.client.v1.products.create({"id": "prod_team", "name": "Again"})

    assert raised.value.code == "resource_already_exists"


def test_a_product_can_be_changed_and_listed(shop: Shop) -> None:
    products = shop.client.v1.products
    products.update(shop.product, {"active": False, "default_price": shop.monthly})

    assert products.retrieve(shop.product).default_price == shop.monthly
    assert not products.list({"active": True}).data
    assert [each.id for each in products.list({"ids": [shop.product]}).data] == [shop.product]


def test_a_product_with_prices_cannot_be_deleted(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.products.delete(shop.product)

    unused = shop.client.v1.products.create({"name": "Unused"})
    assert shop.client.v1.products.delete(unused.id).deleted is True


def test_prices_are_found_by_lookup_key_product_and_state(shop: Shop) -> None:
    prices = shop.client.v1.prices
    prices.update(shop.yearly, {"active": False})

    by_key = prices.list({"lookup_keys": ["team_yearly", "none"], "expand": ["data.product"]}).data
    active = prices.list({"product": shop.product, "active": True}).data

    assert [price.id for price in by_key] == [shop.yearly]
    assert isinstance(by_key[0].product, stripe.Product)
    assert [price.id for price in active] == [shop.monthly]


def test_a_lookup_key_moves_only_when_it_is_transferred(shop: Shop) -> None:
    prices = shop.client.v1.prices
    wanted: stripe.params.PriceCreateParams = {
        "product": shop.product,
        "currency": "usd",
        "unit_amount": 3900,
        "recurring": {"interval": "month"},
        "lookup_key": "team_monthly",
    }
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        prices.create(wanted)

    made = prices.create({**wanted, "transfer_lookup_key": True})

    assert made.lookup_key == "team_monthly"
    assert prices.retrieve(shop.monthly).lookup_key is None


def test_an_inactive_price_cannot_be_subscribed_to(shop: Shop) -> None:
    shop.client.v1.prices.update(shop.monthly, {"active": False})

    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.checkout(shop.customer())


def test_an_archived_price_begins_nothing_new(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer, {"items": [{"price": shop.yearly}]})
    shop.client.v1.prices.update(shop.monthly, {"active": False})
    item = subscription["items"].data[0]

    with pytest.raises(stripe.InvalidRequestError, match="The price specified is inactive") as sold:
        shop.checkout(customer)
    with pytest.raises(stripe.InvalidRequestError, match="The price specified is inactive"):
        shop.begin(customer)
    with pytest.raises(stripe.InvalidRequestError, match="The price specified is inactive"):
        shop.client.v1.subscriptions.update(
            subscription.id, {"items": [{"id": item.id, "price": shop.monthly}]}
        )

    assert (sold.value.http_status, sold.value.param) == (400, "line_items[0][price]")


def test_what_began_with_a_price_goes_on_after_it_was_archived(shop: Shop) -> None:
    customer, late = shop.payer(), shop.customer()
    subscription = shop.begin(customer)
    session = shop.checkout(late)
    shop.client.v1.prices.update(shop.monthly, {"active": False})

    assert shop.pay(session).status == 303
    item = subscription["items"].data[0]
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item.id, "price": shop.monthly, "quantity": 2}]}
    )
    shop.advance(to=period_end(subscription))

    assert shop.subscription(late).status == "active"
    assert shop.invoice(customer).amount_paid == 2900 + 2 * 2900
