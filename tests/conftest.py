from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.test import TransactionTestCase
from djstripe.models import WebhookEndpoint
from pytest_django import DjangoDbBlocker, Settings

from billing import gateway, services
from tests import pristine
from tests.cast import Cast, make_cast
from tests.kept import put_back
from tests.no_secrets import secrets_in_the_log
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess

STRIPE_KEY = "sk_test_sandbox"
# Rooms and files that open page after page, and look at what pages say and refuse.
SAME_EVERYWHERE = {
    "language",
    "test_links.py",
    "test_csrf.py",
    "test_escaping.py",
    "test_host_header.py",
    "test_methods.py",
    "test_open_redirect.py",
    "test_second_factor_of_everybody.py",
    "test_breached_passwords.py",
}

# Processes that test side by side on one Redis keep apart.
django_settings.CACHES["default"]["KEY_PREFIX"] = os.environ.get("PYTEST_XDIST_WORKER", "alone")

# Of what Hypothesis thinks up, fewer than where CI is set, as there it is by `.ci/run`.
if "CI" not in os.environ:
    hypothesis.settings.register_profile("quick", max_examples=25)
    hypothesis.settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _quick_and_alone(request: pytest.FixtureRequest, settings: Settings) -> None:
    """Cheap password hashes, tasks that run when they are enqueued, and no rate limit's past."""
    for name in ("default", "process"):
        caches[name].clear()
    counter = "django_assert_num_queries"
    if counter in request.fixturenames or hasattr(request.module, "CaptureQueriesContext"):
        # Counted as without Redis, where a copy of the session saves a statement.
        settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A code that is made at the end of its 30 seconds is not over before it is sent.
    settings.MFA_TOTP_TOLERANCE = 1
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what may touch the database: the rest is the same on every one, and so is what pages
    say and offer (tests/test_matrix.py opens them all on both)."""
    for item in items:
        if SAME_EVERYWHERE & set(item.path.parts):
            continue
        names = getattr(item, "fixturenames", [])
        if item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(names):
            item.add_marker("database")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Nobody needs what is written here after the machine has crashed."""
    database = django_settings.DATABASES["default"]
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        options["init_command"] += "PRAGMA synchronous=OFF;"
    else:
        # Tables that others filled and left look large: to compile for each query would take the
        # most part of a second.
        options["options"] = "-c synchronous_commit=off -c jit=off"


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[pristine.Pristine]:
    """The database, to which every test that commits returns instead of emptying it."""
    with django_db_blocker.unblock():
        made = pristine.remember()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: made.restore())
        yield made


@pytest.fixture(autouse=True)
def _the_log_keeps_no_secret(
    request: pytest.FixtureRequest, _django_db_marker: None
) -> Iterator[None]:
    uses_database = "db" in request.fixturenames or request.node.get_closest_marker("django_db")
    if uses_database and "db" in request.fixturenames:
        request.getfixturevalue("db")
    yield
    if uses_database:
        assert secrets_in_the_log() == []


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
    settings.STRIPE_TIMEOUT = 20
    return sandbox_process


@pytest.fixture
def stripe_account(stripe_at_hand: SandboxProcess, settings: Settings) -> SandboxProcess:
    """An account that is set up, whose customers live by a clock that can be moved. Nothing is
    delivered from it."""
    _prepare(stripe_at_hand, settings, "")
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
    _prepare(stripe_at_hand, settings, live_server.url)
    return stripe_at_hand


@pytest.fixture
def wired_payer(wired_account: SandboxProcess, cast: Cast) -> Payer:
    """Acme's owner at Stripe, whose events arrive."""
    return Payer(wired_account, cast.acme)


def _prepare(sandbox: SandboxProcess, settings: Settings, listener: str) -> None:
    """Set an account up, whose events go to this address, if any; there and here at once."""
    name = f"an account that tells {listener or 'nobody'}"
    is_made = False

    def make() -> str:
        nonlocal is_made
        is_made = True
        services.set_up_stripe(base_url=listener or "http://127.0.0.1:1")
        if not listener:
            for endpoint in WebhookEndpoint.objects.all():
                gateway.delete_webhook_endpoint(endpoint.id)
        client: Any = gateway.api()
        clock = client.test_helpers.test_clocks.create({"frozen_time": 1_780_000_000})
        sandbox.keep(name)
        return str(clock.id)

    settings.STRIPE_TEST_CLOCK = put_back(make, name=name, does_more_than_write=False)
    if not is_made:
        sandbox.reset(to=name)
