"""What a migration may not do while others read and write, and how it is done instead.

docs/migrations.md explains the rules. They read a migration's operations; no database is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations import Migration, operations
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now

from accounts.operations import AddConstraintNotValid, DropColumn, DropTable

RULES = {
    "M01": "Old code does not name a new column: make it nullable, or give it a `db_default`.",
    "M02": "It writes the whole table anew: add a nullable column, fill it by a command.",
    "M03": "It writes the whole table anew, or refuses what old code writes: add a second column, "
    "write both, fill it by a command, and remove the first in two releases.",
    "M04": "It reads the whole table while nobody may write: first a check that it is not null, by "
    "AddConstraintNotValid and ValidateConstraint.",
    "M05": "It builds an index while nobody may write: AddIndexConcurrently, in a migration of "
    "its own with `atomic = False`; a key gets `db_index=False`.",
    "M06": "It looks at all rows while nobody may write: AddConstraintNotValid, and in a later "
    "migration ValidateConstraint; what is unique is so from the table's beginning.",
    "M07": "Old code knows the old name: nothing is renamed. Change what people read instead.",
    "M08": "Old code still reads it: forget it first (SeparateDatabaseAndState, with state "
    "operations alone), and drop it in the next release (DropColumn, DropTable).",
    "M09": "How much it writes at once cannot be told: rows are written by a command, some at a "
    "time, that can be repeated.",
    "M10": "There is no way back: give it a reverse.",
    "M11": "It holds the locks of several tables at once, and whoever takes them in another order "
    "is stuck with it: a migration for each.",
    "M12": "What is done outside of a transaction is not taken back when it fails: an operation "
    "for each such migration, and `atomic = False` for what needs it alone.",
}

RENAMING = (operations.RenameField, operations.RenameModel, operations.AlterModelTable)
CONCURRENT = (postgres.AddIndexConcurrently, postgres.RemoveIndexConcurrently)
SEPARATE = operations.SeparateDatabaseAndState
# Never connected: it knows which type a field has there.
POSTGRESQL = DatabaseWrapper({"NAME": "", "OPTIONS": {}}, alias="rules")
VARCHAR = re.compile(r"varchar\((\d+)\)")
# What PostgreSQL works out once and not for each row.
SAME_FOR_ALL_ROWS = (models.Value, Now)


@dataclass(frozen=True)
class Finding:
    rule: str
    what: str


@dataclass(frozen=True)
class Released:
    """What databases have that stand elsewhere, with rows in them."""

    state: ProjectState

    def has_model(self, app: str, model: str) -> bool:
        return (app, model.lower()) in self.state.models

    def has_table(self, table: str) -> bool:
        for (app, model), known in self.state.models.items():
            own = str(known.options.get("db_table") or f"{app}_{model}")
            pairs = (f"{own}_{name}" for name, each in known.fields.items() if each.many_to_many)
            if table in (own, *pairs):
                return True
        return False

    def has_column(self, app: str, model: str, column: str) -> bool:
        known = self.state.models.get((app, model.lower()))
        return known is not None and any(column in (name, f"{name}_id") for name in known.fields)


def findings(migration: Migration, state: ProjectState, released: Released) -> Iterator[Finding]:
    """Yield each rule that the migration breaks. `state` is what comes before it."""
    state = state.clone()
    locked = set()
    for operation in migration.operations:
        for rule in _broken_by(operation, migration.app_label, state, released):
            yield Finding(rule, operation.describe())
        locked |= _locks(operation, migration.app_label, state, released)
        operation.state_forwards(migration.app_label, state)
    if len(locked) > 1 and migration.atomic:
        yield Finding("M11", f"Alter {', '.join(sorted(locked))}")
    yield from _outside_of_transactions(migration)
    yield from _validated_at_once(migration)


def _broken_by(operation: Any, app: str, state: ProjectState, released: Released) -> Iterator[str]:
    if isinstance(operation, operations.RunPython | operations.RunSQL):
        yield "M09"
        if not operation.reversible:
            yield "M10"
    elif isinstance(operation, SEPARATE):
        yield from _separate(operation, app, state, released)
    elif isinstance(operation, DropTable):
        if released.has_table(operation.table):
            yield "M08"
    elif released.has_model(app, _model_of(operation)):
        yield from _on_rows(operation, app, state, released)


def _model_of(operation: Any) -> str:
    """The name of the model that is altered; empty for what alters none."""
    if isinstance(operation, operations.RenameModel):
        return str(operation.old_name)
    return str(getattr(operation, "model_name", getattr(operation, "name", "")))


def _separate(operation: Any, app: str, state: ProjectState, released: Released) -> Iterator[str]:
    """Forgetting is what state operations alone are for; what the database does is looked at."""
    state = state.clone()
    for each in operation.database_operations:
        yield from _broken_by(each, app, state, released)
        each.state_forwards(app, state)
    if not operation.database_operations:
        for each in operation.state_operations:
            if isinstance(each, operations.RemoveField) and not _fills_itself(
                state.models[app, each.model_name_lower].fields[each.name]
            ):
                yield "M01"


def _on_rows(operation: Any, app: str, state: ProjectState, released: Released) -> Iterator[str]:
    """What is done to a table that has rows."""
    if isinstance(operation, operations.AddField):
        yield from _added(operation.field)
    elif isinstance(operation, operations.AlterField):
        yield from _altered(operation, app, state)
    elif isinstance(operation, RENAMING):
        yield "M07"
    elif isinstance(operation, operations.RemoveField | operations.DeleteModel):
        yield "M08"
    elif isinstance(operation, operations.AlterOrderWithRespectTo):
        yield "M01"
    elif isinstance(operation, DropColumn):
        if released.has_column(app, operation.model_name, operation.column):
            yield "M08"
    elif isinstance(operation, operations.AddIndex) and not isinstance(operation, CONCURRENT):
        yield "M05"
    elif isinstance(
        operation, operations.AlterUniqueTogether | operations.AddConstraint
    ) and not isinstance(operation, AddConstraintNotValid):
        yield "M06"


def _fills_itself(field: Any) -> bool:
    return bool(field.null or field.has_db_default() or field.many_to_many)


def _added(field: Any) -> Iterator[str]:
    if field.many_to_many:
        return
    if field.generated or isinstance(field, models.AutoField):
        yield "M02"
    elif not _fills_itself(field):
        yield "M01"
    elif field.has_db_default() and not isinstance(field._db_default_expression, SAME_FOR_ALL_ROWS):
        yield "M02"
    if field.unique:
        yield "M06"
    elif field.db_index:
        yield "M05"


def _altered(operation: Any, app: str, state: ProjectState) -> Iterator[str]:
    old, new = _before_and_after(operation, app, state)
    if not _alters_column(old, new):
        return
    if old.column != new.column:
        yield "M07"
    if not _is_as_wide(old.db_type(POSTGRESQL), new.db_type(POSTGRESQL)) or new.generated:
        yield "M03"
    if old.null and not new.null:
        yield "M04"
    if new.unique and not old.unique:
        yield "M06"
    elif new.db_index and not old.db_index:
        yield "M05"
    if _is_key(new) and not _is_key(old):
        yield "M06"


def _before_and_after(operation: Any, app: str, state: ProjectState) -> tuple[Any, Any]:
    after = state.clone()
    operation.state_forwards(app, after)
    old, new = (
        each.apps.get_model(app, operation.model_name)._meta.get_field(operation.name)
        for each in (state, after)
    )
    return old, new


def _is_key(field: Any) -> bool:
    return field.remote_field is not None and field.db_constraint


def _is_as_wide(old: str, new: str) -> bool:
    """Whether PostgreSQL takes the new type without a look at any row."""
    was, is_now = VARCHAR.fullmatch(old), VARCHAR.fullmatch(new)
    if was and is_now:
        return int(is_now[1]) >= int(was[1])
    return old == new or (was is not None and new == "text")


def _locks(operation: Any, app: str, state: ProjectState, released: Released) -> set[str]:
    """The tables with rows that nobody writes to until the operation's transaction ends."""
    if isinstance(operation, SEPARATE):
        return set().union(
            *(_locks(each, app, state, released) for each in operation.database_operations)
        )
    quick = (
        operations.AlterModelOptions,
        operations.AlterModelManagers,
        operations.RenameIndex,
        *CONCURRENT,
    )
    model = _model_of(operation)
    if isinstance(operation, quick) or not released.has_model(app, model):
        return set()
    if isinstance(operation, operations.AlterField) and not _alters_column(
        *_before_and_after(operation, app, state)
    ):
        return set()
    return {f"{app}.{model.lower()}"}


def _alters_column(old: Any, new: Any) -> bool:
    """What only people see, such as a field's name for them, alters nothing."""
    editor: Any = POSTGRESQL.schema_editor()
    return bool(editor._field_should_be_altered(old, new))


def _outside_of_transactions(migration: Migration) -> Iterator[Finding]:
    needs = [each for each in migration.operations if isinstance(each, CONCURRENT)]
    if migration.atomic and needs:
        yield Finding("M12", needs[0].describe())
    if not migration.atomic and (not needs or len(migration.operations) > 1):
        yield Finding("M12", "Not atomic")


def _validated_at_once(migration: Migration) -> Iterator[Finding]:
    """Both at once hold the lock of the first for as long as the second looks."""
    added = {
        each.constraint.name
        for each in migration.operations
        if isinstance(each, AddConstraintNotValid)
    }
    for each in migration.operations:
        if isinstance(each, postgres.ValidateConstraint) and each.name in added:
            yield Finding("M06", each.describe())
