from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# How long a migration waits for a lock. Whoever comes after it waits as long.
LOCK_TIMEOUT = "5s"


class Command(migrate.Command):
    """Django's own, but for what it checks first, and for what others meet meanwhile.

    It installs the guards (orgs.receivers), so that they are missing or of an older version must
    not keep it from running. `manage.py check --database default` is for afterwards.
    docs/migrations.md says what a migration may do while others write.
    """

    def check(self, *args: Any, **kwargs: Any) -> None:
        super().check(*args, **kwargs | {"databases": None})

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        meanwhile = _all_or_nothing if connection.vendor == "sqlite" else _waiting_briefly
        with meanwhile(connection):
            super().handle(*args, **options)


@contextmanager
def _all_or_nothing(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Make one transaction of all migrations and of what follows them.

    SQLite loses triggers when it rebuilds a table, so the guards are out meanwhile: nobody else
    may write then, and a process that is killed leaves the database as it was. Keys are not checked
    at each statement, as migrations there need it, but at the end.
    """
    with connection.constraint_checks_disabled(), transaction.atomic(using=connection.alias):
        yield
        connection.check_constraints()


@contextmanager
def _waiting_briefly(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Give up a migration that waits long for a lock, unless PGOPTIONS says how long it may."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        is_told = cursor.fetchone() != ("0",)
        if not is_told:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    yield
    if not is_told:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
