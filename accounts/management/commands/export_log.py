from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import retention


class Command(BaseCommand):
    help = (
        "Write the lines of the event log from before a day to a file, one JSON object a line. "
        "`remove_exported_log_lines` then removes them from the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="is made; it must not be there")
        parser.add_argument(
            "--before",
            required=True,
            type=datetime.fromisoformat,
            metavar="YYYY-MM-DD",
            help="the first day (UTC) that is left out",
        )

    def handle(self, *args: Any, file: Path, before: datetime, **options: Any) -> None:
        try:
            export = retention.export_lines(
                path=file, before=before.replace(tzinfo=UTC), now=timezone.now()
            )
        except retention.TooYoung:
            raise CommandError(
                "Lines of the last day are not exported: some may still be on their way. Name an "
                "earlier day."
            ) from None
        except FileExistsError:
            raise CommandError(f"{file} is there already. Name another file.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error}. Nothing changed.") from error
        if export is None:
            self.stdout.write("No line is that old and not exported yet. No file was made.")
            return
        self.stdout.write(
            f"{export.lines} lines ({export.first_id} to {export.last_id}) are in {file}.\n"
            f"SHA-256 {export.sha256}"
        )
