"""Collecting an invoice, retrying it, and what that makes of its subscription."""

import copy

from sandbox import clocks, events, records
from sandbox.billing import endings, invoices, payments
from sandbox.billing.payments import Outcome
from sandbox.database import database
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.schedule import RETRY_AFTER

DUNNING_ENDS = ("cancel", "unpaid", "past_due")
SETTLED = ("paid", "void", "uncollectible")


def dunning_end() -> str:
    """Return what becomes of a subscription when retries are used up."""
    row = database.row("SELECT value FROM settings WHERE name='dunning_end'")
    return row["value"] if row else DUNNING_ENDS[0]


def set_dunning_end(end: str) -> None:
    """Choose one of DUNNING_ENDS, or raise ValueError."""
    if end not in DUNNING_ENDS:
        raise ValueError(f"dunning_end is one of {', '.join(DUNNING_ENDS)}.")
    with database.transaction():
        database.execute("INSERT OR REPLACE INTO settings VALUES ('dunning_end', ?)", end)


def settle(invoice: Record, *, confirmed: bool = False, is_on_session: bool = False) -> Outcome:
    """Finalize an automatic invoice and charge it at once.

    Stripe waits about an hour in between.
    """
    invoices.finalize(invoice)
    if invoice.data["status"] == "paid":
        follow(invoice)
        return Outcome.SUCCEEDED
    return collect(
        invoice,
        confirmed=confirmed,
        is_automatic=invoice.data["billing_reason"] != "subscription_create",
        is_on_session=is_on_session,
    )


def collect(
    invoice: Record,
    *,
    method: Record | None = None,
    confirmed: bool = False,
    is_automatic: bool = False,
    is_on_session: bool = False,
) -> Outcome:
    """Try to get an open invoice paid.

    `is_automatic` attempts count towards the retry schedule. `is_on_session` says that the owner
    is there, so that a card which asks for confirmation has not failed yet.
    """
    intent = invoices.payment_of(invoice)
    if intent is None:
        invoices.mark_paid(invoice)
        follow(invoice)
        return Outcome.SUCCEEDED
    outcome = payments.attempt(intent, method or default_method(invoice), confirmed=confirmed)
    if outcome is Outcome.SUCCEEDED:
        invoices.mark_paid(invoice)
        follow(invoice)
    elif outcome is Outcome.REQUIRES_ACTION and is_on_session:
        events.emit("invoice.payment_action_required", invoice)
    else:
        _record_failure(invoice, outcome, is_automatic=is_automatic)
    return outcome


def default_method(invoice: Record) -> Record | None:
    """Return the card that pays: the invoice's, subscription's or customer's."""
    subscription = invoices.subscription_of(invoice)
    customer = records.get("customer", invoice.data["customer"])
    candidates = (
        invoice.data["default_payment_method"],
        subscription.data["default_payment_method"] if subscription else None,
        customer.data.get("invoice_settings", {}).get("default_payment_method"),
    )
    id = next((candidate for candidate in candidates if candidate), None)
    return records.find(id) if id else None


def _record_failure(invoice: Record, outcome: Outcome, *, is_automatic: bool) -> None:
    before = copy.deepcopy(invoice.data)
    invoice.data |= {"attempted": True, "attempt_count": invoice.data["attempt_count"] + 1}
    if is_automatic:
        invoice.hidden["failures"] = invoice.hidden.get("failures", 0) + 1
        invoice.data["next_payment_attempt"] = _next_attempt(invoice, outcome)
    records.save(invoice)
    events.emit("invoice.payment_failed", invoice)
    if outcome is Outcome.REQUIRES_ACTION:
        events.emit("invoice.payment_action_required", invoice)
    follow(invoice)
    events.emit("invoice.updated", invoice, previous=events.difference(before, invoice.data))
    if invoice.hidden.get("failures", 0) > len(RETRY_AFTER) and is_automatic:
        _give_up(invoice)


def _next_attempt(invoice: Record, outcome: Outcome) -> int | None:
    failures = invoice.hidden["failures"]
    if outcome is Outcome.NO_METHOD or failures > len(RETRY_AFTER):
        return None
    return clocks.now_of(invoice) + RETRY_AFTER[failures - 1]


def _give_up(invoice: Record) -> None:
    subscription = invoices.subscription_of(invoice)
    if subscription is None or subscription.data["status"] != "past_due":
        return
    end = dunning_end()
    if end == "cancel":
        endings.cancel(subscription, reason="payment_failed")
    elif end == "unpaid":
        with events.changing(subscription, "customer.subscription.updated"):
            subscription.data["status"] = "unpaid"


def follow(invoice: Record) -> None:
    """Let a subscription's status follow its latest invoice, and only that.

    So paying an older invoice does not revive it, and a newer draft keeps it from being revived.
    """
    subscription = invoices.subscription_of(invoice)
    if subscription is None or subscription.data["latest_invoice"] != invoice.id:
        return
    before = subscription.data["status"]
    with events.changing(subscription, "customer.subscription.updated"):
        subscription.data["status"] = _status_after(subscription.data, invoice.data)
    if before == "paused" and subscription.data["status"] == "active":
        events.emit("customer.subscription.resumed", subscription)


def _status_after(subscription: JSON, invoice: JSON) -> str:
    status: str = subscription["status"]
    if status in ("past_due", "unpaid") and invoice["status"] in SETTLED:
        return "active"
    if status == "paused" and invoice["status"] in ("paid", "uncollectible"):
        return "active"
    if status == "incomplete":
        return {"paid": "active", "void": "incomplete_expired"}.get(invoice["status"], status)
    if status == "active" and invoice["status"] == "open" and invoice["attempted"]:
        return "past_due"
    return status
