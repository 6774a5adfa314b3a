"""Goes through our migrations one by one, on the database of DATABASE_URL: after each, with people,
an owner and a transfer in the database, every guard stands.

    DEBUG=true python -m tools.migrate_step_by_step

Begins where orgs needs dj-stripe (`migrate billing zero` and `migrate orgs 0002` lead there). Exits
1 if a guard is missing after a step.
"""

from __future__ import annotations

import os
import sys
import time

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from orgs.guards import installation

APPS = ("accounts", "orgs", "billing")


def main() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    for migration, _is_back in plan:
        if migration.app_label not in APPS:
            continue
        began = time.monotonic()
        call_command("migrate", migration.app_label, migration.name, verbosity=0)
        if missing := installation.missing_or_altered(connection):
            sys.exit(f"After {migration} these guards are missing: {', '.join(missing)}")
        print(f"{migration}: every guard stands, after {time.monotonic() - began:.1f} s")
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main()
