"""Events: read here, and delivered by the courier."""

from fnmatch import fnmatchcase

from sandbox import deliveries, listing, records
from sandbox.kinds import JSON
from sandbox.params import Flag, ListOf, Text, list_params
from sandbox.records import Record
from sandbox.routing import Route

LIST = list_params(delivery_success=Flag(), type=Text(), types=ListOf(Text()))


def show(record: Record) -> JSON:
    """Show an event with how many deliveries of it are still to succeed."""
    return {**record.data, "pending_webhooks": deliveries.pending_of(record.id)}


def retrieve(params: JSON, id: str) -> JSON:
    return show(records.get("event", id))


def list_all(params: JSON) -> JSON:
    def matches(record: Record) -> bool:
        kind = record.data["type"]
        if "type" in params and not fnmatchcase(kind, params["type"]):
            return False
        if "types" in params and kind not in params["types"]:
            return False
        wanted = params.get("delivery_success")
        return wanted is None or wanted == (deliveries.pending_of(record.id) == 0)

    return listing.page("/v1/events", "event", params, where=matches, render=show)


ROUTES = [
    Route("GET", "/v1/events", list_all, LIST),
    Route("GET", "/v1/events/{id}", retrieve),
]
