"""The states of an invoice: draft, open, then paid, void or uncollectible."""

from sandbox import clocks, events, records
from sandbox.address import base_url
from sandbox.billing import payments, shapes
from sandbox.errors import refused
from sandbox.kinds import JSON
from sandbox.records import Record


def draft(
    subscription: Record, lines: list[JSON], *, reason: str, period_start: int, now: int
) -> Record:
    """Make a subscription's next invoice; the caller announces it."""
    customer = records.get("customer", subscription.data["customer"])
    invoice = records.add(
        shapes.invoice(
            subscription.data, customer.data, lines, reason=reason, period=(period_start, now)
        ),
        customer=customer.id,
    )
    subscription.data["latest_invoice"] = invoice.id
    return invoice


def finalize(invoice: Record) -> None:
    """Number a draft, open it and ask for its money; nothing owed is paid."""
    now = clocks.now_of(invoice)
    customer = records.get("customer", invoice.data["customer"])
    _apply_balance(invoice, customer)
    amount = invoice.data["amount_due"]
    invoice.data |= {
        "status": "open",
        "number": _next_number(customer),
        "effective_at": now,
        "hosted_invoice_url": f"{base_url()}/i/{invoice.id}",
        "invoice_pdf": f"{base_url()}/i/{invoice.id}",
    }
    invoice.data["status_transitions"]["finalized_at"] = now
    if amount:
        intent = payments.create(invoice, customer.id, amount, invoice.data["currency"])
        invoice.hidden["payment_intent"] = intent.id
    records.save(invoice)
    events.emit("invoice.finalized", invoice)
    if not amount:
        mark_paid(invoice)


def _apply_balance(invoice: Record, customer: Record) -> None:
    """Use up a customer's credit, or add to it what an invoice gives back."""
    balance = customer.data["balance"]
    owed = invoice.data["total"] + balance
    invoice.data |= {
        "starting_balance": balance,
        "ending_balance": min(owed, 0),
        "amount_due": max(owed, 0),
        "amount_remaining": max(owed, 0),
    }
    with events.changing(customer, "customer.updated"):
        customer.data["balance"] = min(owed, 0)


def _next_number(customer: Record) -> str:
    sequence = customer.data["next_invoice_sequence"]
    customer.data["next_invoice_sequence"] = sequence + 1
    records.save(customer)
    return f"{customer.data['invoice_prefix']}-{sequence:04d}"


def mark_paid(invoice: Record, *, out_of_band: bool = False) -> None:
    """Close an invoice as paid. Only a real payment "succeeds"."""
    due = invoice.data["amount_due"]
    invoice.data |= {
        "status": "paid",
        "attempted": True,
        "attempt_count": invoice.data["attempt_count"] + (1 if due and not out_of_band else 0),
        "amount_paid": due,
        "amount_paid_off_stripe": due if out_of_band else 0,
        "amount_remaining": 0,
        "auto_advance": False,
        "next_payment_attempt": None,
    }
    invoice.data["status_transitions"]["paid_at"] = clocks.now_of(invoice)
    records.save(invoice)
    events.emit("invoice.paid", invoice)
    if not out_of_band:
        events.emit("invoice.payment_succeeded", invoice)


def void(invoice: Record) -> None:
    """Cancel an invoice as a mistake, and its payment with it."""
    require_status(invoice, "open", "uncollectible", action="void")
    _close(invoice, "void", "voided_at")
    events.emit("invoice.voided", invoice)
    intent = payment_of(invoice)
    if intent is not None:
        payments.cancel(intent)


def mark_uncollectible(invoice: Record) -> None:
    """Give an invoice up as a bad debt; it can still be paid."""
    require_status(invoice, "open", action="mark as uncollectible")
    _close(invoice, "uncollectible", "marked_uncollectible_at")
    events.emit("invoice.marked_uncollectible", invoice)


def _close(invoice: Record, status: str, moment: str) -> None:
    invoice.data |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    invoice.data["status_transitions"][moment] = clocks.now_of(invoice)
    records.save(invoice)


def stop_collecting(invoice: Record) -> None:
    """Leave an invoice to be paid by hand."""
    with events.changing(invoice, "invoice.updated"):
        invoice.data |= {"auto_advance": False, "next_payment_attempt": None}


def payment_of(invoice: Record) -> Record | None:
    id = invoice.hidden.get("payment_intent")
    return records.find(id) if id else None


def subscription_of(invoice: Record) -> Record | None:
    return records.find(invoice.data["parent"]["subscription_details"]["subscription"])


def of_subscription(subscription: Record) -> list[Record]:
    """Return a subscription's invoices, newest first."""
    return [
        invoice
        for invoice in records.each("invoice", customer=subscription.customer)
        if invoice.data["parent"]["subscription_details"]["subscription"] == subscription.id
    ]


def require_status(invoice: Record, *allowed: str, action: str) -> None:
    """Raise Stripe's 400 when an invoice's status forbids an action."""
    if invoice.data["status"] not in allowed:
        raise refused(
            f"You can only {action} an invoice whose status is {' or '.join(allowed)}. This "
            f"invoice's status is {invoice.data['status']}.",
            code="invoice_not_editable" if "draft" in allowed else None,
        )
