"""Subscriptions by the API: how they begin, change, renew and end."""

import time

import pytest
import stripe

from tests.sandbox.receiver import eventually
from tests.sandbox.world import DAY, FAILS_LATER, Shop, period_end, period_start

pytestmark = pytest.mark.process


def test_a_paid_first_invoice_makes_it_active(shop: Shop) -> None:
    subscription = shop.begin(shop.payer(), {"expand": ["latest_invoice.payments"]})

    assert shop.subscription(str(subscription.customer)).status == "active"
    assert subscription.billing_mode.type == "flexible"
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.payments is not None
    assert invoice.payments.data[0].status == "paid"


def test_without_a_card_it_cannot_begin(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        shop.begin(shop.customer())


def test_a_declined_first_payment_leaves_it_incomplete_and_it_expires(shop: Shop) -> None:
    customer = shop.payer("pm_card_chargeCustomerFail")
    subscription = shop.begin(customer)
    assert subscription.status == "incomplete"

    shop.advance(days=1)

    assert shop.subscription(customer).status == "incomplete_expired"
    assert shop.invoice(customer).status == "void"


def test_error_if_incomplete_begins_nothing(shop: Shop) -> None:
    customer = shop.payer("pm_card_chargeCustomerFail")

    with pytest.raises(stripe.CardError):
        shop.begin(customer, {"payment_behavior": "error_if_incomplete"})

    found = shop.client.v1.subscriptions.list({"customer": customer, "status": "all"})
    assert not found.data


def test_default_incomplete_waits_for_its_payment_intent(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(
        customer,
        {
            "payment_behavior": "default_incomplete",
            "expand": ["latest_invoice.confirmation_secret", "latest_invoice.payments"],
        },
    )
    assert subscription.status == "incomplete"
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.confirmation_secret is not None
    assert invoice.payments is not None
    intent = str(invoice.payments.data[0].payment.payment_intent)
    assert invoice.confirmation_secret.client_secret.startswith(intent)

    confirmed = shop.client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})

    assert confirmed.status == "succeeded"
    assert shop.subscription(customer).status == "active"


def test_renewals_bill_each_month_from_the_anchor(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    first_end = period_end(subscription)

    shop.advance(to=first_end, days=40)

    renewed = shop.subscription(customer)
    assert period_start(renewed) > first_end
    invoices = shop.client.v1.invoices.list({"customer": customer}).data
    assert [invoice.billing_reason for invoice in invoices] == [
        "subscription_cycle",
        "subscription_cycle",
        "subscription_create",
    ]
    assert invoices[1].created == first_end
    assert all(invoice.status == "paid" for invoice in invoices)


def test_the_apis_own_flag_sets_flag_and_moment(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)

    changed = shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert changed.cancel_at_period_end is True
    assert changed.cancel_at == period_end(changed)

    changed = shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (changed.cancel_at_period_end, changed.cancel_at) == (False, None)


def test_cancel_at_ends_it_at_that_moment(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer)
    moment = shop.start + 3 * DAY
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at": moment})

    shop.advance(to=moment - 1)
    assert shop.subscription(customer).status == "active"
    shop.advance(to=moment)

    assert shop.subscription(customer).ended_at == moment
    assert shop.events(about=subscription.id)[-1] == "customer.subscription.deleted"


def test_the_flag_ends_it_when_the_period_does(shop: Shop) -> None:
    subscription = shop.begin(shop.payer())
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    shop.advance(to=period_end(subscription), days=40)

    ended = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", period_end(subscription))
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "cancellation_requested"
    assert shop.events(about=subscription.id)[-1] == "customer.subscription.deleted"


def test_either_way_of_scheduling_an_end_replaces_the_other(shop: Shop) -> None:
    subscriptions = shop.client.v1.subscriptions
    id = shop.begin(shop.payer()).id
    moment = shop.start + 3 * DAY

    subscriptions.update(id, {"cancel_at_period_end": True})
    dated = subscriptions.update(id, {"cancel_at": moment})
    assert (dated.cancel_at_period_end, dated.cancel_at) == (False, moment)
    kept = subscriptions.update(id, {"cancel_at_period_end": False})
    assert kept.cancel_at == moment, "the flag was not what set it"
    flagged = subscriptions.update(id, {"cancel_at_period_end": True})
    assert (flagged.cancel_at_period_end, flagged.cancel_at) == (True, period_end(flagged))
    cleared = subscriptions.update(id, {"cancel_at": ""})

    assert (cleared.cancel_at_period_end, cleared.cancel_at) == (False, None)
    assert cleared.canceled_at is None
    with pytest.raises(stripe.InvalidRequestError, match="only one of"):
        subscriptions.update(id, {"cancel_at": moment, "cancel_at_period_end": True})


def test_a_change_that_must_be_paid_is_undone_when_it_is_not(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.change_card(customer, FAILS_LATER)
    item = subscription["items"].data[0]

    with pytest.raises(stripe.CardError):
        shop.client.v1.subscriptions.update(
            subscription.id,
            {
                "items": [{"id": item.id, "price": shop.yearly}],
                "payment_behavior": "error_if_incomplete",
            },
        )

    after = shop.subscription(customer)
    assert (after.status, after["items"].data[0].price.id) == ("active", shop.monthly)


def test_canceling_ends_it_now_and_for_good(shop: Shop) -> None:
    subscription = shop.begin(shop.payer())

    ended = shop.client.v1.subscriptions.cancel(subscription.id)

    assert ended.status == "canceled"
    assert ended.ended_at == shop.start
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})


def test_the_end_of_a_trial_can_be_brought_forward(shop: Shop) -> None:
    customer = shop.payer()
    subscription = shop.begin(customer, {"trial_period_days": 30})
    assert subscription.status == "trialing"

    ended = shop.client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})

    assert ended.status == "active"
    assert shop.invoice(customer).amount_paid == 2900


def test_lists_leave_canceled_ones_out_unless_asked(shop: Shop) -> None:
    customer = shop.payer()
    old, new = shop.begin(customer), shop.begin(customer)
    shop.client.v1.subscriptions.cancel(old.id)
    subscriptions = shop.client.v1.subscriptions

    default = subscriptions.list({"customer": customer}).data
    everything = subscriptions.list({"customer": customer, "status": "all"}).data
    ended = subscriptions.list({"customer": customer, "status": "canceled"}).data
    priced = subscriptions.list({"price": shop.yearly}).data

    assert [each.id for each in default] == [new.id]
    assert [each.id for each in everything] == [new.id, old.id]
    assert [each.id for each in ended] == [old.id]
    assert priced == []


def test_items_can_be_read_by_themselves(shop: Shop) -> None:
    subscription = shop.begin(shop.payer())

    items = shop.client.v1.subscription_items.list({"subscription": subscription.id}).data

    assert [item.price.id for item in items] == [shop.monthly]
    assert shop.client.v1.subscription_items.retrieve(items[0].id).quantity == 1


def test_real_time_passes_by_itself_for_customers_without_a_clock(shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"payment_method": "pm_card_visa"})
    method = shop.client.v1.payment_methods.list({"customer": customer.id}).data[0]
    shop.begin(
        customer.id,
        {"default_payment_method": method.id, "trial_end": int(time.time()) + 1},
    )

    eventually(lambda: shop.subscription(customer.id).status == "active")


def test_a_failing_card_by_the_portal_only_matters_at_renewal(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    shop.change_card(customer, FAILS_LATER)
    shop.advance(to=period_end(subscription) - 1)

    assert shop.subscription(customer).status == "active"
