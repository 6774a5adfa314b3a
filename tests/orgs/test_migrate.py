"""`migrate`: the guards stand for everybody else while it runs, and after it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, IntegrityError, connection
from django.db.models.signals import post_migrate

from config.processes import BASE_DIR
from orgs.guards import installation
from orgs.models import Organization
from tests.cast import Cast
from tests.web_process import url_of_database

IS_SQLITE = connection.vendor == "sqlite"


@pytest.mark.django_db(transaction=True)
def test_migrate_brings_back_the_guards_that_the_check_misses() -> None:
    installation.drop(connection)
    with pytest.raises(SystemCheckError, match=r"orgs\.E001"):
        call_command("check", databases=["default"])
    call_command("migrate", verbosity=0, skip_checks=False)
    call_command("check", databases=["default"])
    assert installation.missing_or_altered(connection) == []


@pytest.fixture
def migrating(transactional_db: None) -> Iterator[subprocess.Popen[str]]:
    """Another process that migrates, and is in the middle of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.orgs.migrate_and_wait"],
        cwd=BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": url_of_database(), "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        try:
            yield process
        finally:
            process.kill()


def give_away(organization: Organization, to: Any) -> None:
    """Change the owner past the services, as a web process could meanwhile."""
    with connection.cursor() as cursor:
        if IS_SQLITE:
            cursor.execute("PRAGMA busy_timeout = 0")
        cursor.execute(
            "UPDATE orgs_organization SET owner_id = %s WHERE id = %s", [to.pk, organization.pk]
        )


@pytest.mark.process
def test_nobody_gets_past_the_guards_while_another_process_migrates(
    cast: Cast, migrating: subprocess.Popen[str]
) -> None:
    # SQLite has one writer; PostgreSQL's guards stand.
    refusal = DatabaseError if IS_SQLITE else IntegrityError
    with pytest.raises(refusal, match="locked" if IS_SQLITE else "I4"):
        give_away(cast.acme, cast.bob)
    assert installation.missing_or_altered(connection) == []
    assert Organization.objects.get().owner == cast.alice


@pytest.mark.process
def test_a_migrate_that_is_killed_leaves_every_guard_in_its_place(
    cast: Cast, migrating: subprocess.Popen[str]
) -> None:
    migrating.kill()
    migrating.wait()
    assert installation.missing_or_altered(connection) == []
    with pytest.raises(IntegrityError, match="I4"):
        give_away(cast.acme, cast.bob)


@pytest.mark.process
def test_a_migrate_that_was_waited_for_ends_with_every_guard(
    migrating: subprocess.Popen[str],
) -> None:
    migrating.communicate("go on\n")
    assert migrating.returncode == 0
    assert installation.missing_or_altered(connection) == []


@pytest.mark.django_db(transaction=True)
def test_a_row_that_breaks_a_key_while_keys_are_not_checked_undoes_all_of_it(cast: Cast) -> None:
    def lose_the_tier(sender: Any, **kwargs: Any) -> None:
        if sender.name == "orgs":
            with connection.cursor() as cursor:
                cursor.execute("UPDATE orgs_organization SET tier_id = 12345")

    post_migrate.connect(lose_the_tier)
    try:
        with pytest.raises(IntegrityError):
            call_command("migrate", run_syncdb=True, verbosity=0)
    finally:
        post_migrate.disconnect(lose_the_tier)
    assert Organization.objects.get().tier_id != 12345
    assert installation.missing_or_altered(connection) == []


def lock_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("told", "meanwhile"), [("0", "5s"), ("30s", "30s")])
def test_a_lock_is_waited_for_briefly_unless_somebody_says_how_long(
    told: str, meanwhile: str
) -> None:
    seen = set()

    def look(**kwargs: Any) -> None:
        seen.add(lock_timeout())

    post_migrate.connect(look)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [told])
        call_command("migrate", run_syncdb=True, verbosity=0)
    finally:
        post_migrate.disconnect(look)
    assert seen == {meanwhile}
    assert lock_timeout() == told
    connection.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_guards_that_stand_are_not_touched_so_that_nobody_waits_for_a_migrate(cast: Cast) -> None:
    """To install one waits for each transaction that has written to its table."""
    writer = connection.copy()
    try:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute("UPDATE orgs_organization SET name = 'Busy'")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        call_command("migrate", run_syncdb=True, verbosity=0)
    finally:
        writer.close()
        connection.close()
    assert installation.missing_or_altered(connection) == []
