"""The 3-D Secure page: the bank asks the card's owner to confirm."""

from django.http import HttpRequest, HttpResponse

from sandbox import records
from sandbox.billing import cards, collecting, payments
from sandbox.hosted import checkout, pages, portal
from sandbox.hosted.pages import CardError
from sandbox.records import Record
from sandbox.resources import payment_intents

KINDS = ("checkout.session", "billing_portal.session", "payment_intent")


@pages.serialized
def view(request: HttpRequest, id: str) -> HttpResponse:
    subject = records.find(id)
    if subject is None or subject.kind not in KINDS or not _waits(subject):
        return pages.gone(request, "payment to confirm")
    if request.method != "POST":
        return pages.show(request, "confirm.html", {"portal": request.GET.get("portal", "")})
    confirmed = request.POST.get("decision", "complete") == "complete"
    if subject.kind == "payment_intent":
        return pages.go(_payment(subject, confirmed, request.POST.get("portal", "")))
    if subject.kind == "checkout.session":
        return pages.go(_checkout(subject, confirmed))
    if "pending_change" in subject.hidden:
        return pages.go(portal.finish_change(subject, confirmed=confirmed))
    return pages.go(portal.finish_card(subject, confirmed=confirmed))


def _waits(subject: Record) -> bool:
    if subject.kind == "payment_intent":
        return bool(subject.data["status"] == "requires_action")
    is_open = subject.data.get("status", "open") == "open"
    return is_open and bool({"pending_card", "pending_change"} & subject.hidden.keys())


def _checkout(session: Record, confirmed: bool) -> str:
    if not confirmed:
        session.hidden.pop("pending_card")
        records.save(session)
        return f"/c/pay/{session.id}?error=declined"
    try:
        card = cards.by_number(session.hidden["pending_card"])
        return checkout.submit(session, card, confirmed=True)
    except CardError:
        return f"/c/pay/{session.id}?error=declined"


def _payment(intent: Record, confirmed: bool, portal_session: str) -> str:
    """Pay an invoice with the card that waits, and go back where it began."""
    invoice = payment_intents.invoice_of(intent)
    if confirmed:
        method = records.find(intent.data["payment_method"])
        collecting.collect(invoice, method=method, confirmed=True)
    else:
        payments.fail_confirmation(intent)
    result = "paid" if confirmed else "declined"
    if pages.find("billing_portal.session", portal_session) is not None:
        return f"/p/session/{portal_session}?result={result}"
    return f"/i/{invoice.id}?result={result}"
