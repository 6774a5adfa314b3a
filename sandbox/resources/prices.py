"""Prices: flat and recurring, found again by their lookup keys."""

from sandbox import clocks, events, listing, records
from sandbox.errors import refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import (
    Choice,
    Flag,
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
from sandbox.resources import products
from sandbox.routing import Route

INTERVAL = Choice(("day", "week", "month", "year"))
RECURRING = Shape(
    {
        "interval": INTERVAL,
        "interval_count": Integer(least=1, most=156),
        "usage_type": Choice(("licensed",)),
    },
    required=("interval",),
)
FIELDS: dict[str, Param] = {
    "active": Flag(),
    "lookup_key": Text(clearable=True, longest=200),
    "metadata": Metadata(),
    "nickname": Text(clearable=True),
    "tax_behavior": Choice(("exclusive", "inclusive", "unspecified")),
    "transfer_lookup_key": Flag(),
}
CREATE = Params(
    {
        **FIELDS,
        "currency": Text(),
        "product": Text(),
        "product_data": Shape(
            {"name": Text(), "id": Text(), "metadata": Metadata()}, required=("name",)
        ),
        "recurring": RECURRING,
        "unit_amount": Integer(least=0),
    },
    required=("currency",),
)
UPDATE = Params(FIELDS)
LIST = list_params(
    active=Flag(),
    currency=Text(),
    lookup_keys=ListOf(Text()),
    product=Text(),
    recurring=Shape({"interval": INTERVAL}),
    type=Choice(("one_time", "recurring")),
)


def create(params: JSON) -> JSON:
    if "unit_amount" not in params:
        raise refused("Missing required param: unit_amount.", code="parameter_missing")
    product = _product(params)
    key = params.get("lookup_key")
    if key is not None:
        _claim_lookup_key(key, transfer=params.get("transfer_lookup_key", False))
    recurring = params.get("recurring")
    data = {
        "id": new_id("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": clocks.real_now(),
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": key,
        "metadata": params.get("metadata", {}),
        "nickname": params.get("nickname"),
        "product": product,
        "recurring": _recurring(recurring) if recurring else None,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": params["unit_amount"],
        "unit_amount_decimal": str(params["unit_amount"]),
    }
    events.emit("price.created", records.add(data))
    return data


def _product(params: JSON) -> str:
    if "product_data" in params:
        made: str = products.create(params["product_data"])["id"]
        return made
    if "product" not in params:
        raise refused("Missing required param: product.", code="parameter_missing")
    return records.referenced("product", params["product"], "product").id


def _recurring(given: JSON) -> JSON:
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _claim_lookup_key(key: str, *, transfer: bool, by: str | None = None) -> None:
    """Take a lookup key from the price that has it, or refuse."""
    for other in records.each("price"):
        if other.data["lookup_key"] != key or other.id == by:
            continue
        if not transfer:
            raise refused(
                f"A price (`{other.id}`) already uses that lookup key.", param="lookup_key"
            )
        with events.changing(other, "price.updated"):
            other.data["lookup_key"] = None


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("price", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.get("price", id)
    key = params.get("lookup_key")
    if key is not None:
        _claim_lookup_key(key, transfer=params.get("transfer_lookup_key", False), by=id)
    with events.changing(record, "price.updated"):
        for name in ("active", "lookup_key", "nickname", "tax_behavior"):
            record.data[name] = params.get(name, record.data[name])
        if "metadata" in params:
            current = record.data["metadata"]
            record.data["metadata"] = merged_metadata(current, params["metadata"])
    return record.data


def list_all(params: JSON) -> JSON:
    def matches(record: Record) -> bool:
        if "lookup_keys" in params and record.data["lookup_key"] not in params["lookup_keys"]:
            return False
        wanted = params.get("recurring", {}).get("interval")
        if wanted and (record.data["recurring"] or {}).get("interval") != wanted:
            return False
        plain = ("active", "currency", "product", "type")
        return all(record.data[key] == params[key] for key in plain if key in params)

    return listing.page("/v1/prices", "price", params, where=matches)


ROUTES = [
    Route("POST", "/v1/prices", create, CREATE),
    Route("GET", "/v1/prices", list_all, LIST),
    Route("GET", "/v1/prices/{id}", retrieve),
    Route("POST", "/v1/prices/{id}", update, UPDATE),
]
