"""The hosted checkout page."""

from django.http import HttpRequest, HttpResponse

from sandbox import clocks, records
from sandbox.billing import cards, lines, subscriptions
from sandbox.billing.cards import Card
from sandbox.billing.subscriptions import Plan
from sandbox.hosted import pages
from sandbox.hosted.pages import CardError
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.resources import checkout_sessions, customers, payment_methods
from sandbox.resources.subscriptions import trial_end


@pages.serialized
def view(request: HttpRequest, id: str) -> HttpResponse:
    session = pages.find("checkout.session", id)
    if session is None:
        return pages.gone(request, "checkout session")
    if session.data["status"] == "complete":
        return pages.go(success_url(session))
    if session.data["status"] == "expired":
        message = "This checkout session has expired."
        return pages.show(request, "gone.html", {"message": message}, status=410)
    error = request.GET.get("error", "")
    if request.method == "POST":
        try:
            card = None if _skips_card(session, request) else pages.given_card(request)
            _remember_email(session, request.POST.get("email", "").strip())
            return pages.go(submit(session, card))
        except CardError as refusal:
            error = str(refusal)
    return pages.show(request, "checkout.html", {**_described(session), "error": error})


def _is_card_optional(session: Record) -> bool:
    """Say whether a trial may begin without a card, as its maker allowed."""
    rule = session.data["payment_method_collection"]
    return bool(rule == "if_required" and session.data["amount_total"] == 0)


def _skips_card(session: Record, request: HttpRequest) -> bool:
    return _is_card_optional(session) and not request.POST.get("card", "").strip()


def _remember_email(session: Record, email: str) -> None:
    if session.data["customer"] is not None or session.data["customer_email"]:
        return
    if not email:
        raise CardError("Enter an e-mail address.")
    session.hidden["email"] = email


def _described(session: Record) -> JSON:
    items = checkout_sessions.line_items_of(session)
    customer = records.find(session.data["customer"] or "")
    first = items[0]["price"]
    cost = sum((item["price"]["unit_amount"] or 0) * item["quantity"] for item in items)
    trial = trial_end(session.hidden["subscription_data"], _now(session))
    return {
        "session": session.data,
        "items": [
            {
                "name": item["description"],
                "quantity": item["quantity"],
                "rate": lines.rate(item["price"]),
            }
            for item in items
        ],
        "due_today": lines.money(0 if trial else cost, first["currency"]),
        "trial_ends": pages.day(trial),
        "is_card_optional": _is_card_optional(session),
        "asks_email": customer is None and not session.data["customer_email"],
        "email": customer.data.get("email") if customer else session.data["customer_email"],
    }


def _now(session: Record) -> int:
    return clocks.now_for(session.data["customer"])


def success_url(session: Record) -> str:
    url: str = session.data["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session.id)


def submit(session: Record, card: Card | None, *, confirmed: bool = False) -> str:
    """Pay with a card and return the address to go on to.

    Raises CardError, and leaves the session open, when the bank refuses the card. Without a card
    (None) a trial begins that has nothing to pay with.
    """
    if card is None:
        _complete(session, None, confirmed=False)
        return success_url(session)
    amount = session.data["amount_total"]
    refusal = cards.refusal_to_save(card) or (cards.refusal_to_pay(card) if amount else None)
    if refusal is not None:
        raise CardError(refusal.message)
    if not confirmed and cards.needs_confirmation(card, is_set_up=False):
        session.hidden["pending_card"] = card.number
        records.save(session)
        return f"/confirm/{session.id}"
    _complete(session, card, confirmed=confirmed)
    return success_url(session)


def _complete(session: Record, card: Card | None, *, confirmed: bool) -> None:
    """Make the subscription that the session is about, and close it."""
    customer = _customer(session)
    method = _saved(card, customer, is_set_up=confirmed) if card else None
    wanted = session.hidden["subscription_data"]
    extras = {
        "default_payment_method": method.id if method else None,
        "description": wanted.get("description"),
        "metadata": wanted.get("metadata", {}),
    }
    if "trial_settings" in wanted:
        extras["trial_settings"] = wanted["trial_settings"]
    plan = Plan(
        customer,
        [
            (records.get("price", item["price"]["id"]), item["quantity"])
            for item in checkout_sessions.line_items_of(session)
        ],
        trial_end=trial_end(wanted, clocks.now_of(customer)),
        extras=extras,
    )
    subscription, _ = subscriptions.start(plan, confirmed=confirmed)
    session.hidden.pop("pending_card", None)
    checkout_sessions.complete(session, subscription, records.get("customer", customer.id))


def _saved(card: Card, customer: Record, *, is_set_up: bool) -> Record:
    details = {"email": customer.data["email"], "name": customer.data["name"]}
    method = payment_methods.make(card, details=details, is_set_up=is_set_up)
    return payment_methods.attach_to(method.id, customer, param="payment_method")


def _customer(session: Record) -> Record:
    """Return the session's customer, or make the one that it lacks."""
    id = session.data["customer"]
    if id is None:
        email = session.data["customer_email"] or session.hidden.get("email")
        return customers.make({"email": email})
    customer = pages.find("customer", id)
    if customer is None:
        raise CardError("This customer no longer exists.")
    return customer
