"""The quick way to a first database leads to the one that `migrate` makes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.processes import BASE_DIR, ManagedProcess

TOLD = {
    # Columns, the generated ones too, in whatever order; keys; indexes.
    "columns": 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)',
    "keys": 'SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?)',
    "indexes": 'SELECT name, "unique", origin, partial FROM pragma_index_list(?)',
}


def manage(database: Path, *arguments: str) -> str:
    env = {"DATABASE_URL": f"sqlite:///{database}"}
    with ManagedProcess(*arguments, env=env) as process:
        process.wait()
    return process.output


def rows(database: Path, statement: str, *values: str) -> Any:
    with sqlite3.connect(database) as connection:
        return sorted(connection.execute(statement, values).fetchall(), key=repr)


def tables(database: Path) -> list[str]:
    return [name for (name,) in rows(database, "SELECT name FROM sqlite_master WHERE type='table'")]


def schema(database: Path) -> Any:
    return {
        (table, what): rows(database, statement, table)
        for table in tables(database)
        for what, statement in TOLD.items()
    }


def named(database: Path, kind: str) -> Any:
    return rows(
        database, "SELECT name, tbl_name, sql FROM sqlite_master WHERE type=? AND sql<>''", kind
    )


def records(database: Path) -> Any:
    return rows(database, "SELECT app, name FROM django_migrations")


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="Its databases are SQLite's own.")
def test_schema_and_records_are_those_of_a_migrated_database(tmp_path: Path) -> None:
    quick, ordinary = tmp_path / "quick", tmp_path / "ordinary"
    manage(quick, "prepare_database")
    manage(ordinary, "migrate")
    assert schema(quick) == schema(ordinary)
    # Names, and what is unique under which condition; the guards, word by word.
    for kind in ("index", "trigger"):
        assert named(quick, kind) == named(ordinary, kind)
    assert records(quick) == records(ordinary)
    for database in (quick, ordinary):
        manage(database, "makemigrations", "--check", "--dry-run")
        manage(database, "check", "--database", "default")
    assert "djstripe_customer" in tables(quick)


@pytest.mark.process
def test_a_database_that_has_something_is_migrated_the_ordinary_way(tmp_path: Path) -> None:
    database = tmp_path / "started"
    manage(database, "migrate", "accounts", "0001")
    # Until dj-stripe's first, which the quick way would have passed by.
    script = (
        "import django; django.setup();"
        "from config.management.commands import prepare_database as command;"
        "command.call_command = lambda *args, **options: None;"
        "command.Command().handle(verbosity=0)"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env={"DATABASE_URL": f"sqlite:///{database}", "DEBUG": "true"}
        | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
    )
    assert "djstripe_customer" not in tables(database)
