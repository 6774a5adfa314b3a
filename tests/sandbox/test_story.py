"""The whole story of one team's subscription, by the pages that people use."""

import pytest

from tests.sandbox import forms
from tests.sandbox.world import FAILS_LATER, GOOD, RETURN, Shop, period_end

pytestmark = pytest.mark.process


def test_a_team_subscribes_fails_to_pay_pays_and_cancels(shop: Shop) -> None:
    customer = shop.customer()

    subscription = shop.subscribe(customer, GOOD)
    assert subscription.status == "active"
    assert subscription.metadata["o"] == "7"

    shop.change_card(customer, FAILS_LATER)
    assert shop.subscription(customer).status == "active"

    shop.advance(to=period_end(subscription))
    assert shop.subscription(customer).status == "past_due"

    page = shop.change_card(customer, GOOD)
    assert shop.subscription(customer).status == "past_due", "a new card alone pays nothing"

    page = forms.submit(page, "pay-form")
    assert "The invoice was paid." in page.text
    assert shop.subscription(customer).status == "active"

    page = forms.submit(page, "cancel-form")
    ending = shop.subscription(customer)
    assert ending.status == "active"
    assert ending.cancel_at == period_end(ending)
    assert ending.cancel_at_period_end is False
    assert page.links["return-link"] == RETURN

    shop.advance(to=period_end(ending))
    ended = shop.subscription(customer)
    assert ended.status == "canceled"
    assert ended.ended_at == ending.cancel_at
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "cancellation_requested"


def test_its_events_come_in_stripes_order(shop: Shop) -> None:
    customer = shop.customer()

    subscription = shop.subscribe(customer)

    types = [kind for kind in shop.events() if not kind.startswith(("product", "price", "test"))]
    assert types == [
        "customer.created",
        "payment_method.attached",
        "customer.subscription.created",
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]
    assert shop.events(about=subscription.id) == [
        "customer.subscription.created",
        "customer.subscription.updated",
    ]
