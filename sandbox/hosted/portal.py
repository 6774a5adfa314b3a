"""The billing portal: card, plan, cancellation and invoices of one customer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sandbox import events, records
from sandbox.billing import cards, collecting, endings, invoices
from sandbox.billing.cards import Card
from sandbox.billing.payments import Outcome
from sandbox.hosted import pages, plan_change, portal_view
from sandbox.hosted.pages import CardError
from sandbox.hosted.plan_change import NeedsConfirmation
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.resources import payment_methods, portal_sessions
from sandbox.resources.subscriptions import set_cancel_at
from sandbox.schedule import period_end

UPDATED = "customer.subscription.updated"


@pages.serialized
def view(request: HttpRequest, id: str) -> HttpResponse:
    session = pages.find(portal_sessions.KIND, id)
    if session is None:
        return pages.gone(request, "portal session")
    return _page(request, session, "")


def _page(request: HttpRequest, session: Record, error: str) -> HttpResponse:
    customer = pages.find("customer", session.data["customer"])
    if customer is None:
        return pages.gone(request, "customer")
    result = "" if error else request.GET.get("result", "")
    return pages.show(
        request, "portal.html", portal_view.context(session, customer, result) | {"refusal": error}
    )


@pages.serialized
def act(request: HttpRequest, id: str, action: str) -> HttpResponse:
    """Do what one of the portal's forms asks, and go back to the portal."""
    session = pages.find(portal_sessions.KIND, id)
    if session is None or pages.find("customer", session.data["customer"]) is None:
        return pages.gone(request, "portal session")
    if action not in ACTIONS or request.method != "POST":
        return pages.gone(request, "action")
    try:
        return pages.go(ACTIONS[action](session, request))
    except CardError as refusal:
        return _page(request, session, str(refusal))


def _back(session: Record, result: str) -> str:
    """Return where a finished action leads: a flow may send people home."""
    flow = session.data["flow"]
    after: JSON = flow["after_completion"] if flow else {"type": "portal_homepage"}
    if after["type"] == "redirect" and result not in ("declined",):
        home: str = after["redirect"]["return_url"]
        return home
    return f"/p/session/{session.id}?result={result}"


def _update_card(session: Record, request: HttpRequest) -> str:
    card = pages.given_card(request)
    refusal = cards.refusal_to_save(card)
    if refusal is not None:
        raise CardError(refusal.message)
    if cards.needs_confirmation(card, is_set_up=False):
        session.hidden["pending_card"] = card.number
        records.save(session)
        return f"/confirm/{session.id}"
    _save_card(session, card, is_set_up=False)
    return _back(session, "card")


def finish_card(session: Record, *, confirmed: bool) -> str:
    """Save the card that waited for its owner's word, if it was given."""
    card = cards.by_number(session.hidden.pop("pending_card"))
    records.save(session)
    if not confirmed:
        return _back(session, "declined")
    _save_card(session, card, is_set_up=True)
    return _back(session, "card")


def _save_card(session: Record, card: Card, *, is_set_up: bool) -> None:
    """Make a card the one that pays from now on. It pays nothing yet."""
    customer = records.get("customer", session.data["customer"])
    method = payment_methods.make(
        card, details={"email": customer.data["email"]}, is_set_up=is_set_up
    )
    payment_methods.attach_to(method.id, customer, param="payment_method")
    with events.changing(customer, "customer.updated"):
        customer.data["invoice_settings"]["default_payment_method"] = method.id
    for subscription in portal_view.live_subscriptions(customer):
        with events.changing(subscription, UPDATED):
            subscription.data["default_payment_method"] = method.id


def _subscription(session: Record, request: HttpRequest) -> Record:
    customer = records.get("customer", session.data["customer"])
    for subscription in portal_view.live_subscriptions(customer):
        if subscription.id == request.POST.get("subscription"):
            return subscription
    raise CardError("This subscription has ended.")


def _cancel(session: Record, request: HttpRequest) -> str:
    subscription = _subscription(session, request)
    feature = portal_view.features(session)["subscription_cancel"]
    if feature["mode"] == "immediately" or subscription.data["status"] == "incomplete":
        endings.cancel(subscription, reason="cancellation_requested")
    else:
        with events.changing(subscription, UPDATED):
            set_cancel_at(subscription, period_end(subscription.data), at_period_end=False)
    return _back(session, "canceled")


def _resume(session: Record, request: HttpRequest) -> str:
    subscription = _subscription(session, request)
    with events.changing(subscription, UPDATED):
        set_cancel_at(subscription, None, at_period_end=False)
    return _back(session, "resumed")


def _switch(session: Record, request: HttpRequest) -> str:
    subscription = _subscription(session, request)
    item = portal_view.confirmed_item(session) or {
        "id": subscription.data["items"]["data"][0]["id"],
        "price": request.POST.get("price", ""),
    }
    offered = {choice["id"] for choice in portal_view.choices(session, subscription)}
    if item["price"] not in offered:
        raise CardError("Choose one of the plans offered.")
    try:
        plan_change.perform(subscription, item, _behavior(session))
    except NeedsConfirmation:
        session.hidden["pending_change"] = {"subscription": subscription.id, "item": item}
        records.save(session)
        return f"/confirm/{session.id}"
    return _back(session, "switched")


def _behavior(session: Record) -> str:
    behavior: str = portal_view.features(session)["subscription_update"]["proration_behavior"]
    return behavior


def finish_change(session: Record, *, confirmed: bool) -> str:
    """Make the change of plan that waited for the word of the card's owner, if it was given."""
    change = session.hidden.pop("pending_change")
    records.save(session)
    subscription = records.get("subscription", change["subscription"])
    if not confirmed or subscription.data["ended_at"] is not None:
        return _back(session, "declined")
    try:
        plan_change.perform(subscription, change["item"], _behavior(session), confirmed=True)
    except CardError:
        return _back(session, "declined")
    return _back(session, "switched")


def _pay(session: Record, request: HttpRequest) -> str:
    """Pay an open invoice with the card on file."""
    invoice = pages.find("invoice", request.POST.get("invoice", ""))
    if invoice is None or invoice.customer != session.data["customer"]:
        raise CardError("There is no such invoice.")
    if invoice.data["status"] not in ("open", "uncollectible"):
        return _back(session, "paid")
    outcome = collecting.collect(invoice, is_on_session=True)
    if outcome is Outcome.REQUIRES_ACTION:
        return f"/confirm/{invoice.hidden['payment_intent']}?portal={session.id}"
    if outcome is Outcome.NO_METHOD:
        raise CardError("There is no card on file. Add one first.")
    if outcome is Outcome.DECLINED:
        intent = invoices.payment_of(invoice)
        error = intent.data["last_payment_error"] if intent else None
        raise CardError(error["message"] if error else "Your card was declined.")
    return _back(session, "paid")


ACTIONS: dict[str, Callable[[Record, HttpRequest], str]] = {
    "card": _update_card,
    "cancel": _cancel,
    "resume": _resume,
    "switch": _switch,
    "pay": _pay,
}
