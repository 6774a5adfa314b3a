"""Databases that benchmarks make for themselves, and remove."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from django.apps import apps
from django.core.management import call_command
from django.test.utils import override_settings

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"


def postgres_server() -> str:
    named = os.environ.get("DATABASE_URL", "")
    return named if named.startswith("postgres") else POSTGRES


def has_postgres() -> bool:
    """Say whether one can be reached, and tell the person if not."""
    try:
        psycopg.connect(postgres_server()).close()
    except psycopg.OperationalError as error:
        sys.stderr.write(f"PostgreSQL is left out, because none can be reached: {error}\n")
        return False
    return True


@contextmanager
def postgres() -> Iterator[str]:
    """Make an empty database beside the one of DATABASE_URL; yield its URL."""
    name = f"holdfast_bench_{os.getpid()}"
    with psycopg.connect(postgres_server(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(postgres_server())._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def sqlite() -> Iterator[str]:
    with TemporaryDirectory(prefix="holdfast-bench-") as directory:
        yield f"sqlite:///{directory}/holdfast.sqlite3"


def make_tables() -> None:
    """Make them from the models, as the tests do; guards and tiers come with it."""
    without_migrations = {app.label: None for app in apps.get_app_configs()}
    with override_settings(MIGRATION_MODULES=without_migrations):
        call_command("migrate", run_syncdb=True, verbosity=0)
