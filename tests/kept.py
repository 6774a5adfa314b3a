"""Worlds that many tests begin with: made by the services once, then put back as rows.

Each test gets rows and objects of its own. A world is made anew when it is a minute old, so that
"now" in it is now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Field, Model
from django.db.models.signals import post_migrate
from django.db.models.sql import InsertQuery

from orgs.models import Organization, OwnershipTransfer

World = TypeVar("World")
Values = dict[str, Any]
# What each model holds: the values of its columns by key.
Rows = dict[type[Model], dict[Any, Values]]
# Seconds.
OLD = 60


@dataclass(frozen=True)
class Kept:
    """A world as it was when it had just been made."""

    world: Any
    made_at: float
    inserts: list[tuple[str, Any]]
    updates: list[tuple[type[Model], Any, Values]]

    @property
    def is_fresh(self) -> bool:
        # By the clock that tests move: in another time, that time's services make it.
        return 0 <= time.time() - self.made_at < OLD


_kept: dict[object, Kept] = {}


def forget(**_kwargs: object) -> None:
    """Forget all worlds: what is planted in an emptied database gets other keys."""
    _kept.clear()


post_migrate.connect(forget)


def put_back(
    make: Callable[[], World], *, name: object = None, does_more_than_write: bool = True
) -> World:
    """Return what `make` makes, and have its rows in the database.

    By this `name`, or by `make` itself, it is known again. Where a test commits, what does more
    than write rows, such as send mails or wake tasks, is made each time.
    """
    if does_more_than_write and not connection.in_atomic_block:
        return make()
    name = name or make
    kept = _kept.get(name)
    if kept is None or not kept.is_fresh:
        _kept[name], world = _keep(make)
        return world
    try:
        with transaction.atomic():
            _write(kept)
    except IntegrityError:
        # This test has made somebody before, who has one of the keys.
        del _kept[name]
        return make()
    copy: World = deepcopy(kept.world)
    return copy


def _write(kept: Kept) -> None:
    with connection.cursor() as cursor:
        for sql, parameters in kept.inserts:
            cursor.execute(sql, parameters)
    for model, key, values in kept.updates:
        model._base_manager.filter(pk=key).update(**values)


def _keep(make: Callable[[], World]) -> tuple[Kept, World]:
    before = rows_of_all()
    world = make()
    added: Rows = {}
    updates = []
    for model, rows in rows_of_all().items():
        known = before[model]
        assert known.keys() <= rows.keys(), f"{make} removes rows of {model}"
        added[model] = {key: row for key, row in rows.items() if key not in known}
        updates += [(model, key, rows[key]) for key in known if rows[key] != known[key]]
    return Kept(deepcopy(world), time.time(), inserts(added), updates), world


def rows_of_all() -> Rows:
    return {
        model: {row[model._meta.pk.attname]: row for row in _all(model)}
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def _all(model: type[Model]) -> list[Values]:
    columns = [field.attname for field in _fields(model)]
    return list(model._base_manager.order_by("pk").values(*columns))


def _fields(model: type[Model]) -> list[Field[Any, Any]]:
    """The columns that are written. Generated ones write themselves."""
    return [field for field in model._meta.local_concrete_fields if not field.generated]


def inserts(added: Rows) -> list[tuple[str, Any]]:
    """Return statements that the guards let pass: organizations before the line of their founding,
    with the owner who founded them, whom their transfers replace once more."""
    founders: dict[Any, Any] = {}
    for transfer in added.get(OwnershipTransfer, {}).values():
        founders.setdefault(transfer["organization_id"], transfer["from_owner_id"])
    for key, owner in founders.items():
        if key in added[Organization]:
            added[Organization][key] = added[Organization][key] | {"owner_id": owner}
    statements = []
    for model in sorted(added, key=lambda each: each is not Organization):
        if added[model]:
            statements += _insert(model, list(added[model].values()))
    return statements


def _insert(model: type[Model], rows: list[Values]) -> list[tuple[str, Any]]:
    """Return the INSERT of these rows as they are: no "now" in the place of a value."""
    query = InsertQuery(model)
    query.insert_values(_fields(model), [model(**row) for row in rows], raw=True)
    return list(query.get_compiler(connection=connection).as_sql())
