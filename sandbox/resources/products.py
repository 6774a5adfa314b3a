"""Products."""

from sandbox import clocks, events, listing, records
from sandbox.errors import refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import (
    Flag,
    ListOf,
    Metadata,
    Param,
    Params,
    Text,
    list_params,
    merged_metadata,
)
from sandbox.records import Record
from sandbox.routing import Route

FIELDS: dict[str, Param] = {
    "active": Flag(),
    "description": Text(clearable=True, longest=40_000),
    "metadata": Metadata(),
    "name": Text(),
    "statement_descriptor": Text(clearable=True, longest=22),
    "unit_label": Text(clearable=True),
    "url": Text(clearable=True),
}
CREATE = Params({**FIELDS, "id": Text()}, required=("name",))
UPDATE = Params({**FIELDS, "default_price": Text()})
LIST = list_params(active=Flag(), ids=ListOf(Text()), url=Text())
PLAIN = tuple(key for key in FIELDS if key != "metadata")


def create(params: JSON) -> JSON:
    id = params.get("id") or new_id("prod", 14)
    if records.find(id) is not None:
        raise refused("Product already exists.", code="resource_already_exists")
    now = clocks.real_now()
    data = {
        "id": id,
        "object": "product",
        "active": True,
        "attributes": [],
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": params.get("metadata", {}),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }
    data |= {key: params[key] for key in PLAIN if key in params}
    record = records.add(data)
    events.emit("product.created", record)
    return data


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("product", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.live("product", id)
    if "default_price" in params:
        records.referenced("price", params["default_price"], "default_price")
    with events.changing(record, "product.updated"):
        record.data |= {key: params[key] for key in (*PLAIN, "default_price") if key in params}
        if "metadata" in params:
            current = record.data["metadata"]
            record.data["metadata"] = merged_metadata(current, params["metadata"])
        record.data["updated"] = clocks.real_now()
    return record.data


def delete(params: JSON, id: str) -> JSON:
    record = records.live("product", id)
    if any(price.data["product"] == id for price in records.each("price")):
        raise refused(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    events.emit("product.deleted", record)
    return records.delete(record)


def list_all(params: JSON) -> JSON:
    def matches(record: Record) -> bool:
        if "ids" in params and record.id not in params["ids"]:
            return False
        return all(record.data[key] == params[key] for key in ("active", "url") if key in params)

    return listing.page("/v1/products", "product", params, where=matches)


ROUTES = [
    Route("POST", "/v1/products", create, CREATE),
    Route("GET", "/v1/products", list_all, LIST),
    Route("GET", "/v1/products/{id}", retrieve),
    Route("POST", "/v1/products/{id}", update, UPDATE),
    Route("DELETE", "/v1/products/{id}", delete),
]
