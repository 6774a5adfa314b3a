"""`manage.py sandbox`: run Stripe on this machine."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sandbox import server

CHECKOUT = Path(__file__).resolve().parents[3]


class Command(BaseCommand):
    help = "Run a stand-in for Stripe on this machine, for development and tests."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=12111, help="0 takes a free one (default: 12111)"
        )
        parser.add_argument(
            "--database",
            type=Path,
            default=CHECKOUT / "var" / "sandbox.sqlite3",
            help="the SQLite file (default: var/sandbox.sqlite3)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            bound = server.bind(options["port"])
        except OSError as error:
            raise CommandError(
                f"The sandbox cannot listen on port {options['port']}: {error.strerror}. "
                "Choose another with --port, or stop what is using it."
            ) from error
        server.run(bound, options["database"], self._announce)

    def _announce(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
