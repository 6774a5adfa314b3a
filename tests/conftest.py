from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from djstripe.models import WebhookEndpoint
from pytest_django import Settings

from billing import gateway, services
from orgs.guards import installation
from tests.cast import Cast, make_cast
from tests.kept import put_back
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess

STRIPE_KEY = "sk_test_sandbox"


@pytest.fixture(autouse=True)
def _quick_and_alone(settings: Settings) -> None:
    """Cheap password hashes, tasks that run when they are enqueued, and no rate limit's past."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}


@pytest.fixture(autouse=True)
def _guards_make_way_for_the_flush(
    request: pytest.FixtureRequest, _django_db_marker: None
) -> Iterator[None]:
    """Tests that commit are followed by a flush, which the guards would refuse; it installs them
    again for the next test."""
    marker = request.node.get_closest_marker("django_db")
    commits = (marker is not None and marker.kwargs.get("transaction", False)) or bool(
        {"transactional_db", "live_server"} & set(request.fixturenames)
    )
    if not commits:
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    installation.drop(connection)


@pytest.fixture
def cast(db: None) -> Cast:
    return put_back(make_cast)


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def stripe_at_hand(sandbox_process: SandboxProcess, settings: Settings, db: None) -> SandboxProcess:
    """Stripe as the product sees it: empty, and the product's address for it."""
    sandbox_process.reset()
    settings.STRIPE_API_HOST = sandbox_process.url
    settings.STRIPE_SECRET_KEY = STRIPE_KEY
    settings.STRIPE_MAX_NETWORK_RETRIES = 0
    settings.STRIPE_TIMEOUT = 5
    return sandbox_process


@pytest.fixture
def stripe_account(stripe_at_hand: SandboxProcess, settings: Settings) -> SandboxProcess:
    """An account that is set up, whose customers live by a clock that can be moved. Nothing is
    delivered from it."""
    _prepare(settings, "http://127.0.0.1:1")
    for endpoint in WebhookEndpoint.objects.all():
        gateway.delete_webhook_endpoint(endpoint.id)
    return stripe_at_hand


@pytest.fixture
def payer(stripe_account: SandboxProcess, cast: Cast) -> Payer:
    """Acme's owner at Stripe."""
    return Payer(stripe_account, cast.acme)


@pytest.fixture
def wired_account(
    stripe_at_hand: SandboxProcess, settings: Settings, live_server: Any
) -> SandboxProcess:
    """As `stripe_account`, and its events arrive: signed, over HTTP, at a running server.

    What an event wakes runs before it is acknowledged, so after `flush()` it is done.
    """
    settings.BASE_URL = live_server.url
    _prepare(settings, live_server.url)
    return stripe_at_hand


@pytest.fixture
def wired_payer(wired_account: SandboxProcess, cast: Cast) -> Payer:
    """Acme's owner at Stripe, whose events arrive."""
    return Payer(wired_account, cast.acme)


def _prepare(settings: Settings, base_url: str) -> None:
    services.set_up_stripe(base_url=base_url)
    client: Any = gateway._client()
    clock = client.test_helpers.test_clocks.create({"frozen_time": 1_780_000_000})
    settings.STRIPE_TEST_CLOCK = clock.id
