from __future__ import annotations

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from billing import services
from billing.gateway import BillingUnavailable
from orgs import clock
from orgs.models import Organization


class Command(BaseCommand):
    help = "Sync what is marked and was not synced, and send mails that wait; or one organization."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--due", action="store_true", help="organizations that are marked")
        which.add_argument("--organization", type=int, metavar="ID", help="this one, marked or not")
        parser.add_argument(
            "--every", type=int, metavar="SECONDS", help="go on for ever, with so long a pause"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["organization"] is not None:
            self._sync_one(options["organization"])
            return
        every: int | None = options["every"]
        if every is None:
            if self._sweep(is_quiet=False):
                raise CommandError("Stripe could not be asked about all of them.")
            return
        self._sync_for_ever(every)

    def _sync_one(self, organization_id: int) -> None:
        try:
            organization = Organization.objects.get(pk=organization_id)
            outcome = services.sync_organization(organization)
        except Organization.DoesNotExist as error:
            raise CommandError(f"There is no organization {organization_id}.") from error
        except BillingUnavailable as error:
            raise CommandError(f"Stripe could not be asked: {error}") from error
        self.stdout.write(f"{organization}: {outcome.value}.")

    def _sync_for_ever(self, every: int) -> None:
        while True:
            close_old_connections()
            self._sweep(is_quiet=True)
            time.sleep(every)

    def _sweep(self, *, is_quiet: bool) -> int:
        """Sync, then send the mails that wait; return how many organizations are left."""
        synced, left = services.sync_due(now=clock.now())
        sent = services.send_payer_mails(now=clock.now())
        if synced or left or not is_quiet:
            self.stdout.write(f"{synced} synced, {left} left for the next time.")
        if sent:
            self.stdout.write(f"{sent} mails sent.")
        return left
