"""Names are found by how they begin, whatever the case, by indexes of our own.

Django's look-up for it is `istartswith`. No index that Django can write serves it on both
databases.
"""

from __future__ import annotations

from django.db import connections
from django.db.models import Model

from accounts.indexes import make_index

# What `istartswith` compares on each database.
COMPARED = {"sqlite": "{name} COLLATE NOCASE", "postgresql": "UPPER({name}::text) text_pattern_ops"}


def install_index(model: type[Model], using: str) -> None:
    """Have the index of the model's `name` there. Safe to repeat, and repeated after each migrate:
    a table that SQLite rebuilds loses it."""
    connection, table = connections[using], model._meta.db_table
    column = COMPARED[connection.vendor].format(name=connection.ops.quote_name("name"))
    make_index(f"{table}_name_begins", table=table, columns=column, using=using)
