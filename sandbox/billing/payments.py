"""Payment intents: one for each invoice that asks for money."""

from enum import Enum

from sandbox import clocks, events, records
from sandbox.address import base_url
from sandbox.billing import cards
from sandbox.billing.cards import Refusal
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.records import Record


class Outcome(Enum):
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    REQUIRES_ACTION = "requires_action"
    NO_METHOD = "no_method"


def create(invoice: Record, customer: str, amount: int, currency: str) -> Record:
    """Open the payment of an invoice."""
    id = new_id("pi")
    intent = records.add(
        {
            "id": id,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{id}_secret_{new_id('x')[2:]}",
            "confirmation_method": "automatic",
            "created": clocks.now_of(invoice),
            "currency": currency,
            "customer": customer,
            "description": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": {},
            "next_action": None,
            "payment_method": None,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "receipt_email": None,
            "setup_future_usage": None,
            "status": "requires_payment_method",
        },
        hidden={"invoice": invoice.id},
        customer=customer,
    )
    events.emit("payment_intent.created", intent)
    return intent


def attempt(intent: Record, method: Record | None, *, confirmed: bool) -> Outcome:
    """Try to charge a card.

    `confirmed` says that the owner is confirming at this moment.
    """
    if method is None:
        return Outcome.NO_METHOD
    card = cards.by_number(method.hidden["number"])
    refusal = cards.refusal_to_pay(card)
    if refusal is not None:
        _fail(intent, method, refusal)
        return Outcome.DECLINED
    is_set_up = method.hidden["is_set_up"]
    if not confirmed and cards.needs_confirmation(card, is_set_up=is_set_up):
        _require_action(intent, method)
        return Outcome.REQUIRES_ACTION
    if confirmed and not is_set_up:
        method.hidden["is_set_up"] = True
        records.save(method)
    _succeed(intent, method)
    return Outcome.SUCCEEDED


def _succeed(intent: Record, method: Record) -> None:
    intent.data |= {
        "status": "succeeded",
        "amount_received": intent.data["amount"],
        "payment_method": method.id,
        "last_payment_error": None,
        "next_action": None,
    }
    records.save(intent)
    events.emit("payment_intent.succeeded", intent)


def _require_action(intent: Record, method: Record) -> None:
    url = f"{base_url()}/confirm/{intent.id}"
    intent.data |= {
        "status": "requires_action",
        "payment_method": method.id,
        "next_action": {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": None},
        },
    }
    records.save(intent)
    events.emit("payment_intent.requires_action", intent)


def fail_confirmation(intent: Record) -> None:
    """Record that the owner refused to confirm."""
    method = records.find(intent.data["payment_method"])
    if method is not None:
        _fail(intent, method, cards.CONFIRMATION)


def _fail(intent: Record, method: Record, refusal: Refusal) -> None:
    intent.data |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": payment_error(refusal, method),
    }
    records.save(intent)
    events.emit("payment_intent.payment_failed", intent)


def payment_error(refusal: Refusal, method: Record) -> JSON:
    return {
        "code": refusal.code,
        "decline_code": refusal.decline_code,
        "message": refusal.message,
        "payment_method": method.data,
        "type": "card_error",
    }


def cancel(intent: Record) -> None:
    """Close the payment of an invoice that is no longer owed."""
    if intent.data["status"] in ("succeeded", "canceled"):
        return
    intent.data |= {
        "status": "canceled",
        "canceled_at": clocks.now_of(intent),
        "cancellation_reason": "void_invoice",
        "next_action": None,
    }
    records.save(intent)
    events.emit("payment_intent.canceled", intent)
