"""Renewals that fail: retries, what ends them, and what makes a subscription active again."""

import pytest
import stripe

from tests.sandbox import forms
from tests.sandbox.world import CONFIRMS_ALWAYS, DAY, GOOD, Shop, period_end
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.process


@pytest.fixture
def debtor(shop: Shop) -> str:
    """A customer whose renewal has just failed."""
    customer = shop.customer()
    shop.subscribe(customer)
    assert shop.fail_renewal(customer).status == "past_due"
    return customer


def test_retries_come_after_three_five_and_seven_days(shop: Shop, debtor: str) -> None:
    failed_at = shop.now()
    waits = []
    while (next_attempt := shop.invoice(debtor).next_payment_attempt) is not None:
        waits.append((next_attempt - failed_at) // DAY)
        failed_at = next_attempt
        shop.advance(to=next_attempt)

    assert waits == [3, 5, 7]
    assert shop.invoice(debtor).attempt_count == 4


def test_when_retries_are_used_up_it_is_canceled_for_failed_payment(
    shop: Shop, debtor: str
) -> None:
    shop.advance(days=15)

    subscription = shop.subscription(debtor)
    assert subscription.status == "canceled"
    assert subscription.cancellation_details is not None
    assert subscription.cancellation_details.reason == "payment_failed"
    invoice = shop.invoice(debtor)
    assert (invoice.status, invoice.auto_advance) == ("open", False)
    assert shop.events(about=subscription.id)[-1] == "customer.subscription.deleted"


@pytest.mark.parametrize(("end", "status"), [("unpaid", "unpaid"), ("past_due", "past_due")])
def test_the_end_of_dunning_is_a_setting(
    shop: Shop, debtor: str, sandbox: SandboxProcess, end: str, status: str
) -> None:
    sandbox.settings(dunning_end=end)

    shop.advance(days=15)

    assert shop.subscription(debtor).status == status


def test_an_unpaid_subscription_makes_drafts_and_revives_with_the_newest_one(
    shop: Shop, debtor: str, sandbox: SandboxProcess
) -> None:
    sandbox.settings(dunning_end="unpaid")
    shop.advance(days=15)
    owed = shop.invoice(debtor)
    shop.advance(to=period_end(shop.subscription(debtor)))
    draft = shop.invoice(debtor)
    assert (draft.status, draft.auto_advance) == ("draft", False)
    shop.change_card(debtor, GOOD)

    shop.client.v1.invoices.pay(owed.id)
    assert shop.subscription(debtor).status == "unpaid", "a newer draft stands in the way"
    shop.client.v1.invoices.finalize_invoice(draft.id)
    shop.client.v1.invoices.pay(draft.id)

    assert shop.subscription(debtor).status == "active"


def test_a_retry_with_a_good_card_revives_it(shop: Shop, debtor: str) -> None:
    shop.change_card(debtor, GOOD)

    shop.advance(days=3)

    assert shop.subscription(debtor).status == "active"
    assert shop.invoice(debtor).status == "paid"


def test_paying_an_older_invoice_does_not_revive_it(
    shop: Shop, debtor: str, sandbox: SandboxProcess
) -> None:
    sandbox.settings(dunning_end="past_due")
    older = shop.invoice(debtor)
    shop.advance(to=period_end(shop.subscription(debtor)))
    newer = shop.invoice(debtor)
    assert newer.id != older.id
    shop.change_card(debtor, GOOD)

    shop.client.v1.invoices.pay(older.id)
    assert shop.subscription(debtor).status == "past_due"
    shop.client.v1.invoices.pay(newer.id)

    assert shop.subscription(debtor).status == "active"


@pytest.mark.parametrize("way", ["void_invoice", "mark_uncollectible"])
def test_giving_the_debt_up_revives_it(shop: Shop, debtor: str, way: str) -> None:
    invoice = shop.invoice(debtor)

    getattr(shop.client.v1.invoices, way)(invoice.id)

    assert shop.subscription(debtor).status == "active"


def test_a_declined_payment_by_the_api_is_a_card_error_and_counts(shop: Shop, debtor: str) -> None:
    invoice = shop.invoice(debtor)

    with pytest.raises(stripe.CardError) as raised:
        shop.client.v1.invoices.pay(invoice.id)

    assert (raised.value.http_status, raised.value.code) == (402, "card_declined")
    assert raised.value.error is not None
    assert raised.value.error.decline_code == "generic_decline"
    assert shop.invoice(debtor).attempt_count == 2


def test_paid_out_of_band_is_paid_but_no_payment_succeeded(shop: Shop, debtor: str) -> None:
    invoice = shop.invoice(debtor)

    paid = shop.client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})

    assert paid.status == "paid"
    assert shop.subscription(debtor).status == "active"
    assert shop.events(about=invoice.id)[-1] == "invoice.paid"
    assert "invoice.payment_succeeded" not in shop.events(about=invoice.id)


def test_without_a_card_there_is_one_failure_and_no_retry(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.client.v1.payment_methods.detach(str(subscription.default_payment_method))

    shop.advance(to=period_end(subscription))

    invoice = shop.invoice(customer)
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)
    assert shop.subscription(customer).status == "past_due"
    with pytest.raises(stripe.InvalidRequestError, match="no active card"):
        shop.client.v1.invoices.pay(invoice.id)


def test_a_renewal_that_asks_for_confirmation_says_so(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, CONFIRMS_ALWAYS)

    shop.advance(to=period_end(subscription))

    assert shop.subscription(customer).status == "past_due"
    assert "invoice.payment_action_required" in shop.events(about=shop.invoice(customer).id)
    with pytest.raises(stripe.CardError) as raised:
        shop.client.v1.invoices.pay(shop.invoice(customer).id)
    assert raised.value.code == "invoice_payment_intent_requires_action"


@pytest.mark.parametrize(("decision", "status"), [("complete", "active"), ("fail", "past_due")])
def test_a_card_never_confirmed_waits_for_its_owner_at_renewal(
    shop: Shop, decision: str, status: str
) -> None:
    customer = shop.payer("pm_card_authenticationRequiredOnSetup")
    subscription = shop.begin(customer, {"trial_period_days": 7})

    shop.advance(to=period_end(subscription))
    invoice = shop.invoice(customer)
    assert shop.subscription(customer).status == "past_due"
    assert "invoice.payment_action_required" in shop.events(about=invoice.id)
    assert invoice.hosted_invoice_url is not None
    link = forms.visit(invoice.hosted_invoice_url).links["confirm-link"]
    page = forms.submit(forms.visit(f"{shop.url}{link}"), "confirm-form", decision=decision)

    assert "confirm-link" not in page.links
    assert shop.subscription(customer).status == status


def test_a_paid_invoice_cannot_be_paid_again(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)

    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        shop.client.v1.invoices.pay(shop.invoice(customer).id)
