"""As `migrate`, but quick where there is nothing yet: for the demo's first minute."""

from __future__ import annotations

import gc
from typing import Any, Final

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

# Its migrations take 45 seconds of an empty database, and longer of everything that comes after.
MIRROR: Final = "djstripe"


class Command(BaseCommand):
    help = (
        "Migrate. On an empty SQLite database, dj-stripe's tables are made from its models at "
        "once, and its migrations recorded as applied."
    )
    # They read tables that are not there yet.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        # Thousands of models are made on the way, all of them in circles: to look for those that
        # nobody needs any more would be a third of the time.
        gc.disable()
        if connection.vendor == "sqlite" and not connection.introspection.table_names():
            _make_what_the_mirror_needs_not()
            _make_the_mirror()
        call_command("migrate", verbosity=options["verbosity"])
        # Nor when the process ends, which is soon.
        gc.freeze()
        gc.enable()


def _make_what_the_mirror_needs_not() -> None:
    """Migrate as far as that goes without dj-stripe, whose models make each later step slower."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    alone = {node for node in graph.nodes if MIRROR not in dict(graph.forwards_plan(node))}
    last = [
        node
        for node in sorted(alone)
        if not any(child.key in alone for child in graph.node_map[node].children)
    ]
    executor.migrate(last)


def _make_the_mirror() -> None:
    """All or nothing: whoever is interrupted goes on the ordinary way."""
    migrations = MigrationExecutor(connection).loader.disk_migrations
    recorder = MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        for model in apps.get_app_config(MIRROR).get_models():
            editor.create_model(model)
        for app, name in migrations:
            if app == MIRROR:
                recorder.record_applied(app, name)
