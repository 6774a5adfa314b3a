"""Changes of plan, and collection that is paused."""

import pytest

from tests.sandbox.world import DAY, GOOD, Shop, period_end

pytestmark = pytest.mark.process


def test_a_dearer_price_is_prorated_on_the_next_invoice(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    dear = shop.client.v1.prices.create(
        {
            "product": shop.product,
            "currency": "usd",
            "unit_amount": 5900,
            "recurring": {"interval": "month"},
        }
    )
    item = subscription["items"].data[0]
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item.id, "price": dear.id}]}
    )

    shop.advance(to=period_end(subscription))

    invoice = shop.invoice(customer)
    assert [line.amount for line in invoice.lines.data] == [-2900, 5900, 5900]
    assert invoice.total == 8900


def test_a_change_can_be_invoiced_at_once(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    item = subscription["items"].data[0]

    shop.client.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item.id, "quantity": 3}], "proration_behavior": "always_invoice"},
    )

    invoice = shop.invoice(customer)
    assert invoice.billing_reason == "subscription_update"
    assert invoice.amount_paid == 2 * 2900


def test_what_a_cheaper_plan_gives_back_is_credited(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer, {"items": [{"price": shop.monthly, "quantity": 3}]})
    item = subscription["items"].data[0]

    shop.client.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item.id, "quantity": 1}], "proration_behavior": "always_invoice"},
    )
    assert shop.client.v1.customers.retrieve(customer).balance == -2 * 2900

    shop.advance(to=period_end(subscription))
    assert shop.invoice(customer).amount_due == 0
    assert shop.client.v1.customers.retrieve(customer).balance == -2900


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_paused_collection_charges_nobody(shop: Shop, behavior: str, status: str) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    shop.client.v1.subscriptions.update(
        subscription.id, {"pause_collection": {"behavior": behavior}}
    )

    shop.advance(to=period_end(subscription))

    assert shop.invoice(customer).status == status
    assert shop.subscription(customer).status == "active"


def test_a_paused_subscription_can_be_resumed(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.begin(
        customer,
        {
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    )
    shop.advance(days=7)
    assert shop.subscription(customer).status == "paused"
    shop.change_card(customer, GOOD)

    resumed = shop.client.v1.subscriptions.resume(subscription.id)

    assert resumed.status == "active"
    assert shop.invoice(customer).amount_paid == 2900
    assert "customer.subscription.paused" in shop.events(about=subscription.id)
    assert shop.events(about=subscription.id)[-2:] == [
        "customer.subscription.updated",
        "customer.subscription.resumed",
    ]


def test_a_paused_subscription_stays_so_until_its_invoice_is_paid(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.begin(
        customer,
        {
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    )
    shop.advance(days=7)

    resumed = shop.client.v1.subscriptions.resume(subscription.id)
    assert resumed.status == "paused"
    shop.change_card(customer, GOOD)
    shop.client.v1.invoices.pay(str(resumed.latest_invoice))

    assert shop.subscription(customer).status == "active"
    assert shop.events(about=subscription.id)[-1] == "customer.subscription.resumed"


def test_collection_goes_on_by_itself_at_the_moment_given(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    shop.client.v1.subscriptions.update(
        subscription.id,
        {"pause_collection": {"behavior": "void", "resumes_at": shop.start + 5 * DAY}},
    )

    shop.advance(to=period_end(subscription))

    assert shop.subscription(customer).pause_collection is None
    assert shop.invoice(customer).status == "paid"
