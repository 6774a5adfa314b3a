"""Invoices of a customer."""

from __future__ import annotations

from billing.gateway import client
from billing.gateway.client import StripeJson, api, as_json, every, or_none, translated

# So many of a customer's newest invoices are looked at, whatever became of them.
RECENT_INVOICES = 12


@translated
def list_open_invoices(customer_id: str) -> list[StripeJson]:
    params = {"customer": customer_id, "status": "open", "limit": client.PAGE_SIZE}
    return list(every(api().invoices.list(params)))


@translated
def list_recent_invoices(customer_id: str) -> tuple[list[StripeJson], bool]:
    """Return the customer's newest invoices, whatever became of them, and whether there are
    more."""
    page = api().invoices.list({"customer": customer_id, "limit": RECENT_INVOICES})
    return [as_json(invoice) for invoice in page.data], bool(page.has_more)


@translated
def needs_confirmation(invoice_id: str) -> bool:
    """Say whether a payment of the invoice waits for the payer to confirm it (3-D Secure)."""
    expand = ["payments.data.payment.payment_intent"]
    invoice = or_none(lambda: api().invoices.retrieve(invoice_id, {"expand": expand}))
    payments = (((invoice or {}).get("payments") or {}).get("data")) or []
    intents = [(each.get("payment") or {}).get("payment_intent") for each in payments]
    return any(
        isinstance(each, dict) and each.get("status") == "requires_action" for each in intents
    )


@translated
def retrieve_invoice(invoice_id: str) -> StripeJson | None:
    """Return the invoice; None when Stripe has none of this id."""
    return or_none(lambda: api().invoices.retrieve(invoice_id))
