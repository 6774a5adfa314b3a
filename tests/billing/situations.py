"""What a sync may find, in small: a situation for each mail to whoever pays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from billing.notices import Kind, Situation
from tests.billing.stripe_objects import NOW, at, invoice, item, moment, subscription

CARD = {
    "id": "pm_1",
    "type": "card",
    "brand": "visa",
    "last4": "4242",
    "exp_month": 8,
    "exp_year": 2030,
}


def owed(days: float = -1, **fields: Any) -> dict[str, Any]:
    written: dict[str, Any] = (
        invoice(days)
        | {
            "id": "in_owed",
            "status": "open",
            "attempted": True,
            "created": at(days),
            "currency": "eur",
            "number": "ACME-2",
            "next_payment_attempt": at(days + 3),
            "hosted_invoice_url": "https://stripe.example/i/in_owed",
            "invoice_pdf": "https://stripe.example/i/in_owed/pdf",
        }
        | fields
    )
    return written


def paid(days: float = -1, **fields: Any) -> dict[str, Any]:
    settled = {"id": "in_paid", "status": "paid", "amount_paid": 1900, "amount_remaining": 0}
    return owed(days) | settled | {"status_transitions": {"paid_at": at(days)}} | fields


def situation(status: str = "active", *invoices: dict[str, Any], **facts: Any) -> Situation:
    defaults: dict[str, Any] = {
        "customer": "cus_1",
        "subscriptions": [subscription(status)],
        "subscription": "sub_1",
        "tier": "Pro",
        "reason": "",
        "locked_from": None,
        "ends_at": None,
        "payment_method": CARD,
        "unconfirmed_invoices": [],
        "has_grace": True,
        "was_locked_from": None,
    }
    return Situation(invoices=list(invoices), **(defaults | facts))


def trial(price: int | None = 1900, **facts: Any) -> Situation:
    priced = item() | {"price": {"id": "price_pro", "unit_amount": price}, "quantity": 2}
    begun = subscription("trialing", trial_end=at(2), currency="eur", items={"data": [priced]})
    return situation(subscriptions=[begun], **facts)


# One for each kind, in which nothing else is to be told.
EACH: dict[Kind, Situation] = {
    Kind.PAYMENT_FAILED: situation("past_due", owed(), locked_from=moment(6)),
    Kind.CONFIRMATION_NEEDED: situation(
        "past_due", owed(), locked_from=moment(6), unconfirmed_invoices=["in_owed"]
    ),
    Kind.CARD_EXPIRING: situation(payment_method=CARD | {"exp_month": 6, "exp_year": 2026}),
    # It is not paid by charges, so that none of them failed.
    Kind.GRACE_ENDING: situation("past_due", locked_from=NOW + timedelta(hours=20)),
    Kind.LOCKED: situation("paused", reason="paused", locked_from=moment(-1)),
    Kind.UNLOCKED: situation(was_locked_from=moment(-2)),
    Kind.ENDING: situation(ends_at=moment(9)),
    Kind.TRIAL_ENDING: trial(),
    Kind.RECEIPT: situation("active", paid()),
}
