"""What the portal page shows."""

from urllib.parse import urlsplit

from sandbox import records
from sandbox.billing import lines
from sandbox.hosted import pages, plan_change
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.resources import portal_configurations

ENDED = ("canceled", "incomplete_expired")

RESULTS = {
    "card": "Your card was updated.",
    "canceled": "Your plan was canceled.",
    "resumed": "Your plan will not be canceled.",
    "switched": "Your plan was changed.",
    "paid": "The invoice was paid.",
}
DECLINED = "The payment was not confirmed. Try again or use another card."


def features(session: Record) -> JSON:
    configuration = records.get(portal_configurations.KIND, session.data["configuration"])
    found: JSON = configuration.data["features"]
    return found


def live_subscriptions(customer: Record) -> list[Record]:
    return [
        record
        for record in records.each("subscription", customer=customer.id)
        if record.data["status"] not in ENDED
    ]


def choices(session: Record, subscription: Record) -> list[JSON]:
    """List the prices to switch to: the configured ones, else all active."""
    feature = features(session)["subscription_update"]
    if not feature["enabled"]:
        return []
    named = {price for product in feature["products"] for price in product["prices"]}
    current = subscription.data["items"]["data"][0]["price"]
    found = []
    for record in records.each("price", oldest_first=True):
        price = record.data
        fits = price["active"] and price["recurring"] and price["currency"] == current["currency"]
        if fits and price["id"] != current["id"] and (not named or price["id"] in named):
            label = f"{_product_name(price)}, {lines.rate(price)}"
            found.append({"id": price["id"], "label": label})
    return found


def _product_name(price: JSON) -> str:
    product = records.find(price["product"])
    return str(product.data.get("name", product.id)) if product else str(price["product"])


def context(session: Record, customer: Record, result: str) -> JSON:
    offered = features(session)
    flow = session.data["flow"]
    item = confirmed_item(session)
    return {
        "session": session.data,
        "return_name": urlsplit(session.data["return_url"] or "").hostname,
        "customer": customer.data,
        "offered": offered,
        "only": flow["type"] if flow else "",
        "change": _change(session, item) if item else None,
        "notice": RESULTS.get(result, ""),
        "declined": DECLINED if result == "declined" else "",
        "card": _card(customer),
        "subscriptions": [
            _subscription(session, subscription, place, offered)
            for place, subscription in enumerate(live_subscriptions(customer), start=1)
        ],
        "invoices": _invoices(customer),
    }


def confirmed_item(session: Record) -> JSON | None:
    """Return the change that a session is there to confirm, if it is."""
    flow = session.data["flow"]
    if flow is None or flow["subscription_update_confirm"] is None:
        return None
    item: JSON = flow["subscription_update_confirm"]["items"][0]
    return {key: value for key, value in item.items() if value is not None}


def _change(session: Record, item: JSON) -> JSON | None:
    """Describe the change to confirm, unless it was made or its subscription has ended."""
    named = session.data["flow"]["subscription_update_confirm"]["subscription"]
    subscription = records.get("subscription", named)
    prices = [each["price"]["id"] for each in subscription.data["items"]["data"]]
    if subscription.data["status"] in ENDED or item["price"] in prices:
        return None
    behavior = features(session)["subscription_update"]["proration_behavior"]
    return plan_change.described(named, item, behavior)


def _card(customer: Record) -> str:
    """Describe the card that pays, wherever it is recorded."""
    ids = [
        *(record.data["default_payment_method"] for record in live_subscriptions(customer)),
        customer.data["invoice_settings"]["default_payment_method"],
    ]
    method = next((records.find(id) for id in ids if id), None)
    if method is None:
        return ""
    card = method.data["card"]
    return f"Visa ending in {card['last4']}, expires {card['exp_month']:02d}/{card['exp_year']}"


def suffix(place: int) -> str:
    """Keep the ids of repeated forms apart; the first has the plain name."""
    return "" if place == 1 else f"-{place}"


def _subscription(session: Record, subscription: Record, place: int, offered: JSON) -> JSON:
    data = subscription.data
    item = data["items"]["data"][0]
    is_ending = data["cancel_at"] is not None
    return {
        "id": subscription.id,
        "suffix": suffix(place),
        "name": _product_name(item["price"]),
        "rate": lines.rate(item["price"]),
        "status": data["status"].replace("_", " "),
        "ends": pages.day(data["cancel_at"]),
        "renews": pages.day(item["current_period_end"]),
        "is_ending": is_ending,
        "can_cancel": offered["subscription_cancel"]["enabled"] and not is_ending,
        "choices": [] if is_ending else choices(session, subscription),
    }


def _invoices(customer: Record) -> list[JSON]:
    """List the invoices, newest first; of the forms the oldest one is first."""
    rows: list[JSON] = []
    place = 0
    for record in reversed(list(records.each("invoice", customer=customer.id))):
        data = record.data
        is_payable = data["status"] == "open" and data["amount_remaining"] > 0
        place += is_payable
        rows.append(
            {
                "id": record.id,
                "number": data["number"] or "Draft",
                "date": pages.day(data["created"]),
                "amount": lines.money(data["amount_due"], data["currency"]),
                "status": data["status"],
                "url": data["hosted_invoice_url"],
                "is_payable": is_payable,
                "suffix": suffix(place),
            }
        )
    return rows[::-1]
