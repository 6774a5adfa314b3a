"""Operations of migrations that do not stop who writes meanwhile, on SQLite and on PostgreSQL.

Django's own of these names are for PostgreSQL alone. On SQLite, where `migrate` has the database to
itself, they are plain ones. docs/migrations.md says when to use which.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation, OperationCategory


class AddIndexConcurrently(postgres.AddIndexConcurrently):
    """Add an index while others write. The migration needs `atomic = False`.

    Safe to repeat: what a build that was broken off has left is removed first.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            AddIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        with _waiting_for_everybody(schema_editor):
            super().database_backwards(app_label, schema_editor, *reversed(states))
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            AddIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with _waiting_for_everybody(schema_editor):
            super().database_backwards(app_label, schema_editor, *states)


class RemoveIndexConcurrently(postgres.RemoveIndexConcurrently):
    """Remove an index while others write. The migration needs `atomic = False`."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            RemoveIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        with _waiting_for_everybody(schema_editor):
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            RemoveIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with _waiting_for_everybody(schema_editor):
            super().database_backwards(app_label, schema_editor, *states)


class AddConstraintNotValid(AddConstraint):
    """Add a check or a composite key that is asked of what is written from now on.

    `ValidateConstraint`, in a later migration, looks at the rows that are there. On SQLite all are
    looked at now.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            super().database_forwards(app_label, schema_editor, *states)
            return
        model = states[1].apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            sql = self.constraint.create_sql(model, schema_editor)
            # It has its values in it already.
            schema_editor.execute(f"{sql} NOT VALID", params=None)


class ValidateConstraint(postgres.ValidateConstraint):
    """Look at all rows, while others write, whether they keep what AddConstraintNotValid added."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, *states)


class DropColumn(Operation):
    """Drop the column of a field that the release before has forgotten. There is no way back."""

    category = OperationCategory.REMOVAL
    reversible = False

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name = model_name
        self.column = column

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        model = states[1].apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor == "sqlite":
            # With what the model still has; SQLite itself drops no column that a key uses.
            schema_editor._remake_table(model)
            return
        table, column = map(schema_editor.quote_name, (model._meta.db_table, self.column))
        schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}")

    def describe(self) -> str:
        return f"Drop the column {self.column} of {self.model_name}"


class DropTable(Operation):
    """Drop the table of a model that the release before has forgotten. There is no way back."""

    category = OperationCategory.REMOVAL
    reversible = False

    def __init__(self, table: str) -> None:
        self.table = table

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        schema_editor.execute(f"DROP TABLE IF EXISTS {schema_editor.quote_name(self.table)}")

    def describe(self) -> str:
        return f"Drop the table {self.table}"


@contextmanager
def _waiting_for_everybody(editor: Any) -> Iterator[None]:
    """Lift the time-out for locks: an index waits for each transaction that is open, and holds up
    nobody; a time-out would leave half of one."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (usual,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [usual])
