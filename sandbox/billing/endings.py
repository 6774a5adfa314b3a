"""The ends of a subscription."""

from sandbox import clocks, events, records
from sandbox.billing import invoices
from sandbox.records import Record


def cancel(subscription: Record, *, reason: str) -> None:
    """End a subscription now, and stop collecting what it still owes."""
    now = clocks.now_of(subscription)
    data = subscription.data
    data |= {"status": "canceled", "ended_at": now, "canceled_at": data["canceled_at"] or now}
    data["cancellation_details"]["reason"] = reason
    data["pause_collection"] = None
    subscription.hidden["pending_lines"] = []
    records.save(subscription)
    events.emit("customer.subscription.deleted", subscription)
    for invoice in invoices.of_subscription(subscription):
        if invoice.data["status"] in ("draft", "open"):
            invoices.stop_collecting(invoice)


def expire(subscription: Record) -> None:
    """End a subscription whose first invoice was never paid."""
    for invoice in invoices.of_subscription(subscription):
        if invoice.data["status"] == "open":
            invoices.void(invoice)
    with events.changing(subscription, "customer.subscription.updated"):
        subscription.data["status"] = "incomplete_expired"
        subscription.data["ended_at"] = clocks.now_of(subscription)
