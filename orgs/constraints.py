"""A foreign key over two columns, as a constraint of a model. Django has none of its own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.constraints import BaseConstraint


class CompositeForeignKey(BaseConstraint):
    """Require two columns of a row to stand together in two columns of the other table.

    `fields` are a foreign key of the model and another column of it; `to_fields` are those of the
    model that the key refers to, its primary key first. Where either column is null, nothing is
    required. The database checks at commit, so that both rows can be written in either order
    within one transaction. Names of tables and columns come from the model in hand, because
    SQLite rebuilds a table through a model of another name.
    """

    def __init__(
        self,
        *,
        name: str,
        fields: tuple[str, str],
        to_fields: tuple[str, str],
        violation_error_message: Any = None,
    ) -> None:
        super().__init__(name=name, violation_error_message=violation_error_message)
        self.fields = tuple(fields)
        self.to_fields = tuple(to_fields)

    def _clause(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> str:
        quote = schema_editor.quote_name
        to = self._target(model)
        columns = [quote(model._meta.get_field(field).column) for field in self.fields]
        to_columns = [quote(to._meta.get_field(field).column) for field in self.to_fields]
        return (
            f"CONSTRAINT {quote(self.name)} "
            f"FOREIGN KEY ({', '.join(columns)}) "
            f"REFERENCES {quote(to._meta.db_table)} ({', '.join(to_columns)}) "
            "DEFERRABLE INITIALLY DEFERRED"
        )

    def _target(self, model: Any) -> Any:
        return model._meta.get_field(self.fields[0]).related_model

    def constraint_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        assert model is not None and schema_editor is not None
        if schema_editor.connection.vendor == "sqlite":
            return self._clause(model, schema_editor)
        # A table made without migrations: the unique constraint that this key refers to is
        # itself deferred to the end, so this comes after it.
        schema_editor.deferred_sql.append(self._add_sql(model, schema_editor))
        return ""

    def create_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        # Never asked of SQLite, whose tables are rebuilt with constraint_sql instead.
        assert model is not None and schema_editor is not None
        return self._add_sql(model, schema_editor)

    def remove_sql(
        self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        assert model is not None and schema_editor is not None
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def _add_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self._clause(model, schema_editor)}"

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError when the row that the key needs is not there."""
        if exclude and set(self.fields) & set(exclude):
            return
        columns: list[Any] = [model._meta.get_field(field) for field in self.fields]
        # What the database generates is known to the instance only once it was saved.
        if any(column.generated for column in columns):
            return
        values = [getattr(instance, column.attname) for column in columns]
        if None in values:
            return
        to = self._target(model)
        wanted = dict(zip(self.to_fields, values, strict=True))
        if not to._base_manager.using(using).filter(**wanted).exists():
            raise ValidationError(
                self.get_violation_error_message(), code=self.violation_error_code
            )

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        kwargs["fields"] = self.fields
        kwargs["to_fields"] = self.to_fields
        return path, tuple(args), kwargs

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompositeForeignKey):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    __hash__ = BaseConstraint.__hash__
