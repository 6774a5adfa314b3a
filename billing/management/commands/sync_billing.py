from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import services


class Command(BaseCommand):
    help = "Sync what is marked and was not synced: a worker died, or Stripe could not be asked."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--due", action="store_true", required=True, help="organizations that are marked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        synced, failed = services.sync_due(now=timezone.now())
        self.stdout.write(f"{synced} synced, {failed} left for the next time.")
        if failed:
            raise CommandError("Stripe could not be asked about all of them.")
