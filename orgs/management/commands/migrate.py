from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's own, but for what it checks first.

    It installs the guards (orgs.receivers), so that they are missing or of an older version must
    not keep it from running. `manage.py check --database default` is for afterwards.
    """

    def check(self, *args: Any, **kwargs: Any) -> None:
        super().check(*args, **kwargs | {"databases": None})
