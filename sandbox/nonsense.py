"""What nobody can use: bodies that stand in for an event, and a page that stands in for JSON."""

import json
from collections.abc import Callable

from sandbox.kinds import JSON

OLD_VERSION = "2013-02-11"

# As a proxy on the way would answer in Stripe's place.
PAGE = "<!doctype html><html><head><title>Welcome</title></head><body>It works!</body></html>"


def _with_object(event: JSON, subject: object) -> JSON:
    return {**event, "data": {**event["data"], "object": subject}}


def _with_nul(event: JSON) -> JSON:
    subject = event["data"]["object"]
    metadata = {**(subject.get("metadata") or {}), "nul": "\0"}
    return _with_object(event, {**subject, "metadata": metadata})


def _truncated(event: JSON) -> str:
    text = json.dumps(event)
    return text[: len(text) // 2]


BODIES: dict[str, Callable[[JSON], str]] = {
    "truncated": _truncated,
    "list": lambda event: json.dumps([event]),
    "null_data": lambda event: json.dumps({**event, "data": None}),
    "text_object": lambda event: json.dumps(_with_object(event, event["data"]["object"]["id"])),
    "old_version": lambda event: json.dumps({**event, "api_version": OLD_VERSION}),
    "nul": lambda event: json.dumps(_with_nul(event)),
}
