"""Stripe's events: one is kept for each change, and goes to every endpoint that asked for it."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sandbox import clocks, deliveries, records
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.settings import API_VERSION
from sandbox.weather import weather

AUTOMATIC: JSON = {"id": None, "idempotency_key": None}

# The API request that is being answered, which its events name; Stripe's own doings name none.
current_request: ContextVar[JSON] = ContextVar("current_request", default=AUTOMATIC)


def emit(kind: str, subject: Record, *, previous: JSON | None = None) -> None:
    """Keep an event about an object as it is now, and queue its deliveries."""
    endpoints = [
        endpoint
        for endpoint in records.each("webhook_endpoint", oldest_first=True)
        if _wants(endpoint.data, kind)
    ]
    data: JSON = {"object": copy.deepcopy(subject.data)}
    if previous is not None:
        data["previous_attributes"] = previous
    event = records.add(
        {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": clocks.now_of(subject),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": dict(current_request.get()),
            "type": kind,
        },
        clock=subject.clock,
    )
    for endpoint in endpoints:
        deliveries.queue(event.id, endpoint.id, weather.strike_delivery(kind))


def _wants(endpoint: JSON, kind: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)


@contextmanager
def changing(record: Record, kind: str) -> Iterator[None]:
    """Save what its block changes, with an event if anything did change."""
    before = copy.deepcopy(record.data)
    yield
    records.save(record)
    previous = difference(before, record.data)
    if previous:
        emit(kind, record, previous=previous)


def difference(before: JSON, after: JSON) -> JSON:
    """Return the old values of what changed, nested as in the object."""
    changed: JSON = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            changed[key] = difference(old, new)
        else:
            changed[key] = old
    return changed
