"""The billing portal: its sessions, its configurations and its page."""

import pytest
import stripe

from tests.sandbox import forms
from tests.sandbox.world import (
    CONFIRMS_ALWAYS,
    CONFIRMS_ONCE,
    FAILS_LATER,
    GOOD,
    LACKS_FUNDS,
    RETURN,
    Shop,
    period_end,
)

pytestmark = pytest.mark.process


def test_the_page_shows_plan_card_and_invoices(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)

    page = shop.portal(customer)

    assert "Team active" in page.text
    assert "Visa ending in 4242" in page.text
    assert "$29.00 paid" in page.text
    assert page.links["return-link"] == RETURN
    assert set(page.forms) == {"switch-form", "cancel-form", "card-form"}


def test_a_new_card_becomes_the_default_of_customer_and_subscription(shop: Shop) -> None:
    customer = shop.customer()
    before = shop.subscribe(customer)

    shop.change_card(customer, FAILS_LATER)

    after = shop.subscription(customer)
    assert after.default_payment_method != before.default_payment_method
    held = shop.client.v1.customers.retrieve(customer)
    assert held.invoice_settings is not None
    assert held.invoice_settings.default_payment_method == after.default_payment_method


def test_a_card_that_cannot_be_saved_changes_nothing(shop: Shop) -> None:
    customer = shop.customer()
    before = shop.subscribe(customer)

    page = shop.change_card(customer, LACKS_FUNDS)

    assert "Your card has insufficient funds." in page.text
    after = shop.subscription(customer)
    assert after.default_payment_method == before.default_payment_method


def test_a_card_that_asks_for_confirmation_is_saved_once_confirmed(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    page = shop.change_card(customer, CONFIRMS_ONCE)
    refused = forms.submit(page, "confirm-form", decision="fail")
    assert "Visa ending in 4242" in refused.text

    page = forms.submit(shop.change_card(customer, CONFIRMS_ONCE), "confirm-form")
    assert "Visa ending in 3155" in page.text
    shop.advance(to=period_end(subscription))
    assert shop.subscription(customer).status == "active"


def test_a_canceled_plan_can_be_taken_up_again_until_it_ends(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    page = forms.submit(shop.portal(customer), "cancel-form")
    assert "Ends on" in page.text
    page = forms.submit(page, "resume-form")

    assert "Renews on" in page.text
    kept = shop.subscription(customer)
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    shop.advance(to=period_end(subscription))
    assert shop.subscription(customer).status == "active"


def test_a_failed_payment_of_an_open_invoice_says_so(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    shop.fail_renewal(customer)

    page = forms.submit(shop.portal(customer), "pay-form")

    assert "Your card was declined." in page.text
    assert shop.subscription(customer).status == "past_due"


def test_paying_with_confirmation_leads_back_to_the_portal(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    page = forms.submit(shop.change_card(customer, CONFIRMS_ALWAYS), "confirm-form")
    shop.advance(to=period_end(shop.subscription(customer)))
    assert shop.subscription(customer).status == "past_due"
    assert "invoice.payment_action_required" in shop.events()

    page = forms.submit(shop.portal(customer), "pay-form")
    page = forms.submit(page, "confirm-form", decision="complete")

    assert "The invoice was paid." in page.text
    assert shop.subscription(customer).status == "active"


def test_the_hosted_invoice_page_takes_another_card(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    shop.fail_renewal(customer)
    url = shop.invoice(customer).hosted_invoice_url
    assert url is not None

    page = forms.submit(forms.visit(url), "pay-form", card=LACKS_FUNDS)
    assert "insufficient funds" in page.text
    page = forms.submit(page, "pay-form", card=CONFIRMS_ONCE)
    page = forms.submit(page, "confirm-form")

    assert "paid" in page.text
    assert "pay-form" not in page.forms
    assert shop.subscription(customer).status == "active"


def test_switching_to_the_yearly_price_bills_it_at_once_less_what_was_unused(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)

    page = forms.submit(shop.portal(customer), "switch-form", price=shop.yearly)

    assert "Your plan was changed." in page.text
    subscription = shop.subscription(customer)
    assert subscription["items"].data[0].price.id == shop.yearly
    invoice = shop.invoice(customer)
    assert invoice.billing_reason == "subscription_update"
    assert invoice.amount_paid == 29000 - 2900


def test_a_configuration_decides_what_the_page_offers(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    configuration = shop.client.v1.billing_portal.configurations.create(
        {
            "business_profile": {"headline": "Holdfast"},
            "features": {
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": False},
                "invoice_history": {"enabled": True},
            },
        }
    )
    session = shop.client.v1.billing_portal.sessions.create(
        {"customer": customer, "configuration": configuration.id}
    )

    assert set(forms.visit(session.url).forms) == {"card-form"}


def test_a_configuration_can_be_changed_and_is_listed(shop: Shop) -> None:
    configurations = shop.client.v1.billing_portal.configurations
    made = configurations.create({"features": {"invoice_history": {"enabled": True}}})

    configurations.update(
        made.id,
        {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}},
    )

    changed = configurations.retrieve(made.id)
    assert changed.features.subscription_cancel.mode == "immediately"
    assert changed.features.invoice_history.enabled
    assert [each.id for each in configurations.list().data] == [made.id]


def test_a_plan_canceled_immediately_ends_at_once(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    configuration = shop.client.v1.billing_portal.configurations.create(
        {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}}
    )
    session = shop.client.v1.billing_portal.sessions.create(
        {"customer": customer, "configuration": configuration.id}
    )

    forms.submit(forms.visit(session.url), "cancel-form")

    assert shop.subscription(customer).status == "canceled"


def test_a_flow_shows_one_thing_and_sends_people_home_afterwards(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    session = shop.client.v1.billing_portal.sessions.create(
        {
            "customer": customer,
            "return_url": RETURN,
            "flow_data": {
                "type": "payment_method_update",
                "after_completion": {"type": "redirect", "redirect": {"return_url": RETURN}},
            },
        }
    )

    page = forms.visit(session.url)

    assert set(page.forms) == {"card-form"}
    assert forms.submit(page, "card-form", card=GOOD).url == RETURN


def test_a_portal_needs_a_living_customer(shop: Shop) -> None:
    customer = shop.customer()
    shop.client.v1.customers.delete(customer)

    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.client.v1.billing_portal.sessions.create({"customer": customer})

    assert (raised.value.code, raised.value.param) == ("resource_missing", "customer")
