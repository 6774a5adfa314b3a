"""Attempts are counted once for all server processes, without anybody having set up anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.rate_limits import cache_is_shared
from config.browser import Browser
from config.processes import BASE_DIR, LOCALHOST, ManagedProcess, free_port
from tests.cast import PASSWORD, Cast
from tests.second_factor import set_up_second_factor
from tests.web_process import url_of_database

PROCESSES = 3
ATTEMPTS = 8
LIMIT = 5
TABLE = "holdfast_cache"
UNSAID = {"SECOND_FACTOR_NEEDED_BY", "DATABASE_URL"}


@pytest.fixture
def database_cache(settings: Settings, db: None) -> None:
    """The cache of whoever sets no CACHE_URL, after `migrate`."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": TABLE,
            "OPTIONS": {"MAX_ENTRIES": 50_000},
        }
    }
    call_command("createcachetable", verbosity=0)


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_wrong_passwords_over_several_processes_get_no_further_than_the_limit(
    database_cache: None, cast: Cast
) -> None:
    caches["default"].clear()
    env = {"DATABASE_URL": url_of_database(), "CACHE_URL": f"dbcache://{TABLE}"}
    ports = [free_port() for _ in range(PROCESSES)]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                ManagedProcess("runserver", f"{LOCALHOST}:{port}", "--noreload", env=env)
            )
            for port in ports
        ]
        for server, port in zip(servers, ports, strict=True):
            server.wait_for_port(port, within=60)
        browsers = [Browser() for _ in range(PROCESSES * ATTEMPTS)]

        def attempt(number: int, password: str = "wrong") -> str:
            url = f"http://{LOCALHOST}:{ports[number % PROCESSES]}/accounts/login/"
            browsers[number].open(url)
            form = {"login": "bob@example.com", "password": password}
            return browsers[number].submit("/accounts/login/", **form).text

        with ThreadPoolExecutor(PROCESSES * 2) as pool:
            answers = list(pool.map(attempt, range(len(browsers))))
        judged = sum("not correct" in answer for answer in answers)
        assert judged + sum("Too many failed" in answer for answer in answers) == len(answers)
        # A lock that is long waited for counts as refused, so fewer may have been judged.
        assert 1 <= judged <= LIMIT
        # From whichever process, until the time is over even the right one is not asked for.
        last = [attempt(number, PASSWORD) for number in range(PROCESSES)]
    assert judged < LIMIT or all("Too many failed" in answer for answer in last)


@pytest.mark.process
@pytest.mark.parametrize("debug", ["true", "false"])
def test_without_a_word_about_it_the_cache_is_shared_and_staff_are_strict_in_production(
    debug: str,
) -> None:
    script = (
        "import json; from config import settings; "
        "print(json.dumps([settings.CACHES['default'], settings.SECOND_FACTOR_NEEDED_BY]))"
    )
    env = {name: value for name, value in os.environ.items() if name not in UNSAID}
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env=env | {"DEBUG": debug, "CACHE_URL": ""},
        capture_output=True,
        check=True,
    )
    cache, needed_by = json.loads(run.stdout)
    assert cache["BACKEND"].endswith("DatabaseCache")
    assert cache["OPTIONS"]["MAX_ENTRIES"] > 10_000
    assert needed_by == ("staff" if debug == "false" else "nobody")


def test_migrate_makes_the_table(database_cache: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")
    # As `migrate` ends.
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    form = {"login": "nobody@example.com", "password": "wrong"}
    for _ in range(LIMIT + 1):
        answer = Client().post(reverse("account_login"), form)
    assert "Too many failed" in answer.content.decode()


@pytest.mark.parametrize(
    ("backend", "warned"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", True),
        ("django.core.cache.backends.filebased.FileBasedCache", True),
        ("django.core.cache.backends.db.DatabaseCache", False),
        ("django.core.cache.backends.redis.RedisCache", False),
    ],
)
def test_a_cache_that_processes_do_not_share_is_reported(
    settings: Settings, backend: str, warned: bool
) -> None:
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "x"}}
    assert [each.id for each in cache_is_shared(None)] == ["accounts.W001"] * warned


def test_who_is_stopped_reads_it_on_a_page_of_ours(db: None) -> None:
    client = Client()
    for _ in range(31):
        answer = client.post(reverse("account_login"), {"login": "x", "password": "x"})
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert "site-header" in answer.content.decode()


def test_guesses_are_counted_whatever_the_host_is_called(cast: Cast) -> None:
    """Any port may stand in the header."""
    form = {"login": "bob@example.com", "password": "wrong"}
    page = reverse("account_login")
    hosts = [f"localhost:{number}" for number in range(1, LIMIT + 2)]
    answers = [Client(HTTP_HOST=host).post(page, form).content.decode() for host in hosts]
    assert "not correct" in answers[LIMIT - 1]
    assert "Too many failed" in answers[LIMIT]


def test_a_wrong_second_factor_is_limited_too(cast: Cast) -> None:
    set_up_second_factor(cast.bob)
    client = Client()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    answers = [
        client.post(reverse("mfa_authenticate"), {"code": f"00000{n}"}).content.decode()
        for n in range(6)
    ]
    assert "Incorrect code" in answers[4]
    assert "Too many failed" in answers[5]
