from __future__ import annotations

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from billing import services


class Command(BaseCommand):
    help = "Sync what is marked and was not synced: a worker died, or Stripe could not be asked."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--due", action="store_true", required=True, help="organizations that are marked"
        )
        parser.add_argument(
            "--every", type=int, metavar="SECONDS", help="go on for ever, with so long a pause"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        every: int | None = options["every"]
        if every is None:
            synced, left = services.sync_due(now=timezone.now())
            self.stdout.write(f"{synced} synced, {left} left for the next time.")
            if left:
                raise CommandError("Stripe could not be asked about all of them.")
            return
        while True:
            close_old_connections()
            synced, left = services.sync_due(now=timezone.now())
            if synced or left:
                self.stdout.write(f"{synced} synced, {left} left for the next time.")
            time.sleep(every)
