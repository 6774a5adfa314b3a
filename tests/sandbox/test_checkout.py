"""Checkout sessions and the page that completes them."""

import time

import pytest
import stripe

from tests.sandbox import forms
from tests.sandbox.world import (
    CANCEL,
    CONFIRMS_ONCE,
    DAY,
    FAILS_LATER,
    GOOD,
    LACKS_FUNDS,
    SUCCESS,
    Shop,
    period_end,
)

pytestmark = pytest.mark.process


def test_paying_completes_the_session_and_goes_to_the_success_url(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer)

    page = shop.pay(session, GOOD)

    assert page.status == 303
    assert page.url == SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)
    done = shop.client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items", "subscription.latest_invoice", "customer"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert done.client_reference_id == "org-7"
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    assert isinstance(done.subscription.latest_invoice, stripe.Invoice)
    assert done.subscription.latest_invoice.amount_paid == 2900
    assert done.line_items is not None
    assert done.line_items.data[0].price is not None
    assert done.line_items.data[0].price.id == shop.monthly


def test_the_page_shows_plan_amount_and_the_way_back(shop: Shop) -> None:
    session = shop.checkout(shop.customer())
    assert session.url is not None

    page = forms.visit(session.url)

    assert "Subscribe to Team" in page.text
    assert "$29.00 due today" in page.text
    assert page.links["cancel-link"] == CANCEL
    assert page.forms["checkout-form"].fields == {"card": ""}


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (LACKS_FUNDS, "Your card has insufficient funds."),
        (FAILS_LATER, "Your card was declined."),
        ("1234 5678", "invalid number"),
        (" ", "Enter a card number."),
    ],
)
def test_a_declined_card_leaves_the_session_open(shop: Shop, card: str, message: str) -> None:
    customer = shop.customer()
    session = shop.checkout(customer)

    page = shop.pay(session, card)

    assert message in page.text
    assert "checkout-form" in page.forms
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert not shop.client.v1.subscriptions.list({"customer": customer, "status": "all"}).data
    assert shop.pay(session, GOOD).status == 303


def test_a_card_that_asks_for_confirmation_pays_once_confirmed(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer)

    page = shop.pay(session, CONFIRMS_ONCE)
    assert "Your bank asks" in page.text
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "open"

    page = forms.submit(page, "confirm-form", decision="complete")
    assert page.url.startswith("http://product.test/done")
    subscription = shop.subscription(customer)
    assert subscription.status == "active"

    shop.advance(to=period_end(subscription))
    assert shop.subscription(customer).status == "active", "it was set up for renewals"


def test_a_failed_confirmation_leads_back_to_the_open_session(shop: Shop) -> None:
    session = shop.checkout(shop.customer())

    page = forms.submit(shop.pay(session, CONFIRMS_ONCE), "confirm-form", decision="fail")

    assert "The payment was not confirmed." in page.text
    assert shop.pay(session, GOOD).status == 303


def test_a_trial_begins_without_payment_and_is_charged_at_its_end(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer, trial_days=14)

    shop.pay(session, GOOD)

    done = shop.client.v1.checkout.sessions.retrieve(session.id)
    assert done.payment_status == "no_payment_required"
    subscription = shop.subscription(customer)
    assert subscription.status == "trialing"
    assert subscription.trial_end == shop.start + 14 * DAY
    assert shop.invoice(customer).amount_due == 0

    shop.advance(to=subscription.trial_end)
    subscription = shop.subscription(customer)
    assert subscription.status == "active"
    assert shop.invoice(customer).amount_paid == 2900
    assert shop.events(about=subscription.id).count("customer.subscription.trial_will_end") == 1


def test_a_trial_whose_card_fails_becomes_past_due(shop: Shop) -> None:
    customer = shop.customer()
    shop.pay(shop.checkout(customer, trial_days=7), FAILS_LATER)
    assert shop.subscription(customer).status == "trialing"

    shop.advance(days=7)

    assert shop.subscription(customer).status == "past_due"


def test_a_trial_may_begin_without_a_card_where_that_is_allowed(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": shop.monthly, "quantity": 2}],
            "success_url": SUCCESS,
            "payment_method_collection": "if_required",
            "subscription_data": {
                "trial_period_days": 7,
                "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
            },
        }
    )

    shop.pay(session, "")
    assert shop.subscription(customer).status == "trialing"

    shop.advance(days=7)
    assert shop.subscription(customer).status == "paused"


def test_a_session_without_a_customer_makes_one_by_e_mail(shop: Shop) -> None:
    session = shop.client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": shop.monthly, "quantity": 1}],
            "success_url": SUCCESS,
        }
    )
    assert session.url is not None

    forms.submit(forms.visit(session.url), "checkout-form", card=GOOD, email="new@example.com")

    made = shop.client.v1.customers.list({"email": "new@example.com"}).data
    assert [customer.email for customer in made] == ["new@example.com"]


def test_an_expired_session_takes_no_payment(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer)
    assert session.url is not None

    expired = shop.client.v1.checkout.sessions.expire(session.id)

    assert expired.status == "expired"
    assert forms.visit(session.url).status == 410
    assert "checkout.session.expired" in shop.events(about=session.id)
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        shop.client.v1.checkout.sessions.expire(session.id)


def test_a_session_expires_by_its_customers_clock(shop: Shop) -> None:
    session = shop.checkout(shop.customer())

    shop.advance(days=1)

    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_sessions_are_listed_by_customer_and_status(shop: Shop) -> None:
    customer = shop.customer()
    paid, left = shop.checkout(customer), shop.checkout(customer)
    shop.checkout(shop.customer("other@example.com"))
    shop.pay(paid)

    sessions = shop.client.v1.checkout.sessions
    found = sessions.list({"customer": customer, "status": "open"}).data

    assert [session.id for session in found] == [left.id]


def test_an_expiry_too_near_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at least 30 minutes"):
        shop.client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [{"price": shop.monthly}],
                "success_url": SUCCESS,
                "expires_at": int(time.time()) + 60,
            }
        )


def test_a_completed_session_sends_its_visitor_on(shop: Shop) -> None:
    session = shop.checkout(shop.customer())
    shop.pay(session)
    assert session.url is not None

    assert forms.visit(session.url).url.startswith("http://product.test/done")
