from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts import retention


class Command(BaseCommand):
    help = (
        "Remove from the database the lines of the event log that `export_log` has written to a "
        "file. Where ownership and billing came from stays for ever."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{retention.remove_exported_lines()} lines removed.")
