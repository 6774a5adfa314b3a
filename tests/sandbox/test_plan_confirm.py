"""The portal's page for one change of plan: what it costs today, and what becomes of it."""

import pytest
import stripe

from tests.sandbox import forms
from tests.sandbox.forms import Page
from tests.sandbox.world import (
    CONFIRMS_ALWAYS,
    DAY,
    FAILS_LATER,
    RETURN,
    Shop,
    period_end,
)

pytestmark = pytest.mark.process


def dearer(shop: Shop) -> str:
    made: stripe.Price = shop.client.v1.prices.create(
        {
            "product": shop.product,
            "currency": "usd",
            "unit_amount": 5900,
            "recurring": {"interval": "month"},
        }
    )
    return made.id


def confirm_page(shop: Shop, customer: str, price: str, behavior: str = "always_invoice") -> Page:
    """Open the page on which to confirm a change to a price."""
    configuration = shop.client.v1.billing_portal.configurations.create(
        {
            "features": {
                "subscription_update": {
                    "enabled": True,
                    "default_allowed_updates": ["price"],
                    "products": [{"product": shop.product, "prices": [price]}],
                    "proration_behavior": behavior,
                }
            }
        }
    )
    subscription = shop.subscription(customer)
    session = shop.client.v1.billing_portal.sessions.create(
        {
            "customer": customer,
            "configuration": configuration.id,
            "return_url": RETURN,
            "flow_data": {
                "type": "subscription_update_confirm",
                "subscription_update_confirm": {
                    "subscription": subscription.id,
                    "items": [
                        {"id": subscription["items"].data[0].id, "price": price, "quantity": 1}
                    ],
                },
                "after_completion": {"type": "redirect", "redirect": {"return_url": RETURN}},
            },
        }
    )
    return forms.visit(session.url)


def price_of(subscription: stripe.Subscription) -> str:
    id: str = subscription["items"].data[0].price.id
    return id


def test_it_shows_what_is_due_today_and_changes_the_price(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.advance(to=(shop.start + period_end(subscription)) // 2)
    dear = dearer(shop)

    page = confirm_page(shop, customer, dear)
    assert "$15.00 due today" in page.text
    assert set(page.forms) == {"switch-form"}
    page = forms.submit(page, "switch-form")

    assert page.url == RETURN
    after = shop.subscription(customer)
    assert price_of(after) == dear
    assert period_end(after) == period_end(subscription)
    assert shop.invoice(customer).amount_paid == 1500


def test_a_change_billed_later_costs_nothing_today(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    dear = dearer(shop)

    page = confirm_page(shop, customer, dear, "create_prorations")
    assert "$0.00 due today" in page.text
    forms.submit(page, "switch-form")
    shop.advance(to=period_end(subscription))

    assert shop.invoice(customer).amount_paid == 5900 - 2900 + 5900


def test_a_declined_card_leaves_the_old_plan_and_says_so(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.change_card(customer, FAILS_LATER)
    invoice = shop.invoice(customer)

    page = forms.submit(confirm_page(shop, customer, dearer(shop)), "switch-form")

    assert "Your card was declined." in page.text
    assert "switch-form" in page.forms
    after = shop.subscription(customer)
    assert (price_of(after), after.status) == (price_of(subscription), "active")
    assert shop.invoice(customer).id == invoice.id


@pytest.mark.parametrize(("decision", "happens"), [("complete", True), ("fail", False)])
def test_a_card_that_asks_for_confirmation_is_asked(
    shop: Shop, decision: str, happens: bool
) -> None:
    customer = shop.customer()
    shop.subscribe(customer, CONFIRMS_ALWAYS)
    dear = dearer(shop)

    page = forms.submit(confirm_page(shop, customer, dear), "switch-form")
    assert "Your bank asks" in page.text
    assert price_of(shop.subscription(customer)) == shop.monthly
    page = forms.submit(page, "confirm-form", decision=decision)

    assert (price_of(shop.subscription(customer)) == dear) is happens
    assert (page.url == RETURN) is happens
    assert shop.subscription(customer).status == "active"


def test_a_new_interval_starts_a_new_period_and_a_scheduled_end_goes_with_it(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    page = confirm_page(shop, customer, shop.yearly)
    assert "$261.00 due today" in page.text
    forms.submit(page, "switch-form")

    after = shop.subscription(customer)
    assert period_end(after) > shop.start + 364 * DAY
    assert after.cancel_at == period_end(after)


def test_what_was_done_is_not_offered_again(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    page = confirm_page(shop, customer, shop.yearly)
    forms.submit(page, "switch-form")

    assert forms.visit(page.url).forms == {}


def test_a_price_that_the_portal_does_not_offer_is_refused(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    portal = shop.client.v1.billing_portal
    configuration = portal.configurations.create(
        {
            "features": {
                "subscription_update": {
                    "enabled": True,
                    "default_allowed_updates": ["price"],
                    "products": [{"product": shop.product, "prices": [shop.monthly]}],
                }
            }
        }
    )

    with pytest.raises(stripe.InvalidRequestError, match="not among those"):
        portal.sessions.create(
            {
                "customer": customer,
                "configuration": configuration.id,
                "flow_data": {
                    "type": "subscription_update_confirm",
                    "subscription_update_confirm": {
                        "subscription": subscription.id,
                        "items": [{"id": subscription["items"].data[0].id, "price": shop.yearly}],
                    },
                },
            }
        )


def test_a_flow_needs_its_feature(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    portal = shop.client.v1.billing_portal
    configuration = portal.configurations.create(
        {"features": {"invoice_history": {"enabled": True}}}
    )

    with pytest.raises(stripe.InvalidRequestError, match="feature in the portal configuration"):
        portal.sessions.create(
            {
                "customer": customer,
                "configuration": configuration.id,
                "flow_data": {
                    "type": "subscription_cancel",
                    "subscription_cancel": {"subscription": subscription.id},
                },
            }
        )
