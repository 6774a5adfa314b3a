"""The database as it was made, to which it returns after each test that commits.

Django would empty every table, install the guards and plant everything anew: a tenth of a second
on SQLite, and several on PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Protocol

from django.db import connection, transaction
from django.db.models import Model

from orgs.guards import installation
from orgs.guards.rules import GUARDS
from tests.kept import inserts, rows_of_all

GUARDED = sorted({guard.table for guard in GUARDS})


class Pristine(Protocol):
    def restore(self) -> None:
        """Make the database as it was, guards and all."""


def remember() -> Pristine:
    """Remember the database as it is now."""
    return OnSQLite() if connection.vendor == "sqlite" else OnPostgreSQL()


class OnSQLite:
    """Keeps a copy of the whole file."""

    def __init__(self) -> None:
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        self._file().backup(self._copy)

    def restore(self) -> None:
        with transaction.atomic():
            # Nobody else writes any more, or this fails.
            pass
        self._copy.backup(self._file())

    def _file(self) -> Any:
        connection.ensure_connection()
        return connection.connection


class OnPostgreSQL:
    """Keeps the rows that are planted. Sequences go on."""

    def __init__(self) -> None:
        self._models = {model._meta.db_table: model for model in rows_of_all()}
        self._planted = {model: rows for model, rows in rows_of_all().items() if rows}
        self._sums = self._sums_now()

    def restore(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in GUARDED:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            now = self._sums_now()
            altered = [model for model, found in now.items() if found != self._sums[model]]
            for model in self._written(cursor):
                if model in altered or model not in self._planted:
                    cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
            for sql, parameters in inserts({model: self._planted[model] for model in altered}):
                cursor.execute(sql, parameters)
            # A table is not altered while checks of its rows are outstanding.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in GUARDED:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        if installation.missing_or_altered(connection):
            installation.install(connection)

    def _written(self, cursor: Any) -> list[type[Model]]:
        """Those whose tables hold rows, or once did."""
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0"
        )
        return [self._models[name] for (name,) in cursor.fetchall() if name in self._models]

    def _sums_now(self) -> dict[type[Model], Any]:
        """A check sum of the rows of each table in which some are planted."""
        tables = [model._meta.db_table for model in self._planted]
        query = " UNION ALL ".join(
            f"SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM \"{table}\" t"
            for table in tables
        )
        with connection.cursor() as cursor:
            cursor.execute(query)
            sums = [row[0] for row in cursor.fetchall()]
        return dict(zip(self._planted, sums, strict=True))
