"""A change of plan on the portal's pages: what it costs today, and that it happens only if paid."""

from sandbox import clocks, events, records
from sandbox.billing import changes, invoices, lines
from sandbox.billing.payments import Outcome
from sandbox.billing.subscriptions import product_name
from sandbox.database import database
from sandbox.hosted import pages
from sandbox.hosted.pages import CardError
from sandbox.kinds import JSON
from sandbox.records import Record

MESSAGES = {
    Outcome.NO_METHOD: "There is no card on file. Add one first.",
    Outcome.DECLINED: "Your card was declined.",
}


class NeedsConfirmation(Exception):
    """The bank asks the card's owner first."""


def described(subscription_id: str, item: JSON, behavior: str) -> JSON:
    """Describe a change for the page on which to confirm it. Nothing is saved."""
    subscription = records.get("subscription", subscription_id)
    before = subscription.data["items"]["data"][0]
    changes.apply(subscription, [item], behavior)
    after = next(
        each for each in subscription.data["items"]["data"] if each["id"] == item.get("id")
    )
    found, moment = changes.preview(subscription)
    customer = records.get("customer", subscription.data["customer"])
    is_due_now = moment <= clocks.now_of(subscription)
    due = max(0, sum(line["amount"] for line in found) + customer.data["balance"])
    currency = after["price"]["currency"]
    return {
        "subscription": subscription.id,
        "price": after["price"]["id"],
        "before": f"{product_name(before['price'])}, {lines.rate(before['price'])}",
        "after": f"{product_name(after['price'])}, {lines.rate(after['price'])}",
        "due_today": lines.money(due if is_due_now else 0, currency),
        "lines": [
            {"text": line["description"], "amount": lines.money(line["amount"], currency)}
            for line in found
        ],
        "bills_on": "" if is_due_now else pages.day(moment),
    }


def perform(subscription: Record, item: JSON, behavior: str, *, confirmed: bool = False) -> None:
    """Change a subscription's item, and take what that costs now.

    Raises CardError or NeedsConfirmation, and changes nothing, while it is not paid.
    """
    with database.savepoint():
        with events.changing(subscription, "customer.subscription.updated"):
            changes.apply(subscription, [item], behavior)
        outcome = changes.bill(subscription, confirmed=confirmed, is_on_session=True)
        if outcome is Outcome.REQUIRES_ACTION:
            raise NeedsConfirmation
        if outcome is not Outcome.SUCCEEDED:
            raise CardError(_reason(subscription) or MESSAGES[outcome])


def _reason(subscription: Record) -> str:
    """Return what the bank said of the newest invoice's payment."""
    intent = invoices.payment_of(invoices.of_subscription(subscription)[0])
    error = intent.data["last_payment_error"] if intent else None
    return error["message"] if error else ""
