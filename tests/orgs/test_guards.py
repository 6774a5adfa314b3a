"""The guards themselves: they come back after migrations, and are missed when they are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, models
from django.db.migrations.state import ProjectState

from orgs.guards import installation
from orgs.guards.rules import GUARDS, Guard

IS_SQLITE = connection.vendor == "sqlite"
OURS = [guard for guard in GUARDS if (guard.sqlite if IS_SQLITE else guard.postgresql) is not None]
ALL_NAMES = {guard.name for guard in OURS}


def missing() -> set[str]:
    return set(installation.missing_or_altered(connection))


def migrate(operation: Callable[[Any], None]) -> set[str]:
    """Do to the schema what a migration does. Returns which guards did not stand meanwhile."""
    emit_pre_migrate_signal(verbosity=0, interactive=False, db="default")
    missing_meanwhile = missing()
    with connection.schema_editor() as editor:
        operation(editor)
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    return missing_meanwhile


# Every table that a guard stands on or reads.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("label", "name", "change"),
    [
        ("orgs.Organization", "name", {"max_length": 121}),
        ("orgs.OwnershipTransfer", "reason", {"null": True}),
        ("accounts.UserEventLog", "event", {"max_length": 65}),
        ("accounts.LogExport", "sha256", {"max_length": 65}),
        ("accounts.User", "name", {"max_length": 151}),
    ],
)
def test_every_guard_stands_after_a_migration_altered_a_table(
    label: str, name: str, change: dict[str, Any]
) -> None:
    # Models as a migration has them: without their base classes.
    model = ProjectState.from_apps(apps).apps.get_model(label)
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    altered = field.clone()
    altered.set_attributes_from_name(name)
    altered.model = model
    for attribute, value in change.items():
        setattr(altered, attribute, value)

    missing_meanwhile = migrate(lambda editor: editor.alter_field(model, field, altered))
    missing_afterwards = missing()
    migrate(lambda editor: editor.alter_field(model, altered, field))

    assert missing_meanwhile == (ALL_NAMES if IS_SQLITE else set())
    assert missing_afterwards == missing() == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "label",
    ["orgs.Organization", "orgs.OwnershipTransfer", "accounts.UserEventLog", "accounts.LogExport"],
)
def test_every_guard_stands_after_a_column_came_and_went(label: str) -> None:
    model = ProjectState.from_apps(apps).apps.get_model(label)
    motto = models.TextField(null=True)
    motto.set_attributes_from_name("motto")
    motto.model = model

    migrate(lambda editor: editor.add_field(model, motto))
    missing_with_it = missing()
    migrate(lambda editor: editor.remove_field(model, motto))
    assert missing_with_it == missing() == set()


@pytest.mark.django_db
def test_installing_twice_is_installing_once() -> None:
    installation.install(connection)
    installation.install(connection)
    assert missing() == set()


@pytest.mark.django_db
def test_the_check_is_content_with_every_guard_in_place() -> None:
    call_command("check", databases=["default"])


Statements = tuple[str, ...]


def drop(guard: Guard) -> Statements:
    return (f"DROP TRIGGER {guard.name}" + ("" if IS_SQLITE else f" ON {guard.table}"),)


ON_SQLITE: dict[str, Callable[[Guard], Statements]] = {
    "dropped": drop,
    "emptied": lambda guard: (
        *drop(guard),
        f"CREATE TRIGGER {guard.name} {guard.event} ON {guard.table} "
        "FOR EACH ROW BEGIN SELECT 1; END",
    ),
    "made for another table": lambda guard: (
        *drop(guard),
        f"CREATE TRIGGER {guard.name} BEFORE INSERT ON orgs_tier "
        f"FOR EACH ROW BEGIN {guard.sqlite} END",
    ),
}
ON_POSTGRESQL: dict[str, Callable[[Guard], Statements]] = {
    "dropped": drop,
    "disabled": lambda guard: (f"ALTER TABLE {guard.table} DISABLE TRIGGER {guard.name}",),
    "left to replicas": lambda guard: (
        f"ALTER TABLE {guard.table} ENABLE REPLICA TRIGGER {guard.name}",
    ),
    "emptied": lambda guard: (
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN NEW; END $$",
    ),
    "led to other tables": lambda guard: (f"ALTER FUNCTION {guard.name}() RESET search_path",),
    "made for another event": lambda guard: (
        *drop(guard),
        f"CREATE TRIGGER {guard.name} AFTER DELETE ON {guard.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {guard.name}()",
    ),
}
HARMS = ON_SQLITE if IS_SQLITE else ON_POSTGRESQL


@pytest.mark.django_db
@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_a_guard_that_is_gone_or_another_is_reported_and_put_right(
    harm: Callable[[Guard], Statements], subtests: pytest.Subtests
) -> None:
    for guard in OURS:
        with subtests.test(guard.name):
            with connection.cursor() as cursor:
                for statement in harm(guard):
                    cursor.execute(statement)
            with pytest.raises(SystemCheckError) as refusal:
                call_command("check", databases=["default"])
            assert "orgs.E001" in str(refusal.value)
            assert guard.name in str(refusal.value)
            assert missing() == {guard.name}
            installation.install(connection)
            assert missing() == set()
