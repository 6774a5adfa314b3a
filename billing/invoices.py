"""What Stripe's invoices say about money that is owed or was paid. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from billing.standing import StripeObject, reference, subscription_of

# Stripe tried to collect, and did not get the money. While a payment is merely on its way (a
# debit takes days), the subscription is still active.
FAILED = {"past_due", "unpaid"}


def owed_invoices(
    open_invoices: Iterable[dict[str, Any]], subscriptions: Iterable[StripeObject]
) -> list[dict[str, Any]]:
    """Return those that could not be collected and can still be paid, the oldest first."""
    failed = {each["id"] for each in subscriptions if each["status"] in FAILED}
    owed = [
        invoice
        for invoice in open_invoices
        if invoice.get("attempted")
        and (invoice.get("amount_remaining") or 0) > 0
        and subscription_of(invoice) in failed
    ]
    return sorted(owed, key=lambda invoice: (invoice["created"], invoice["id"]))


def own_payment_method(subscription: StripeObject) -> str | None:
    """Return the id of the payment method that pays this subscription and not all of them."""
    return reference(subscription.get("default_payment_method"))


def default_payment_method(customer: StripeObject) -> str | None:
    """Return the id of the customer's payment method for what has none of its own."""
    return reference((customer.get("invoice_settings") or {}).get("default_payment_method"))
