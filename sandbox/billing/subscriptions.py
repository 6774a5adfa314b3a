"""The life of a subscription: its start, its renewals, its trial."""

from dataclasses import dataclass, field

from sandbox import clocks, events, records
from sandbox.billing import collecting, endings, invoices, lines, shapes
from sandbox.billing.payments import Outcome
from sandbox.billing.periods import following
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.schedule import period_end, period_start


@dataclass(frozen=True)
class Plan:
    """What a new subscription is to be. `extras` are plain attributes, such as metadata."""

    customer: Record
    prices: list[tuple[Record, int]]
    trial_end: int | None = None
    extras: JSON = field(default_factory=dict)


def start(plan: Plan, *, pays_now: bool = True, confirmed: bool = False) -> tuple[Record, Outcome]:
    """Begin a subscription and bill its first period, or its trial.

    With `pays_now` false the first invoice is left open, to be paid by the owner.
    """
    now = clocks.now_of(plan.customer)
    subscription = _begun(plan, now)
    first = invoices.draft(
        subscription,
        _trial_lines(subscription) if plan.trial_end else _period_lines(subscription),
        reason="subscription_create",
        period_start=now,
        now=now,
    )
    records.save(subscription)
    events.emit("customer.subscription.created", subscription)
    events.emit("invoice.created", first)
    if pays_now:
        outcome = _pay_first(first, confirmed=confirmed)
    else:
        invoices.finalize(first)
        collecting.follow(first)
        outcome = Outcome.SUCCEEDED if first.data["status"] == "paid" else Outcome.REQUIRES_ACTION
    return records.get("subscription", subscription.id), outcome


def _pay_first(invoice: Record, *, confirmed: bool) -> Outcome:
    invoices.finalize(invoice)
    if invoice.data["status"] == "paid":
        collecting.follow(invoice)
        return Outcome.SUCCEEDED
    return collecting.collect(invoice, confirmed=confirmed)


def _begun(plan: Plan, now: int) -> Record:
    id = new_id("sub")
    price = plan.prices[0][0].data
    end = plan.trial_end or _period_after(now, price, now)
    items = [
        shapes.subscription_item(id, each.data, quantity, (now, end), now)
        for each, quantity in plan.prices
    ]
    data = shapes.subscription(id, plan.customer.data, items, now)
    if plan.trial_end:
        data |= {
            "status": "trialing",
            "trial_start": now,
            "trial_end": plan.trial_end,
            "billing_cycle_anchor": plan.trial_end,
        }
    data |= plan.extras
    return records.add(data, customer=plan.customer.id)


def _period_after(start: int, price: JSON, anchor: int) -> int:
    recurring = price["recurring"]
    return following(start, recurring["interval"], recurring["interval_count"], anchor)


def product_name(price: JSON) -> str:
    product = records.find(price["product"])
    return str(product.data.get("name", product.id) if product else price["product"])


def _period_lines(subscription: Record) -> list[JSON]:
    items = subscription.data["items"]["data"]
    return [lines.period_line(item, product_name(item["price"])) for item in items]


def _trial_lines(subscription: Record) -> list[JSON]:
    items = subscription.data["items"]["data"]
    return [lines.trial_line(item, product_name(item["price"])) for item in items]


def renew(subscription: Record) -> None:
    """Begin the next period and bill it, with what was left pending."""
    with events.changing(subscription, "customer.subscription.updated"):
        invoice = roll(subscription, period_end(subscription.data), reason="subscription_cycle")
    events.emit("invoice.created", invoice)
    _bill(invoice, subscription)


def roll(subscription: Record, start: int, *, reason: str) -> Record:
    """Move the items to the period from `start`, and draft its invoice."""
    data = subscription.data
    begun = period_start(data)
    anchor = data["billing_cycle_anchor"]
    for item in data["items"]["data"]:
        item["current_period_start"] = start
        item["current_period_end"] = _period_after(start, item["price"], anchor)
    if data["cancel_at_period_end"]:
        data["cancel_at"] = period_end(data)
    all_lines = subscription.hidden.pop("pending_lines", []) + _period_lines(subscription)
    now = clocks.now_of(subscription)
    return invoices.draft(subscription, all_lines, reason=reason, period_start=begun, now=now)


def _bill(invoice: Record, subscription: Record) -> None:
    """Collect a renewal, unless collection is paused or was given up."""
    pause = subscription.data["pause_collection"]
    behavior = pause["behavior"] if pause else None
    if behavior == "keep_as_draft" or subscription.data["status"] == "unpaid":
        invoices.stop_collecting(invoice)
    elif behavior == "void":
        invoices.finalize(invoice)
        invoices.void(invoice)
    elif behavior == "mark_uncollectible":
        invoices.finalize(invoice)
        invoices.mark_uncollectible(invoice)
    else:
        collecting.settle(invoice)


def give_trial_notice(subscription: Record) -> None:
    """Announce that a trial ends soon (three days ahead, or at once)."""
    subscription.hidden["trial_notice_sent"] = True
    records.save(subscription)
    events.emit("customer.subscription.trial_will_end", subscription)


def end_trial(subscription: Record) -> None:
    """End a trial now: bill the first period, or what its settings say."""
    behavior = subscription.data["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior != "create_invoice" and not _has_method(subscription):
        if behavior == "cancel":
            endings.cancel(subscription, reason="cancellation_requested")
        else:
            with events.changing(subscription, "customer.subscription.updated"):
                subscription.data["status"] = "paused"
            events.emit("customer.subscription.paused", subscription)
        return
    end = min(subscription.data["trial_end"], clocks.now_of(subscription))
    with events.changing(subscription, "customer.subscription.updated"):
        subscription.data |= {"status": "active", "billing_cycle_anchor": end, "trial_end": end}
        invoice = roll(subscription, end, reason="subscription_cycle")
    events.emit("invoice.created", invoice)
    _bill(invoice, subscription)


def _has_method(subscription: Record) -> bool:
    customer = records.get("customer", subscription.data["customer"])
    settings = customer.data.get("invoice_settings", {})
    return bool(
        subscription.data["default_payment_method"] or settings.get("default_payment_method")
    )


def resume(subscription: Record) -> None:
    """Bill a paused subscription for a new period from now; it goes on once that is paid."""
    now = clocks.now_of(subscription)
    with events.changing(subscription, "customer.subscription.updated"):
        subscription.data["billing_cycle_anchor"] = now
        invoice = roll(subscription, now, reason="subscription_update")
    events.emit("invoice.created", invoice)
    collecting.settle(invoice)


def resume_collection(subscription: Record) -> None:
    with events.changing(subscription, "customer.subscription.updated"):
        subscription.data["pause_collection"] = None
