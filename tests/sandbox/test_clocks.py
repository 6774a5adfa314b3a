"""Test clocks."""

import pytest
import stripe

from tests.sandbox.world import DAY, Shop

pytestmark = pytest.mark.process


def test_a_clock_only_goes_forward(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="after the clock's present time"):
        shop.advance(to=shop.start)


def test_everything_due_happens_at_its_own_time(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)

    shop.advance(days=100)

    moments = [each.created for each in shop.client.v1.invoices.list({"customer": customer}).data]
    assert len(moments) == 4
    assert moments == sorted(moments, reverse=True)
    assert all(moment <= shop.start + 100 * DAY for moment in moments)


def test_one_clock_leaves_the_others_alone(shop: Shop) -> None:
    clocks = shop.client.v1.test_helpers.test_clocks
    other = clocks.create({"frozen_time": shop.start})

    shop.advance(days=5)

    assert clocks.retrieve(other.id).frozen_time == shop.start
    assert [each.id for each in clocks.list().data] == [other.id, shop.clock]


def test_deleting_a_clock_deletes_its_customers(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)

    shop.client.v1.test_helpers.test_clocks.delete(shop.clock)

    assert shop.client.v1.customers.retrieve(customer).deleted is True
    assert shop.subscription(customer).status == "canceled"
