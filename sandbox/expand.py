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
    for place, path in enumerate(paths):
        try:
            _expand_path(answer, path)
        except CannotExpand as error:
            raise ParameterError(str(error), param=f"expand[{place}]") from error
    return answer


class CannotExpand(Exception):
    """What Stripe says of a path."""


def _expand_path(answer: JSON, path: str) -> None:
    steps = path.split(".")
    if len(steps) > DEEPEST:
        raise CannotExpand(
            f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}"
        )
    if answer.get("object") not in ("list", "search_result"):
        _expand(answer, steps)
    elif steps[0] != "data":
        raise CannotExpand(
            f"This property cannot be expanded ({steps[0]}). You may want to try expanding "
            f"'data.{steps[0]}' instead."
        )
    else:
        # An empty list has nothing to check the path against.
        for item in answer["data"]:
            _expand(item, steps[1:])


def _expand(holder: JSON, steps: list[str]) -> None:
    name, rest = (steps[0], steps[1:]) if steps else ("data", [])
    is_included = _include(holder, name)
    if name not in holder or name == "id":
        raise CannotExpand(f"This property cannot be expanded ({name}).")
    holder[name] = _resolved(holder[name])
    if rest:
        for item in holder[name] if isinstance(holder[name], list) else [holder[name]]:
            _descend(item, name, rest)
    elif not is_included and not _is_expandable(holder[name]):
        raise CannotExpand(f"This property cannot be expanded ({name}).")


def _resolved(value: Any) -> Any:
    if isinstance(value, str):
        record = records.find(value)
        return copy.deepcopy(record.data) if record else value
    return value


def _is_expandable(value: Any) -> bool:
    """Say whether a value is an object, a list of them, or nothing where one could be."""
    if isinstance(value, dict):
        return "object" in value
    return value is None or isinstance(value, list)


def _descend(value: Any, name: str, steps: list[str]) -> None:
    if isinstance(value, dict):
        _expand(value, steps)
    elif value is not None:
        raise CannotExpand(f"This property cannot be expanded ({name}).")


def _include(holder: JSON, name: str) -> bool:
    """Add what Stripe leaves out unless it is asked for, and say whether it is such a thing."""
    make = INCLUDABLE.get((str(holder.get("object")), name))
    record = records.find(str(holder.get("id"))) if make else None
    if make is None or record is None:
        return False
    if name not in holder:
        holder[name] = make(record)
    return True


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
