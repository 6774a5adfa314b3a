"""Invoice lines, and what a change of plan in the middle of a period costs. Pure."""

from sandbox.ids import new_id
from sandbox.kinds import JSON

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


def money(amount: int, currency: str) -> str:
    """Write an amount in minor units for a person to read."""
    sign = "-" if amount < 0 else ""
    figure = f"{abs(amount) // 100:,}.{abs(amount) % 100:02d}"
    if currency in SYMBOLS:
        return f"{sign}{SYMBOLS[currency]}{figure}"
    return f"{sign}{figure} {currency.upper()}"


def rate(price: JSON) -> str:
    """Write what a price costs: `$29.00 / month`."""
    recurring = price["recurring"] or {"interval": "once", "interval_count": 1}
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"
    return f"{money(price['unit_amount'] or 0, price['currency'])} / {every}"


def cost(item: JSON) -> int:
    """Return what one period of a subscription item costs, in minor units."""
    unit_amount: int = item["price"]["unit_amount"] or 0
    quantity: int = item["quantity"]
    return unit_amount * quantity


def line(
    item: JSON, amount: int, description: str, period: tuple[int, int], *, proration: bool = False
) -> JSON:
    """Write one line of an invoice about a subscription item."""
    price = item["price"]
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(item["metadata"]),
        "parent": _parent(item, proration),
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subscription": item["subscription"],
        "subtotal": amount,
        "taxes": [],
    }


def _parent(item: JSON, proration: bool) -> JSON:
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": proration,
            "proration_details": {"credited_items": None},
            "subscription": item["subscription"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }


def period_line(item: JSON, product_name: str) -> JSON:
    """Bill the item's current period in full."""
    period = (item["current_period_start"], item["current_period_end"])
    described = (
        f"{item['quantity']} \N{MULTIPLICATION SIGN} {product_name} (at {rate(item['price'])})"
    )
    return line(item, cost(item), described, period)


def trial_line(item: JSON, product_name: str) -> JSON:
    period = (item["current_period_start"], item["current_period_end"])
    return line(item, 0, f"Trial period for {product_name}", period)


def share_left(item: JSON, now: int) -> float:
    """Return which part of the item's period is still to come."""
    start, end = item["current_period_start"], item["current_period_end"]
    return max(0.0, min(1.0, (end - now) / (end - start))) if end > start else 0.0


def credit_line(item: JSON, product_name: str, now: int) -> JSON:
    """Give back what of the item's period is unused."""
    amount = -round(cost(item) * share_left(item, now))
    period = (now, item["current_period_end"])
    return line(item, amount, f"Unused time on {product_name}", period, proration=True)


def remaining_line(item: JSON, product_name: str, now: int) -> JSON:
    """Bill the rest of the period at the item's new price."""
    amount = round(cost(item) * share_left(item, now))
    period = (now, item["current_period_end"])
    return line(item, amount, f"Remaining time on {product_name}", period, proration=True)
