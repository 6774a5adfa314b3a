"""Questions that monitoring puts to the database, again and again: none may hold anybody up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# After which PostgreSQL gives a statement up.
STATEMENT_MILLISECONDS = 2000


@contextmanager
def bounded() -> Iterator[None]:
    """Bound each statement inside the block. SQLite's reads wait for nobody (WAL)."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true)", [str(STATEMENT_MILLISECONDS)]
        )
        yield
