"""Writes that are not worth waiting for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Milliseconds: less than anybody notices of a page.
PATIENCE = 50


@contextmanager
def hurried() -> Iterator[None]:
    """Begin a transaction that soon gives up waiting for others.

    Raises OperationalError when somebody else writes meanwhile: on SQLite to anything, where a
    transaction would wait 20 seconds else; on PostgreSQL to the same row.
    """
    if connection.vendor == "sqlite":
        with _sqlite_waits(PATIENCE), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}ms'")
            yield


@contextmanager
def _sqlite_waits(milliseconds: int) -> Iterator[None]:
    connection.ensure_connection()
    # Past Django, which would count these as statements: they do not touch the file.
    execute = connection.connection.execute
    ((before,),) = execute("PRAGMA busy_timeout").fetchall()
    execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        execute(f"PRAGMA busy_timeout = {before}")
