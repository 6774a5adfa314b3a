"""`expand[]`: ids become objects, and lists that are left out by default appear."""

import copy
from collections.abc import Callable
from typing import Any

from sandbox import listing, records
from sandbox.billing import invoices
from sandbox.errors import ParameterError
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.resources import checkout_sessions, payment_intents

DEEPEST = 4


def expanded(answer: JSON, paths: list[str]) -> JSON:
    """Return an answer with each of the paths expanded."""
    if not paths:
        return answer
    answer = copy.deepcopy(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise ParameterError(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}",
                param="expand[0]",
            )
        if steps[0] == "data" and answer.get("object") in ("list", "search_result"):
            # An empty list has nothing to check the path against.
            for item in answer["data"]:
                _expand(item, steps[1:], path)
        else:
            _expand(answer, steps, path)
    return answer


def _expand(holder: JSON, steps: list[str], path: str) -> None:
    if not steps:
        raise ParameterError(f"You cannot expand {path}.", param="expand[0]")
    name, rest = steps[0], steps[1:]
    if name not in holder and (included := _included(holder, name)) is not None:
        holder[name] = included
    if name not in holder:
        raise ParameterError(
            f"This property cannot be expanded ({name}). You may want to try expanding "
            f"'data.{name}' instead.",
            param="expand[0]",
        )
    holder[name] = _resolved(holder[name])
    if rest:
        _descend(holder[name], rest, path)


def _resolved(value: Any) -> Any:
    if isinstance(value, str):
        record = records.find(value)
        return copy.deepcopy(record.data) if record else value
    return value


def _descend(value: Any, steps: list[str], path: str) -> None:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            _expand(item, steps, path)


def _included(holder: JSON, name: str) -> Any:
    """Make what Stripe leaves out unless it is asked for."""
    make = INCLUDABLE.get((str(holder.get("object")), name))
    record = records.find(str(holder.get("id"))) if make else None
    return make(record) if make and record else None


def _payments(invoice: Record) -> JSON:
    url = f"/v1/invoice_payments?invoice={invoice.id}"
    return listing.as_list(url, payment_intents.as_invoice_payments(invoice))


def _confirmation_secret(invoice: Record) -> JSON | None:
    intent = invoices.payment_of(invoice)
    if intent is None:
        return None
    return {"client_secret": intent.data["client_secret"], "type": "payment_intent"}


def _line_items(session: Record) -> JSON:
    url = f"/v1/checkout/sessions/{session.id}/line_items"
    return listing.as_list(url, checkout_sessions.line_items_of(session))


def _subscriptions(customer: Record) -> JSON:
    found = [
        record.data
        for record in records.each("subscription", customer=customer.id)
        if record.data["status"] != "canceled"
    ]
    return listing.as_list(f"/v1/customers/{customer.id}/subscriptions", found)


INCLUDABLE: dict[tuple[str, str], Callable[[Record], JSON | None]] = {
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("checkout.session", "line_items"): _line_items,
    ("customer", "subscriptions"): _subscriptions,
}
