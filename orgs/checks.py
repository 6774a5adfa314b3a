from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from orgs.guards import installation


@register(Tags.database)
def guards_are_in_place(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report each guard that is missing from a database, or is not what this version installs."""
    return [
        Error(
            f"The guard {name} is missing from the database {alias!r}, or altered.",
            hint="Run `manage.py migrate`, which installs the guards again.",
            id="orgs.E001",
        )
        for alias in databases or []
        for name in installation.missing_or_altered(connections[alias])
    ]
