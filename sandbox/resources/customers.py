"""Customers."""

import copy
import re

from sandbox import clocks, events, listing, records
from sandbox.billing import endings
from sandbox.errors import ParameterError
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import (
    Integer,
    ListOf,
    Metadata,
    Param,
    Params,
    Shape,
    Text,
    list_params,
    merged_metadata,
)
from sandbox.records import Record
from sandbox.resources import payment_methods
from sandbox.routing import Route

ADDRESS = Shape(
    {
        name: Text(clearable=True)
        for name in ("city", "country", "line1", "line2", "postal_code", "state")
    },
    clearable=True,
)

FIELDS: dict[str, Param] = {
    "address": ADDRESS,
    "description": Text(clearable=True),
    "email": Text(clearable=True, longest=512),
    "invoice_settings": Shape({"default_payment_method": Text(clearable=True)}),
    "metadata": Metadata(),
    "name": Text(clearable=True, longest=256),
    "phone": Text(clearable=True),
    "preferred_locales": ListOf(Text()),
}

CREATE = Params({**FIELDS, "payment_method": Text(), "test_clock": Text()})
UPDATE = Params(FIELDS)
LIST = list_params(email=Text(), test_clock=Text())
SEARCH = Params(
    {"query": Text(), "limit": Integer(least=1, most=100), "page": Text()}, required=("query",)
)

NEW_CUSTOMER: JSON = {
    "object": "customer",
    "address": None,
    "balance": 0,
    "currency": None,
    "customer_account": None,
    "default_source": None,
    "delinquent": False,
    "description": None,
    "discount": None,
    "email": None,
    "invoice_settings": {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    },
    "livemode": False,
    "metadata": {},
    "name": None,
    "next_invoice_sequence": 1,
    "phone": None,
    "preferred_locales": [],
    "shipping": None,
    "tax_exempt": "none",
}

PLAIN = ("description", "email", "name", "phone")
CLAUSE = re.compile(
    r"""^\s*(?:metadata\[['"](?P<key>[^'"]+)['"]\]|(?P<field>email|name))"""
    r"""\s*:\s*['"](?P<value>[^'"]*)['"]\s*$"""
)


def create(params: JSON) -> JSON:
    clock = params.get("test_clock")
    if clock is not None:
        records.referenced(clocks.KIND, clock, "test_clock")
    return make(params, clock).data


def make(params: JSON, clock: str | None = None) -> Record:
    """Make a customer from the parameters of a create call."""
    id = new_id("cus", 14)
    data = copy.deepcopy(NEW_CUSTOMER) | {
        "id": id,
        "created": clocks.now_on(clock),
        "invoice_prefix": id[-8:].upper(),
        "test_clock": clock,
    }
    record = records.add(data, clock=clock)
    method = params.get("payment_method")
    if method is not None:
        payment_methods.attach_to(method, record, param="payment_method")
    _apply(record, params)
    records.save(record)
    events.emit("customer.created", record)
    return record


def _apply(record: Record, params: JSON) -> None:
    data = record.data
    data |= {key: params[key] for key in PLAIN if key in params}
    data["preferred_locales"] = params.get("preferred_locales", data["preferred_locales"])
    if "metadata" in params:
        data["metadata"] = merged_metadata(data["metadata"], params["metadata"])
    if "address" in params:
        given = params["address"]
        data["address"] = {key: (given or {}).get(key) for key in ADDRESS.fields} if given else None
    settings = params.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        method = settings["default_payment_method"]
        if method is not None:
            payment_methods.of_customer(
                method, record.id, "invoice_settings[default_payment_method]"
            )
        data["invoice_settings"]["default_payment_method"] = method


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("customer", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.live("customer", id)
    with events.changing(record, "customer.updated"):
        _apply(record, params)
    return record.data


def delete(params: JSON, id: str) -> JSON:
    """Delete a customer: their subscriptions end at once, for ever."""
    record = records.live("customer", id)
    for subscription in records.each("subscription", customer=id):
        if subscription.data["status"] not in ("canceled", "incomplete_expired"):
            endings.cancel(subscription, reason="cancellation_requested")
    for method in records.each("payment_method", customer=id):
        payment_methods.release(method)
    record = records.live("customer", id)
    events.emit("customer.deleted", record)
    return records.delete(record)


def list_all(params: JSON) -> JSON:
    def matches(record: Record) -> bool:
        return all(
            record.data[key] == params[key] for key in ("email", "test_clock") if key in params
        )

    return listing.page("/v1/customers", "customer", params, where=matches)


def search(params: JSON) -> JSON:
    """Find customers by metadata, e-mail or name, joined by AND.

    Stripe's index lags behind by up to a minute; this one does not.
    """
    clauses = [_clause(part) for part in re.split(r"\s+AND\s+", params["query"])]
    found = [
        record.data
        for record in records.each("customer")
        if all(_holds(record.data, clause) for clause in clauses)
    ]
    start = int(params.get("page", 0))
    end = start + params.get("limit", listing.DEFAULT_LIMIT)
    has_more = len(found) > end
    return {
        "object": "search_result",
        "data": found[start:end],
        "has_more": has_more,
        "next_page": str(end) if has_more else None,
        "url": "/v1/customers/search",
    }


def _clause(text: str) -> tuple[str, str | None, str]:
    match = CLAUSE.match(text)
    if match is None:
        raise ParameterError(f"We were unable to parse your search query: {text}.", param="query")
    return match["field"] or "", match["key"], match["value"]


def _holds(data: JSON, clause: tuple[str, str | None, str]) -> bool:
    field, key, value = clause
    found = data["metadata"].get(key) if key is not None else data[field]
    return bool(found == value)


def list_payment_methods(params: JSON, customer: str) -> JSON:
    records.live("customer", customer)
    return payment_methods.page(f"/v1/customers/{customer}/payment_methods", params, customer)


def retrieve_payment_method(params: JSON, customer: str, id: str) -> JSON:
    records.live("customer", customer)
    return payment_methods.of_customer(id, customer, "payment_method", status=404).data


ROUTES = [
    Route("GET", "/v1/customers/search", search, SEARCH),
    Route("POST", "/v1/customers", create, CREATE),
    Route("GET", "/v1/customers", list_all, LIST),
    Route("GET", "/v1/customers/{id}", retrieve),
    Route("POST", "/v1/customers/{id}", update, UPDATE),
    Route("DELETE", "/v1/customers/{id}", delete),
    Route(
        "GET",
        "/v1/customers/{customer}/payment_methods",
        list_payment_methods,
        payment_methods.LIST_OF_CUSTOMER,
    ),
    Route("GET", "/v1/customers/{customer}/payment_methods/{id}", retrieve_payment_method),
]
