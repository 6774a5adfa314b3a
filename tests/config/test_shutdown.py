"""Told to end, a process answers what it has in hand, and loses nothing of what is left."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone
from djstripe.models import WebhookEndpoint

from billing import services
from billing.models import Standing, Status
from config.processes import ManagedProcess
from orgs.models import Organization
from tests.billing.test_webhooks import endpoint, event, signature
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.payer import Payer
from tests.web_process import WebProcess, production

__all__ = ["endpoint"]

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def slow(payer: Payer, cast: Cast) -> Payer:
    """Acme subscribed at Stripe, which we have not heard of; and Stripe takes its time."""
    services.sync_organization(cast.acme)
    payer.subscribe_at_stripe()
    slow_down(payer, seconds=1)
    return payer


def slow_down(payer: Payer, *, seconds: int) -> None:
    slow = {"path": "/v1/subscriptions", "delay_ms": seconds * 1000, "times": 1}
    payer.sandbox.weather([slow])


def standing_of(cast: Cast) -> Standing:
    return Standing.objects.get(organization=cast.acme)


def is_synced(cast: Cast) -> bool:
    standing = standing_of(cast)
    return standing.status == Status.CURRENT and standing.sync_requested_at is None


def wait_for_sync(payer: Payer, *, after: int) -> None:
    """Return when a sync is in the middle: Stripe was asked, and has not answered."""
    payer.wait_for_call("GET", "/v1/subscriptions", after=after)


def tell_of_acme(web: WebProcess, endpoint: WebhookEndpoint, cast: Cast) -> None:
    """Post a signed event, as Stripe does."""
    customer = Organization.objects.get(pk=cast.acme.pk).stripe_customer_id
    about = {"id": "in_1", "object": "invoice", "customer": customer}
    body = json.dumps(event(data={"object": about})).encode()
    path = reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid])
    answer = web.post(path, body, **{"Stripe-Signature": signature(body)})
    assert answer.status == 200


def test_a_request_in_hand_is_answered_before_the_process_ends(slow: Payer, cast: Cast) -> None:
    session = signed_in(cast.alice).cookies[django_settings.SESSION_COOKIE_NAME].value
    # As it is called in production.
    cookie = f"__Host-sessionid={session}"
    asked = len(slow.sandbox.requests())
    with WebProcess() as web, ThreadPoolExecutor() as pool:
        answer = pool.submit(web.get, "/billing/return/?q=private", Cookie=cookie)
        wait_for_sync(slow, after=asked)
        web.tell_to_end()
        assert answer.result().status == 302
        assert web.wait() == 0
        assert is_synced(cast)
        with pytest.raises(OSError, match="refused"):
            web.get("/health/live")
        # From its first line to its last, gunicorn's own included, it has logged in one form.
        (line,) = [each for each in web.lines() if each.get("route") == "billing:checkout_return"]
        assert (line["user_id"], line["organization_id"]) == (cast.alice.pk, cast.acme.pk)
        assert not [each for each in web.lines() if "private" in str(each)]


def test_a_task_in_hand_is_done_before_the_process_ends(
    slow: Payer, cast: Cast, endpoint: WebhookEndpoint
) -> None:
    asked = len(slow.sandbox.requests())
    with WebProcess(TASKS="thread") as web:
        tell_of_acme(web, endpoint, cast)
        wait_for_sync(slow, after=asked)
        web.tell_to_end()
        assert web.wait() == 0
    assert is_synced(cast)


def test_a_task_that_takes_too_long_is_cut_off_and_its_mark_stays(
    slow: Payer, cast: Cast, endpoint: WebhookEndpoint
) -> None:
    slow_down(slow, seconds=6)
    asked = len(slow.sandbox.requests())
    with WebProcess("--graceful-timeout=1", TASKS="thread") as web:
        tell_of_acme(web, endpoint, cast)
        wait_for_sync(slow, after=asked)
        web.tell_to_end()
        web.wait()
    assert standing_of(cast).sync_requested_at is not None
    slow.sandbox.weather([])
    # As when the lease of the dead has run out.
    Standing.objects.update(lease_until=timezone.now())
    services.sync_due(now=timezone.now())
    assert is_synced(cast)


@pytest.mark.parametrize("arguments", [("--due",), ("--due", "--every=600")])
def test_the_sweep_ends_after_the_organization_in_hand(
    slow: Payer, cast: Cast, arguments: tuple[str, ...]
) -> None:
    other = OrganizationFactory.create()
    now = timezone.now()
    for organization, ago in ((cast.acme, 20), (other, 10)):
        Standing.objects.filter(organization=organization).update(
            sync_requested_at=now - timedelta(seconds=ago), lease_until=None
        )
    asked = len(slow.sandbox.requests())
    with ManagedProcess("sync_billing", *arguments, env=production()) as sweep:
        wait_for_sync(slow, after=asked)
        sweep.stop(within=20)
    assert sweep.returncode == 0, sweep.output
    assert is_synced(cast)
    assert standing_of(cast).lease_until is None
    assert Standing.objects.get(organization=other).sync_requested_at is not None
