"""`manage.py check_invariants`: silent while all is well, and each drift found under its own id.

What the database would refuse is planted with guards, foreign keys and constraints off, inside a
transaction that is rolled back, schema and all. SQLite checks every foreign key here at commit,
so that none comes in the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from billing import invariants
from orgs import invariants as of_orgs
from orgs.guards import installation

pytestmark = pytest.mark.django_db

ALL = (*of_orgs.INVARIANTS, *invariants.INVARIANTS)
NOBODY = 10**9
FAILS_LATER = "4000000000000341"
GOOD = "4242424242424242"


def check() -> tuple[int, dict[str, list[str]]]:
    """Return the command's exit status, and examples by the id of what is broken."""
    out, status = StringIO(), 0
    try:
        call_command("check_invariants", json=True, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    findings = json.loads(out.getvalue())
    return status, {each["id"]: each["examples"] for each in findings if each["count"]}


def execute(sql: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone() if cursor.description else None


def alter_sqlite(table: str, words: str, instead: str) -> None:
    """Change the words of CREATE TABLE where SQLite keeps them: it has no ALTER for these."""
    execute("PRAGMA writable_schema = ON")
    execute(
        "UPDATE sqlite_master SET sql = replace(sql, %s, %s) WHERE type = 'table' AND name = %s",
        words,
        instead,
        table,
    )
    if words == " UNIQUE":
        execute("DELETE FROM sqlite_master WHERE sql IS NULL AND tbl_name = %s", table)
    (version,) = execute("PRAGMA schema_version")
    execute(f"PRAGMA schema_version = {version + 1}")
    execute("PRAGMA writable_schema = OFF")


def allow_null(table: str, column: str) -> None:
    if connection.vendor == "sqlite":
        alter_sqlite(table, f'"{column}" bigint NOT NULL', f'"{column}" bigint')
    else:
        execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")


def allow_repeated(table: str, column: str) -> None:
    if connection.vendor == "sqlite":
        alter_sqlite(table, " UNIQUE", "")
        return
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    for name, constraint in constraints.items():
        if constraint["unique"] and constraint["columns"] == [column]:
            execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


@contextmanager
def unprotected() -> Iterator[None]:
    """Take guards, foreign keys and checks off, put guards back, and roll back in the end."""
    with transaction.atomic():
        if connection.vendor == "sqlite":
            execute("PRAGMA ignore_check_constraints = ON")
        else:
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute("SET LOCAL session_replication_role = replica")
            for check in ("staff_are_developers", "developers_have_no_organization"):
                execute(f"ALTER TABLE accounts_user DROP CONSTRAINT accounts_user_{check}")
        installation.drop(connection)
        try:
            yield
        finally:
            transaction.set_rollback(True)
    if connection.vendor == "sqlite":
        execute("PRAGMA ignore_check_constraints = OFF")
