"""A change of plan in the middle of a period, with proration good enough to show."""

import copy

from sandbox import clocks, events, records
from sandbox.billing import collecting, invoices, lines, shapes
from sandbox.billing.payments import Outcome
from sandbox.billing.periods import following
from sandbox.billing.prices import recurring_price
from sandbox.billing.subscriptions import product_name, roll
from sandbox.errors import refused
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.schedule import period_end, period_start


def apply(subscription: Record, changes: list[JSON], behavior: str) -> None:
    """Change a subscription's items and bill the difference.

    `behavior` is Stripe's `proration_behavior`. A new interval begins a new period at once. The
    subscription is left changed but not saved: the caller saves it, then calls `bill`.
    """
    now = clocks.now_of(subscription)
    before = copy.deepcopy(subscription.data["items"]["data"])
    items = copy.deepcopy(before)
    for change in changes:
        items = _changed(subscription, items, change, now)
    if not items:
        raise refused("A subscription must have at least one active plan.")
    subscription.data["items"] = shapes.item_list(subscription.id, items)
    subscription.data |= {"plan": items[0]["plan"], "quantity": items[0]["quantity"]}
    if subscription.data["status"] == "trialing":
        return
    prorations = _prorations(before, items, now) if behavior != "none" else []
    restarts = _interval(before[0]) != _interval(items[0])
    kept = [line for line in prorations if line["amount"] < 0] if restarts else prorations
    subscription.hidden.setdefault("pending_lines", []).extend(kept)
    subscription.hidden["restarts"] = restarts
    subscription.hidden["invoices_now"] = behavior == "always_invoice" and bool(kept)


def bill(subscription: Record, *, confirmed: bool = False, is_on_session: bool = False) -> Outcome:
    """Send the invoice that a change of items calls for, if it does, and have it paid."""
    now = clocks.now_of(subscription)
    restarts = subscription.hidden.pop("restarts", False)
    invoices_now = subscription.hidden.pop("invoices_now", False)
    if not restarts and not invoices_now:
        records.save(subscription)
        return Outcome.SUCCEEDED
    with events.changing(subscription, "customer.subscription.updated"):
        if restarts:
            subscription.data["billing_cycle_anchor"] = now
            invoice = roll(subscription, now, reason="subscription_update")
        else:
            invoice = invoices.draft(
                subscription,
                subscription.hidden.pop("pending_lines"),
                reason="subscription_update",
                period_start=period_start(subscription.data),
                now=now,
            )
    events.emit("invoice.created", invoice)
    return collecting.settle(invoice, confirmed=confirmed, is_on_session=is_on_session)


def _changed(subscription: Record, items: list[JSON], change: JSON, now: int) -> list[JSON]:
    """Apply one entry of `items`: a change, a removal or an addition."""
    current = next((item["price"]["id"] for item in items if item["id"] == change.get("id")), None)
    price = None
    if change.get("price") not in (None, current):
        price = recurring_price(change["price"], "items[0][price]")
    if "id" not in change:
        if price is None:
            raise refused("Each item needs an id or a price.", param="items")
        period = (now, period_end(subscription.data))
        quantity = change.get("quantity", 1)
        new = shapes.subscription_item(subscription.id, price.data, quantity, period, now)
        return [*items, new]
    item = next((item for item in items if item["id"] == change["id"]), None)
    if item is None:
        raise refused(
            f"No such subscription item: '{change['id']}'",
            code="resource_missing",
            param="items[0][id]",
        )
    if change.get("deleted"):
        return [other for other in items if other["id"] != item["id"]]
    if price is not None:
        item |= {"price": price.data, "plan": shapes.plan(price.data)}
    item["quantity"] = change.get("quantity", item["quantity"])
    item["metadata"] = change.get("metadata", item["metadata"])
    return items


def _interval(item: JSON) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _prorations(before: list[JSON], after: list[JSON], now: int) -> list[JSON]:
    """Credit what is unused of the old items and bill the rest of the new."""
    old = {item["id"]: item for item in before}
    new = {item["id"]: item for item in after}
    found = [
        lines.credit_line(item, product_name(item["price"]), now)
        for id, item in old.items()
        if lines.cost(item) and _terms(item) != _terms(new.get(id))
    ]
    found += [
        lines.remaining_line(item, product_name(item["price"]), now)
        for id, item in new.items()
        if lines.cost(item) and _terms(item) != _terms(old.get(id))
    ]
    return found


def _terms(item: JSON | None) -> tuple[str, int] | None:
    return (item["price"]["id"], item["quantity"]) if item else None


def preview(subscription: Record) -> tuple[list[JSON], int]:
    """Write the lines of the next invoice, and when it comes.

    A change that `apply` has made in memory is taken into account; nothing is saved.
    """
    now = clocks.now_of(subscription)
    found: list[JSON] = list(subscription.hidden.get("pending_lines", []))
    if subscription.hidden.get("invoices_now") and not subscription.hidden["restarts"]:
        return found, now
    restarts = subscription.hidden.get("restarts", False)
    start = now if restarts else period_end(subscription.data)
    anchor = now if restarts else subscription.data["billing_cycle_anchor"]
    for item in copy.deepcopy(subscription.data["items"]["data"]):
        interval, count = _interval(item)
        item["current_period_start"] = start
        item["current_period_end"] = following(start, interval, count, anchor)
        found.append(lines.period_line(item, product_name(item["price"])))
    return found, start
