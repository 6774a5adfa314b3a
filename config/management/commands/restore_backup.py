from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config import backups


class Command(BaseCommand):
    help = "Make an empty database what `back_up` has written to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backups.restore(connection, file)
        except backups.BackupFailed as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write(
            "Restored. Before anybody comes in: `manage.py migrate`, `manage.py check_invariants` "
            "and `manage.py reconcile_billing`, because Stripe went on meanwhile."
        )
