"""Subscription items: read here, changed through their subscription."""

from sandbox import listing, records
from sandbox.errors import missing_resource
from sandbox.kinds import JSON
from sandbox.params import Integer, Params, Text
from sandbox.routing import Route

LIST = Params(
    {
        "subscription": Text(),
        "limit": Integer(least=1, most=100),
        "starting_after": Text(),
        "ending_before": Text(),
    },
    required=("subscription",),
)


def list_all(params: JSON) -> JSON:
    subscription = records.referenced("subscription", params["subscription"], "subscription")
    items: list[JSON] = subscription.data["items"]["data"]
    return listing.slice_of(items, "/v1/subscription_items", params)


def retrieve(params: JSON, id: str) -> JSON:
    for subscription in records.each("subscription"):
        items: list[JSON] = subscription.data["items"]["data"]
        for item in items:
            if item["id"] == id:
                return item
    raise missing_resource("subscription_item", id)


ROUTES = [
    Route("GET", "/v1/subscription_items", list_all, LIST),
    Route("GET", "/v1/subscription_items/{id}", retrieve),
]
