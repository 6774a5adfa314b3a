"""Payment intents: made by invoices; read and confirmed here."""

from sandbox import records
from sandbox.billing import collecting, invoices
from sandbox.billing.payments import Outcome
from sandbox.errors import refused
from sandbox.kinds import JSON
from sandbox.params import Flag, Params, Text
from sandbox.records import Record
from sandbox.resources import payment_methods
from sandbox.routing import Route

CONFIRM = Params({"off_session": Flag(), "payment_method": Text(), "return_url": Text()})


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("payment_intent", id).data


def confirm(params: JSON, id: str) -> JSON:
    """Try the payment again; a card that asks for its owner stays waiting."""
    intent = records.get("payment_intent", id)
    if intent.data["status"] in ("succeeded", "canceled"):
        raise refused(
            f"This PaymentIntent's status is {intent.data['status']}; it cannot be confirmed.",
            code="payment_intent_unexpected_state",
        )
    invoice = invoice_of(intent)
    method = None
    if "payment_method" in params:
        owner = records.get("customer", intent.data["customer"])
        method = payment_methods.attach_to(params["payment_method"], owner, param="payment_method")
    outcome = collecting.collect(
        invoice, method=method, is_on_session=not params.get("off_session", False)
    )
    if outcome is Outcome.NO_METHOD:
        raise refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if outcome is Outcome.DECLINED:
        payment_methods.raise_declined(records.find(id))
    return records.get("payment_intent", id).data


def invoice_of(intent: Record) -> Record:
    return records.get("invoice", intent.hidden["invoice"])


def as_invoice_payments(invoice: Record) -> list[JSON]:
    """Write an invoice's payments, which Stripe shows when asked to."""
    intent = invoices.payment_of(invoice)
    if intent is None:
        return []
    paid_at = invoice.data["status_transitions"]["paid_at"]
    status = {"succeeded": "paid", "canceled": "canceled"}.get(intent.data["status"], "open")
    return [
        {
            "id": f"inpay_{intent.id[3:]}",
            "object": "invoice_payment",
            "amount_paid": intent.data["amount"] if status == "paid" else None,
            "amount_requested": intent.data["amount"],
            "created": intent.data["created"],
            "currency": intent.data["currency"],
            "invoice": invoice.id,
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent.id, "type": "payment_intent"},
            "status": status,
            "status_transitions": {
                "canceled_at": intent.data["canceled_at"],
                "paid_at": paid_at if status == "paid" else None,
            },
        }
    ]


ROUTES = [
    Route("GET", "/v1/payment_intents/{id}", retrieve),
    Route("POST", "/v1/payment_intents/{id}/confirm", confirm, CONFIRM),
]
