"""Operations of migrations, on the database at hand: what they do, undo and hold up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, NotSupportedError, connection, connections, models
from django.db.migrations import Migration, operations
from django.db.migrations.state import ProjectState

from accounts.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    DropColumn,
    DropTable,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from orgs.guards import installation
from orgs.models import Organization, Tier
from tests.cast import Cast, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)

INDEX = models.Index(fields=["closed_at"], name="orgs_organization_closed")
NAMED = models.CheckConstraint(condition=~models.Q(name="?"), name="orgs_tier_is_named")


def migrate(*wanted: Any, is_atomic: bool = True) -> ProjectState:
    """Do this as a migration of orgs does, and then, on SQLite, put the guards back."""
    return _run(ProjectState.from_apps(apps), wanted, is_atomic=is_atomic)


def undo(*wanted: Any, is_atomic: bool = True) -> None:
    _run(ProjectState.from_apps(apps), wanted, is_atomic=is_atomic, is_back=True)


def _run(
    state: ProjectState, wanted: Any, *, is_atomic: bool, is_back: bool = False
) -> ProjectState:
    body = {"operations": list(wanted), "atomic": is_atomic}
    migration = type("Migration", (Migration,), body)("0099_new", "orgs")
    if connection.vendor == "sqlite":
        installation.drop(connection)
    with connection.schema_editor(atomic=is_atomic) as editor:
        act = migration.unapply if is_back else migration.apply
        after: ProjectState = act(state, editor)
    installation.install(connection)
    return after


def constraints(model: type[models.Model]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        found: dict[str, Any] = connection.introspection.get_constraints(
            cursor, model._meta.db_table
        )
    return found


def columns(model: type[models.Model]) -> set[str]:
    with connection.cursor() as cursor:
        table = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return {column.name for column in table}


def test_an_index_comes_and_goes() -> None:
    migrate(AddIndexConcurrently("organization", INDEX), is_atomic=False)
    assert constraints(Organization)[INDEX.name]["index"]
    undo(AddIndexConcurrently("organization", INDEX), is_atomic=False)
    assert INDEX.name not in constraints(Organization)
    known = "orgs_organization_founded"
    migrate(RemoveIndexConcurrently("organization", known), is_atomic=False)
    assert known not in constraints(Organization)
    undo(RemoveIndexConcurrently("organization", known), is_atomic=False)
    assert constraints(Organization)[known]["index"]


@pytest.mark.postgres
def test_an_index_is_not_built_concurrently_in_a_transaction() -> None:
    with pytest.raises(NotSupportedError):
        migrate(AddIndexConcurrently("organization", INDEX))


@pytest.mark.postgres
def test_half_an_index_that_a_broken_off_build_left_is_begun_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {INDEX.name} ON orgs_organization (name)")
    migrate(AddIndexConcurrently("organization", INDEX), is_atomic=False)
    assert constraints(Organization)[INDEX.name]["columns"] == ["closed_at"]
    undo(AddIndexConcurrently("organization", INDEX), is_atomic=False)


@contextmanager
def somebody_writing(sql: str) -> Iterator[Any]:
    """A transaction that has written, and is open."""
    writer = connection.copy()
    writer.set_autocommit(False)
    try:
        with writer.cursor() as cursor:
            cursor.execute(sql)
        yield writer
    finally:
        writer.close()


def wait_until_it_waits(future: Future[Any]) -> None:
    """Return once something waits for a lock. Fails if it ends without."""
    while not future.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
    future.result()
    raise AssertionError("It waited for nobody.")


@pytest.mark.postgres
def test_while_an_index_waits_for_somebody_everybody_else_writes_on(cast: Cast) -> None:
    other = OrganizationFactory.create(name="Other")

    def build() -> None:
        try:
            migrate(AddIndexConcurrently("organization", INDEX), is_atomic=False)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with somebody_writing("UPDATE orgs_organization SET name = 'Busy' WHERE slug = 'acme'"):
            building = pool.submit(build)
            wait_until_it_waits(building)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            other.save(update_fields=["name"])
        building.result(timeout=20)
    connection.close()
    undo(AddIndexConcurrently("organization", INDEX), is_atomic=False)


def break_the_rule() -> None:
    Tier.objects.update(name="?")


def test_a_check_is_asked_of_new_rows_and_then_of_all() -> None:
    migrate(AddConstraintNotValid("tier", NAMED))
    with pytest.raises(IntegrityError):
        break_the_rule()
    migrate(ValidateConstraint("tier", NAMED.name))
    assert constraints(Tier)[NAMED.name]["check"]
    with pytest.raises(IntegrityError):
        break_the_rule()
    undo(AddConstraintNotValid("tier", NAMED))
    assert NAMED.name not in constraints(Tier)


@pytest.mark.postgres
def test_rows_that_were_there_are_refused_when_they_are_looked_at() -> None:
    break_the_rule()
    migrate(AddConstraintNotValid("tier", NAMED))
    with pytest.raises(IntegrityError):
        migrate(ValidateConstraint("tier", NAMED.name))
    undo(AddConstraintNotValid("tier", NAMED))


def test_a_forgotten_column_is_dropped_a_release_later_and_the_rows_stay(cast: Cast) -> None:
    motto = operations.AddField("organization", "motto", models.TextField(null=True))
    heir = operations.AddField(
        "organization", "heir", models.ForeignKey("accounts.user", models.SET_NULL, null=True)
    )
    state = migrate(motto, heir)
    assert {"motto", "heir_id"} <= columns(Organization)
    forget = [operations.RemoveField("organization", name) for name in ("motto", "heir")]
    separate = operations.SeparateDatabaseAndState(state_operations=forget)
    state = _run(state, [separate], is_atomic=True)
    assert {"motto", "heir_id"} <= columns(Organization)
    Organization.objects.update(billing_email="bills@example.com")

    drop = [DropColumn("organization", "motto"), DropColumn("organization", "heir_id")]
    _run(state, drop, is_atomic=True)

    assert not {"motto", "heir_id"} & columns(Organization)
    assert Organization.objects.get().owner == cast.alice
    assert installation.missing_or_altered(connection) == []


def test_a_forgotten_table_is_dropped() -> None:
    badge = operations.CreateModel("Badge", [("id", models.BigAutoField(primary_key=True))])
    migrate(badge)
    assert "orgs_badge" in connection.introspection.table_names()
    migrate(DropTable("orgs_badge"))
    assert "orgs_badge" not in connection.introspection.table_names()
