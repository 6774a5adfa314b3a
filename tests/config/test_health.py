"""What a balancer is told of a process, and that the asking costs and reveals nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from billing.models import ReconcileRun, Standing
from config import health
from config.health import Part, State, state_of
from config.processes import BASE_DIR, LOCALHOST
from orgs.guards import installation
from tests.cast import Cast, OrganizationFactory, lock, signed_in
from tests.config.test_production import PRODUCTION
from tests.impersonating import impersonating

LIVE, READY = "/health/live", "/health/ready"
WELL, ILL = Part(is_vital=True), Part(is_vital=True, why="Gone.")
POORLY = Part(is_vital=False, why="Late.")


@pytest.fixture
def well(cast: Cast, settings: Settings) -> None:
    """Nothing waits, and everything was compared an hour ago."""
    settings.STRIPE_SECRET_KEY = "sk_test_health"
    Standing.objects.update(sync_requested_at=None)
    _reconciled(timedelta(hours=1))


def _reconciled(ago: timedelta, **fields: Any) -> None:
    now = timezone.now()
    ReconcileRun.objects.create(
        started_at=now - ago, touched_at=now, **{"finished_at": now - ago} | fields
    )


def asked() -> tuple[int, str, dict[str, Any]]:
    answer = Client().get(READY)
    told = answer.json()
    return answer.status_code, told["status"], told["parts"]


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([WELL], State.READY),
        ([WELL, POORLY], State.DEGRADED),
        ([ILL], State.DOWN),
        ([POORLY, ILL, WELL], State.DOWN),
    ],
)
def test_only_what_nothing_works_without_takes_a_process_out(
    parts: list[Part], state: State
) -> None:
    assert state_of(parts) is state


def test_a_live_process_says_so_without_asking_anything(
    django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get(LIVE)
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.parametrize("path", [LIVE, READY])
def test_it_answers_whatever_the_host_and_without_tls(
    well: None, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["app.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    answer = Client(HTTP_HOST="10.1.2.3:8000").get(path)
    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.parametrize("path", [LIVE, READY])
def test_no_session_is_looked_at_and_nobody_is_gated(well: None, cast: Cast, path: str) -> None:
    member, impersonator = signed_in(cast.bob), impersonating(cast.dana, cast.alice)
    lock(cast.acme)
    for client in (member, impersonator):
        with CaptureQueriesContext(connection) as statements:
            assert client.get(path).status_code == 200
        assert not [each for each in statements if "session" in each["sql"]]


def test_all_is_well(well: None) -> None:
    status, state, parts = asked()
    assert (status, state) == (200, "ready"), parts
    assert set(parts) == {"database", "migrations", "guards", "marks", "reconcile", "cache"}
    assert parts["reconcile"]["age_seconds"] == pytest.approx(3600, abs=30)


def test_it_costs_the_same_with_more_organizations(
    well: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as statements:
        asked()
    for _ in range(3):
        OrganizationFactory.create()
    with django_assert_num_queries(len(statements)):
        asked()
    assert len(statements) <= 24


@pytest.mark.django_db(transaction=True)
def test_without_a_guard_nobody_is_sent_here(well: None) -> None:
    try:
        installation.drop(connection)
        status, state, parts = asked()
    finally:
        installation.install(connection)
    assert (status, state) == (503, "down")
    assert parts["guards"]["missing_or_altered"] > 1
    assert parts["database"]["ok"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_is_not_waited_for(well: None) -> None:
    """As while a migration changes it. People, whose pages do without it, are let in."""
    known = connection.get_connection_params()
    where = {
        name: known[name]
        for name in ("dbname", "user", "host", "port", "password")
        if name in known
    }
    with psycopg.connect(**where) as other:
        other.execute("LOCK TABLE billing_standing IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        status, state, parts = asked()
        assert (status, state) == (200, "degraded")
        assert parts["marks"]["why"] == "It does not answer."
        assert time.monotonic() - began < 10
        other.rollback()
    assert asked()[1] == "ready"


@pytest.fixture
def migrations(well: None, settings: Settings) -> Iterator[list[tuple[str, str]]]:
    """The newest migrations of each app, all of which the database has had."""
    settings.MIGRATION_MODULES = {}
    health._newest_migrations.cache_clear()
    newest = sorted(MigrationLoader(None).graph.leaf_nodes())
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY, app varchar(255), "
            "name varchar(255), applied timestamp)"
        )
        cursor.executemany(
            "INSERT INTO django_migrations (id, app, name) VALUES (%s, %s, %s)",
            [(number, *key) for number, key in enumerate(newest)],
        )
    yield newest
    health._newest_migrations.cache_clear()


def test_a_database_that_has_had_all_migrations_is_well(
    migrations: list[tuple[str, str]],
) -> None:
    assert asked()[:2] == (200, "ready")


def test_a_database_that_lacks_a_migration_serves_nobody(
    migrations: list[tuple[str, str]],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'billing'")
    status, state, parts = asked()
    assert (status, state) == (503, "down")
    assert parts["migrations"] == {"ok": False, "why": "Run manage.py migrate.", "missing": 1}


def test_a_mark_that_nobody_syncs_is_told_and_locks_nobody_out(well: None, cast: Cast) -> None:
    standing = Standing.objects.filter(organization=cast.acme)
    standing.update(sync_requested_at=timezone.now() - timedelta(minutes=5))
    assert asked()[:2] == (200, "ready")
    standing.update(sync_requested_at=timezone.now() - timedelta(hours=2))
    status, state, parts = asked()
    assert (status, state) == (200, "degraded")
    assert parts["marks"]["oldest_seconds"] == pytest.approx(7200, abs=30)


def test_what_was_never_reconciled_or_not_for_days_is_told(well: None) -> None:
    ReconcileRun.objects.all().delete()
    assert asked()[:2] == (200, "degraded")
    # One that was broken off, and one that looked at a few, are none.
    _reconciled(timedelta(0), finished_at=None)
    _reconciled(timedelta(0), is_full=False)
    assert asked()[1] == "degraded"
    _reconciled(timedelta(days=3))
    assert asked()[1] == "degraded"
    _reconciled(timedelta(hours=2))
    assert asked()[1] == "ready"


def test_without_a_key_of_stripes_nothing_has_to_be_synced(well: None, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    ReconcileRun.objects.all().delete()
    Standing.objects.update(sync_requested_at=timezone.now() - timedelta(days=9))
    assert asked()[:2] == (200, "ready")


@pytest.mark.parametrize(
    "backend",
    ["config.cache.FailoverCache", "django.core.cache.backends.redis.RedisCache"],
)
def test_without_redis_people_are_let_in(well: None, settings: Settings, backend: str) -> None:
    settings.CACHES = {
        "default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"},
        "database": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    }
    status, state, parts = asked()
    assert (status, state) == (200, "degraded")
    assert parts["cache"] == {"ok": False, "why": "It does not answer."}


WITHOUT_DATABASE = """
import json, django
django.setup()
from django.test import Client
client = Client(headers={"host": "app.example.com"}, raise_request_exception=False)
def told(answer):
    return [answer.status_code, answer.content.decode(), dict(answer.headers)]
print(json.dumps({
    "live": told(client.get("/health/live")),
    "ready": told(client.get("/health/ready")),
    "page": told(client.get("/", secure=True)),
    "metrics": told(client.get("/metrics", headers={"authorization": "Bearer only-for-scrapes"})),
}))
"""


@pytest.fixture(scope="module")
def without_database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a process says whose database is out of reach."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT_DATABASE],
        cwd=BASE_DIR,
        env=os.environ
        | PRODUCTION
        | {
            "DATABASE_URL": "postgres://keeper:hunter22@127.0.0.1:1/vault",
            "METRICS_TOKEN": "only-for-scrapes",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("metrics")),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


SILENT = """
import json, time, django
django.setup()
from config import health
from orgs import clock
began = time.monotonic()
parts = {WHAT}
print(json.dumps([{name: part.why for name, part in parts.items()}, time.monotonic() - began]))
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("scheme", "variable", "what", "part"),
    [
        ("postgres", "DATABASE_URL", "health.examine(clock.now())", "database"),
        ("redis", "CACHE_URL", '{"cache": health._asked("cache", health._cache)}', "cache"),
    ],
)
def test_a_server_that_takes_calls_and_says_nothing_is_given_up(
    scheme: str, variable: str, what: str, part: str, tmp_path: Path
) -> None:
    with socket.create_server((LOCALHOST, 0)) as silent:
        address = f"{scheme}://{LOCALHOST}:{silent.getsockname()[1]}/0"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SILENT.replace("{WHAT}", what)],
            cwd=BASE_DIR,
            env=os.environ
            | PRODUCTION
            | {variable: address, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    found, seconds = json.loads(done.stdout)
    assert found == {part: "It does not answer."}
    assert seconds < 9


@pytest.mark.process
def test_without_its_database_a_process_lives_and_asks_for_no_requests(
    without_database: Any,
) -> None:
    assert without_database["live"][0] == 200
    status, body, _headers = without_database["ready"]
    assert status == 503
    assert json.loads(body) == {
        "status": "down",
        "parts": {"database": {"ok": False, "why": "It does not answer."}},
    }


@pytest.mark.process
def test_without_the_database_a_page_is_a_clean_503(without_database: Any) -> None:
    status, body, headers = without_database["page"]
    assert (status, headers["Retry-After"]) == (503, "10")
    assert "Back in a moment" in body


@pytest.mark.process
def test_without_the_database_what_was_counted_is_told(without_database: Any) -> None:
    status, body, _headers = without_database["metrics"]
    assert status == 200
    assert "holdfast_database_up 0.0" in body
    assert 'holdfast_requests_total{method="GET",route="home",status="503"} 1.0' in body


@pytest.mark.process
def test_no_answer_tells_where_the_database_is_or_how_to_open_it(without_database: Any) -> None:
    said = json.dumps(without_database)
    assert not [each for each in ("keeper", "hunter22", "vault") if each in said]
