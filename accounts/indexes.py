"""Indexes that no migration can hold."""

from __future__ import annotations

from django.db import connections


def make_index(name: str, *, table: str, columns: str, using: str) -> None:
    """Have the index there. Safe to repeat.

    It is looked for first: PostgreSQL waits for whoever writes to the table even where the index
    is there already.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        if name not in connection.introspection.get_constraints(cursor, table):
            cursor.execute(f"CREATE INDEX {name} ON {table} ({columns})")
