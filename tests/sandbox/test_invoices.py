"""Invoices and their previews."""

import pytest
import stripe

from tests.sandbox import forms
from tests.sandbox.world import Shop, period_end, period_start

pytestmark = pytest.mark.process


def test_a_renewal_bills_the_new_period_in_full(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.advance(to=period_end(subscription))

    invoice = shop.client.v1.invoices.retrieve(str(shop.invoice(customer).id))

    renewed = shop.subscription(customer)
    assert invoice.total == 2900
    assert (invoice.status, invoice.amount_remaining) == ("paid", 0)
    assert (invoice.period_start, invoice.period_end) == (shop.start, period_end(subscription))
    line = invoice.lines.data[0]
    assert (line.period.start, line.period.end) == (period_start(renewed), period_end(renewed))
    assert line.description == "1 \N{MULTIPLICATION SIGN} Team (at $29.00 / month)"
    assert invoice.status_transitions.paid_at == period_end(subscription)


def test_invoices_are_numbered_for_each_customer(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.advance(to=period_end(subscription))

    numbers = [each.number for each in shop.client.v1.invoices.list({"customer": customer}).data]

    assert [number and number[-5:] for number in numbers] == ["-0002", "-0001"]


def test_invoices_are_listed_by_status_and_subscription(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.fail_renewal(customer)
    invoices = shop.client.v1.invoices

    assert len(invoices.list({"customer": customer, "status": "open"}).data) == 1
    assert len(invoices.list({"subscription": subscription.id}).data) == 2


def test_lines_metadata_and_the_hosted_page_are_there(shop: Shop) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    invoice = shop.invoice(customer)
    assert invoice.hosted_invoice_url is not None

    changed = shop.client.v1.invoices.update(str(invoice.id), {"metadata": {"seen": "yes"}})

    assert changed.metadata is not None
    assert changed.metadata["seen"] == "yes"
    assert shop.client.v1.invoices.line_items.list(str(invoice.id)).data[0].amount == 2900
    assert "$29.00 paid" in forms.visit(invoice.hosted_invoice_url).text


def test_a_preview_shows_the_next_renewal_and_changes_nothing(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    preview = shop.client.v1.invoices.create_preview({"subscription": subscription.id})

    assert (preview.status, preview.amount_due) == ("draft", 2900)
    assert preview.period_end == period_end(subscription)
    assert len(shop.client.v1.invoices.list({"customer": customer}).data) == 1


def test_a_preview_of_a_change_to_yearly_bills_from_today(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    item = subscription["items"].data[0]

    preview = shop.client.v1.invoices.create_preview(
        {
            "subscription": subscription.id,
            "subscription_details": {"items": [{"id": item.id, "price": shop.yearly}]},
        }
    )

    assert [line.amount for line in preview.lines.data] == [-2900, 29000]
    assert preview.lines.data[1].period.start == shop.start
    assert shop.subscription(customer)["items"].data[0].price.id == shop.monthly


@pytest.mark.parametrize("way", ["void_invoice", "mark_uncollectible", "finalize_invoice"])
def test_a_paid_invoice_stays_paid(shop: Shop, way: str) -> None:
    customer = shop.customer()
    shop.subscribe(customer)

    with pytest.raises(stripe.InvalidRequestError, match="status is paid"):
        getattr(shop.client.v1.invoices, way)(shop.invoice(customer).id)
