"""Calls to the sandbox's API without the SDK: for speed, and for what the SDK would not send."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.sandbox.schemas import validate
from tests.sandbox_process import opener

KEY = "sk_test_sandbox"


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: Message


def call(
    url: str,
    data: str | None = None,
    *,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> Answer:
    """Make one call (with data: a POST) and hold its answer to Stripe's."""
    sent = {"Authorization": f"Bearer {KEY}", **(headers or {})}
    body = None if data is None else data.encode()
    request = urllib.request.Request(url, data=body, headers=sent, method=method)
    try:
        with opener.open(request, timeout=30) as response:
            answer = Answer(response.status, json.load(response), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            answer = Answer(error.code, json.load(error), error.headers)
    validate(answer.body)
    return answer


def events(url: str) -> list[dict[str, Any]]:
    """Read all events so far, oldest first."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = call(f"{url}/v1/events?limit=100{after}").body
        found += page["data"]
        if not page["has_more"]:
            return found[::-1]
        after = f"&starting_after={found[-1]['id']}"
