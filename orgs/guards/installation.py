"""Puts the guards into a database, takes them out, and tells which are missing or altered.

On SQLite a migration rebuilds tables, which loses their triggers, and fails where a trigger of
another table names the rebuilt one: so the guards are dropped before migrations and installed
after them, in the one transaction that `migrate` is there. On PostgreSQL they are never dropped.
docs/rules.md, "Guards".
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orgs.guards.rules import GUARDS, Guard

# What PostgreSQL's trigger of a row or of a statement returns: the row to go on with.
RETURNS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD", "TRUNCATE": "NULL"}


def install(connection: BaseDatabaseWrapper) -> None:
    """Install every guard that is missing or altered and whose table exists. Safe to repeat.

    Those that stand are left alone: on PostgreSQL, to install one waits for all who write to its
    table, and makes others wait.
    """
    wanted = set(missing_or_altered(connection))
    for guard in _guards_of(connection):
        if guard.name in wanted:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                _install(guard, connection.vendor, cursor)


def _install(guard: Guard, vendor: str, cursor: Any) -> None:
    if vendor == "sqlite":
        cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}")
        cursor.execute(_sqlite_trigger(guard))
        return
    cursor.execute(_postgresql_function(guard, _search_path(cursor)))
    cursor.execute(_postgresql_trigger(guard).replace("CREATE", "CREATE OR REPLACE", 1))
    # A trigger that was disabled stays so when it is replaced.
    cursor.execute(f"ALTER TABLE {guard.table} ENABLE TRIGGER {guard.name}")


def drop(connection: BaseDatabaseWrapper) -> None:
    """Take the guards out. For SQLite's migrations, and for tests that empty the database."""
    with connection.cursor() as cursor:
        for guard in _guards_of(connection):
            on_table = "" if connection.vendor == "sqlite" else f" ON {guard.table}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}{on_table}")


def missing_or_altered(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the guards that do not stand in the database as they are here."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            found = _sqlite_definitions(cursor)
            wanted = {guard.name: _sqlite_trigger(guard) for guard in _guards_of(connection)}
        else:
            found = _postgresql_definitions(cursor)
            path = _search_path(cursor)
            wanted = {
                guard.name: _postgresql_trigger(guard) + _postgresql_body(guard) + path
                for guard in _guards_of(connection)
            }
    return [name for name, definition in wanted.items() if found.get(name) != definition]


def _guards_of(connection: BaseDatabaseWrapper) -> Iterator[Guard]:
    tables = set(connection.introspection.table_names())
    for guard in GUARDS:
        text = guard.sqlite if connection.vendor == "sqlite" else guard.postgresql
        if text is not None and guard.table in tables:
            yield guard


def _sqlite_trigger(guard: Guard) -> str:
    return (
        f"CREATE TRIGGER {guard.name} {guard.event} ON {guard.table} "
        f"FOR EACH ROW BEGIN {guard.sqlite} END"
    )


def _sqlite_definitions(cursor: Any) -> dict[str, str]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(cursor.fetchall())


def _search_path(cursor: Any) -> str:
    """Return where the guards look for tables: in their own schema, whatever the session says.

    Left to the session, they would find a temporary table of the same name first, and believe it.
    """
    cursor.execute("SELECT 'search_path=' || quote_ident(current_schema()) || ', pg_temp'")
    (path,) = cursor.fetchone()
    return str(path)


def _postgresql_function(guard: Guard, search_path: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql "
        f"SET {search_path} AS $guard${_postgresql_body(guard)}$guard$"
    )


def _postgresql_body(guard: Guard) -> str:
    assert guard.postgresql is not None
    body = textwrap.indent(guard.postgresql, "    ")
    verb = guard.event.split()[1]
    return f"\nBEGIN\n{body}\n    RETURN {RETURNS[verb]};\nEND\n"


def _postgresql_trigger(guard: Guard) -> str:
    each = "STATEMENT" if guard.event.endswith("TRUNCATE") else "ROW"
    return (
        f"CREATE TRIGGER {guard.name} {guard.event} ON {guard.table} "
        f"FOR EACH {each} EXECUTE FUNCTION {guard.name}()"
    )


def _postgresql_definitions(cursor: Any) -> dict[str, str]:
    """Return each enabled trigger's own words, then its function's, then where that looks."""
    cursor.execute(
        "SELECT tgname, pg_get_triggerdef(t.oid, true) || p.prosrc "
        "|| coalesce(array_to_string(p.proconfig, ';'), '') "
        "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    return dict(cursor.fetchall())
