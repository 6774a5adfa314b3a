"""A backup is taken, the database is lost, Stripe goes on: what comes back, and what is mended."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from billing import gateway
from billing.models import Standing, Status
from config.processes import ManagedProcess, ProcessFailed
from orgs import services
from orgs.models import Role
from tests.cast import Cast
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess
from tests.web_process import url_of_database

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

IS_SQLITE = connection.vendor == "sqlite"
# What the databases themselves say of tables, triggers, keys and indexes.
STRUCTURE = (
    ["SELECT type, name, tbl_name, sql FROM sqlite_master"]
    if IS_SQLITE
    else [
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        # A condition is written in other words once it was read again.
        "SELECT indexrelid::regclass::text, indrelid::regclass::text, indkey::text, indisunique, "
        "indisvalid, indpred IS NULL, indexprs IS NULL FROM pg_index "
        "WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)",
        "SELECT tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal",
        "SELECT proname, prosrc, proconfig FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace",
        "SELECT table_name, column_name, data_type, is_nullable, column_default, "
        "generation_expression FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'",
    ]
)


class Place:
    """An empty database beside the tests' own."""

    def __init__(self, directory: Path) -> None:
        if IS_SQLITE:
            self.url = f"sqlite:///{directory / 'restored.sqlite3'}"
            return
        self._name = f"{connection.settings_dict['NAME']}_restored"
        self.url = urlsplit(url_of_database())._replace(path=f"/{self._name}").geturl()
        self.drop()
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self._name}" TEMPLATE template0')

    def drop(self) -> None:
        if not IS_SQLITE:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def manage(self, *command: str, **env: str) -> str:
        """Run a command there. Raises ProcessFailed with what it said."""
        with ManagedProcess(*command, env={"DATABASE_URL": self.url} | env) as process:
            process.wait()
        return process.output


@pytest.fixture
def place(transactional_db: None, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.drop()


def everything(url: str) -> dict[str, list[Any]]:
    """Each row of each table, and the structure, without Django."""
    db: Any
    if IS_SQLITE:
        db = sqlite3.connect(url.removeprefix("sqlite:///"))
        tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    else:
        db = psycopg.connect(url)
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    rows = {
        name: sorted(map(repr, db.execute(f'SELECT * FROM "{name}"').fetchall()))
        for (name,) in db.execute(tables).fetchall()
    }
    structure = {query: sorted(map(repr, db.execute(query).fetchall())) for query in STRUCTURE}
    db.close()
    return rows | structure


@pytest.fixture
def paying(payer: Payer, cast: Cast) -> Cast:
    """Acme pays, and has changed its owner, its roles and its people."""
    payer.sync()
    payer.subscribe_at_stripe()
    payer.sync()
    admin = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=cast.bob, role=admin, by=cast.alice, now=timezone.now())
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Before the backup."
    )
    assert Standing.objects.get(organization=cast.acme).status == Status.CURRENT
    return cast


def test_everything_comes_back_and_what_stripe_did_meanwhile_is_caught_up_on(
    paying: Cast, payer: Payer, place: Place, stripe_account: SandboxProcess, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    call_command("back_up", str(file))
    kept = everything(url_of_database())
    api = gateway.api()
    (subscription,) = api.subscriptions.list({}).data
    api.subscriptions.cancel(subscription.id)

    said = place.manage("restore_backup", str(file))
    restored = everything(place.url)

    assert "reconcile_billing" in said
    assert restored.keys() == kept.keys()
    assert [name for name, rows in kept.items() if rows != restored[name]] == []
    assert len(kept["orgs_ownershiptransfer"]) == 1 and len(kept["djstripe_subscription"]) == 1
    place.manage("check", "--database=default")
    place.manage("check_invariants")
    at_stripe = {
        "STRIPE_API_HOST": stripe_account.url,
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
    }
    reconciled = place.manage("reconcile_billing", **at_stripe)
    assert "1 differed" in reconciled and "0 left" in reconciled
    assert "0 differed" in place.manage("reconcile_billing", **at_stripe)


def test_the_file_is_for_its_owner_alone_and_is_never_written_over(
    cast: Cast, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    call_command("back_up", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(CommandError, match="is there already"):
        call_command("back_up", str(file))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_backup_that_cannot_be_written_leaves_nothing(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("back_up", str(tmp_path / "nowhere" / "backup"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_restored_over_a_database_in_use(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    call_command("back_up", str(file))
    with pytest.raises(CommandError, match="is not empty"):
        call_command("restore_backup", str(file))


@pytest.mark.parametrize("what", ["nothing", "damaged"])
def test_what_is_no_backup_leaves_the_database_empty(
    what: str, cast: Cast, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    if what == "damaged":
        call_command("back_up", str(file))
        content = file.read_bytes()
        file.write_bytes(content[:1000] + b"\0" * 2000 + content[3000 : len(content) // 2])
    with pytest.raises(ProcessFailed):
        place.manage("restore_backup", str(file))
    assert [rows for rows in everything(place.url).values() if rows] == []
