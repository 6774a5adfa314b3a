"""The hosted invoice page: one invoice, and a card to pay it with."""

from django.http import HttpRequest, HttpResponse

from sandbox import records
from sandbox.billing import cards, collecting, invoices, lines
from sandbox.billing.payments import Outcome
from sandbox.hosted import pages
from sandbox.hosted.pages import CardError
from sandbox.records import Record
from sandbox.resources import payment_methods

MESSAGES = {"declined": "The payment was not confirmed. Try again or use another card."}


@pages.serialized
def view(request: HttpRequest, id: str) -> HttpResponse:
    invoice = pages.find("invoice", id)
    if invoice is None:
        return pages.gone(request, "invoice")
    error = MESSAGES.get(request.GET.get("result", ""), "")
    if request.method == "POST" and invoice.data["status"] in ("open", "uncollectible"):
        try:
            return pages.go(_pay(invoice, request))
        except CardError as refusal:
            error = str(refusal)
            invoice = records.get("invoice", id)
    data = invoice.data
    context = {
        "invoice": data,
        "amount": lines.money(data["amount_due"], data["currency"]),
        "issued": pages.day(data["created"]),
        "lines": [
            {
                "text": line["description"],
                "amount": lines.money(line["amount"], line["currency"]),
                "period": f"{pages.day(line['period']['start'])} to "
                f"{pages.day(line['period']['end'])}",
            }
            for line in data["lines"]["data"]
        ],
        "is_payable": data["status"] in ("open", "uncollectible"),
        "confirm_url": _confirm_url(invoice),
        "error": error,
    }
    return pages.show(request, "invoice.html", context)


def _confirm_url(invoice: Record) -> str:
    """Return where the card's owner confirms a payment that waits for it."""
    intent = invoices.payment_of(invoice)
    waits = intent is not None and intent.data["status"] == "requires_action"
    return f"/confirm/{intent.id}" if intent and waits else ""


def _pay(invoice: Record, request: HttpRequest) -> str:
    card = pages.given_card(request)
    refusal = cards.refusal_to_save(card)
    if refusal is not None:
        raise CardError(refusal.message)
    customer = records.get("customer", invoice.data["customer"])
    method = payment_methods.make(card, details={"email": customer.data.get("email")})
    if not customer.is_deleted:
        payment_methods.attach_to(method.id, customer, param="payment_method")
    outcome = collecting.collect(invoice, method=method, is_on_session=True)
    if outcome is Outcome.REQUIRES_ACTION:
        return f"/confirm/{invoice.hidden['payment_intent']}"
    if outcome is Outcome.DECLINED:
        raise CardError("Your card was declined.")
    return f"/i/{invoice.id}"
