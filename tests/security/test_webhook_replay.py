"""An event that was taken down on its way, or signed by another, wakes nobody and stores nothing.

What a single wrong signature gets: tests/billing/test_webhooks.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
import time_machine
from djstripe.models import Event, WebhookEndpoint

from billing.models import Standing
from orgs.models import Organization
from tests.billing.test_webhooks import customer, endpoint, event, is_marked, post
from tests.cast import Cast

__all__ = ["customer", "endpoint"]

BODY = json.dumps(event()).encode()
NEW = "whsec_new"


def code(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def header(*parts: str, at: int | None = None) -> str:
    return ",".join([f"t={int(time.time()) if at is None else at}", *parts])


def deliver(endpoint: WebhookEndpoint, signature: str, body: bytes = BODY) -> int:
    return int(post(endpoint, body, **{"stripe-signature": signature}).status_code)


def test_the_same_delivery_again_is_a_wake_up_call_and_nothing_more(
    endpoint: WebhookEndpoint, customer: str, cast: Cast
) -> None:
    now = int(time.time())
    signature = header(f"v1={code(BODY, endpoint.secret, now)}", at=now)
    before = Organization.objects.values().get(pk=cast.acme.pk)
    standing = Standing.objects.get(organization=cast.acme)
    for _ in range(5):
        assert deliver(endpoint, signature) == 200
    assert Event.objects.count() == 1
    assert Organization.objects.values().get(pk=cast.acme.pk) == before
    after = Standing.objects.get(organization=cast.acme)
    assert (after.status, after.reason) == (standing.status, standing.reason)


@pytest.mark.parametrize(("seconds", "status"), [(290, 200), (310, 400), (86_400, 400)])
def test_what_was_signed_five_minutes_ago_is_too_old(
    endpoint: WebhookEndpoint, customer: str, cast: Cast, seconds: int, status: int
) -> None:
    with time_machine.travel(1_790_000_000, tick=False) as clock:
        now = int(time.time())
        signature = header(f"v1={code(BODY, endpoint.secret, now)}", at=now)
        clock.shift(seconds)
        assert deliver(endpoint, signature) == status
    assert Event.objects.exists() is is_marked(cast) is (status == 200)


def test_its_time_cannot_be_changed(endpoint: WebhookEndpoint, customer: str) -> None:
    old, now = int(time.time()) - 3_600, int(time.time())
    signed = f"v1={code(BODY, endpoint.secret, old)}"
    for forged in (
        header(signed, at=now),
        f"t={old},t={now},{signed}",
        f"t={now},t={old},{signed}",
    ):
        assert deliver(endpoint, forged) == 400, forged
    assert not Event.objects.exists()


def test_a_delivery_to_one_endpoint_is_none_to_another(
    endpoint: WebhookEndpoint, customer: str, cast: Cast
) -> None:
    other = WebhookEndpoint.objects.create(
        id="we_2", secret="whsec_of_another_account", enabled_events=["*"], url="https://y"
    )
    now = int(time.time())
    signature = header(f"v1={code(BODY, other.secret, now)}", at=now)
    assert deliver(endpoint, signature) == 400
    assert not is_marked(cast)
    assert deliver(other, signature) == 200


@pytest.mark.parametrize("is_first", [True, False])
def test_while_a_secret_is_rolled_either_of_the_two_is_taken(
    endpoint: WebhookEndpoint, customer: str, is_first: bool
) -> None:
    """Stripe then signs with both: one `v1` for each that is valid."""
    now = int(time.time())
    both = [f"v1={code(BODY, endpoint.secret, now)}", f"v1={code(BODY, NEW, now)}"]
    signature = header(*(both if is_first else reversed(both)), at=now)
    assert deliver(endpoint, signature) == 200
    WebhookEndpoint.objects.update(secret=NEW)
    assert deliver(endpoint, signature) == 200
    alone = header(both[0], at=now)
    assert deliver(endpoint, alone) == 400


def test_a_weaker_scheme_is_not_taken(endpoint: WebhookEndpoint, customer: str) -> None:
    now = int(time.time())
    right = code(BODY, endpoint.secret, now)
    for part in (
        f"v0={right}",
        f"v2={right}",
        f"V1={right}",
        f"v1={right[:-1]}",
        f"v1={right.upper()}",
    ):
        assert deliver(endpoint, header(part, at=now)) == 400, part


@pytest.mark.parametrize(
    "changed",
    [BODY + b" ", b"\xef\xbb\xbf" + BODY, BODY.replace(b"cus_acme", b"cus_beta")],
    ids=["a space more", "a mark before", "another customer"],
)
def test_a_body_that_was_changed_on_its_way_is_refused(
    endpoint: WebhookEndpoint, customer: str, cast: Cast, changed: bytes
) -> None:
    now = int(time.time())
    signature = header(f"v1={code(BODY, endpoint.secret, now)}", at=now)
    assert deliver(endpoint, signature, changed) == 400
    assert not Event.objects.exists()
    assert not is_marked(cast)


def test_a_refusal_tells_nothing_of_the_secret(endpoint: WebhookEndpoint) -> None:
    answer: Any = post(endpoint, BODY, **{"stripe-signature": header("v1=0")})
    assert answer.status_code == 400
    assert answer.content == b"The signature does not match."
