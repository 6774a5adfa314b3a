from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config import backups


class Command(BaseCommand):
    help = "Write the whole database to a file. Others go on meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="is made; it must not be there")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backups.back_up(connection, file)
        except backups.BackupFailed as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes.")
