"""Webhook endpoints. The secret is shown once, in the answer to the create call."""

from sandbox import clocks, deliveries, listing, records
from sandbox.errors import ParameterError
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
from sandbox.routing import Route
from sandbox.settings import API_VERSION

FIELDS: dict[str, Param] = {
    "description": Text(clearable=True),
    "enabled_events": ListOf(Text()),
    "metadata": Metadata(),
    "url": Text(),
}
CREATE = Params(
    {**FIELDS, "api_version": Text(), "connect": Flag()}, required=("enabled_events", "url")
)
UPDATE = Params({**FIELDS, "disabled": Flag()})
LIST = list_params()


def create(params: JSON) -> JSON:
    _check_url(params["url"])
    secret = f"whsec_{new_id('x', 32)[2:]}"
    data = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version", API_VERSION),
        "application": None,
        "created": clocks.real_now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "status": "enabled",
        "url": params["url"],
    }
    records.add(data, hidden={"secret": secret})
    return {**data, "secret": secret}


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ParameterError(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )


def retrieve(params: JSON, id: str) -> JSON:
    return records.live("webhook_endpoint", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.live("webhook_endpoint", id)
    if "url" in params:
        _check_url(params["url"])
    for key in ("description", "enabled_events", "url"):
        record.data[key] = params.get(key, record.data[key])
    if "metadata" in params:
        record.data["metadata"] = merged_metadata(record.data["metadata"], params["metadata"])
    if "disabled" in params:
        record.data["status"] = "disabled" if params["disabled"] else "enabled"
    records.save(record)
    return record.data


def delete(params: JSON, id: str) -> JSON:
    record = records.live("webhook_endpoint", id)
    deliveries.abandon(id)
    return records.delete(record)


def list_all(params: JSON) -> JSON:
    return listing.page("/v1/webhook_endpoints", "webhook_endpoint", params)


ROUTES = [
    Route("POST", "/v1/webhook_endpoints", create, CREATE),
    Route("GET", "/v1/webhook_endpoints", list_all, LIST),
    Route("GET", "/v1/webhook_endpoints/{id}", retrieve),
    Route("POST", "/v1/webhook_endpoints/{id}", update, UPDATE),
    Route("DELETE", "/v1/webhook_endpoints/{id}", delete),
]
