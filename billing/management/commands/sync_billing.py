from __future__ import annotations

import argparse
import logging
import signal
import time
from types import FrameType
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, close_old_connections

from billing import services
from billing.gateway import BillingUnavailable
from orgs import clock
from orgs.models import Organization

logger = logging.getLogger(__name__)


class Ending:
    """Inside its block, a request of a supervisor to end is noted, and does not end it at once.

    A sync that is broken off keeps its lease, and the organization waits until that runs out.
    """

    def __init__(self) -> None:
        # No lock of any kind: the signal may come while this very thread holds it.
        self._is_told = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._is_told = True

    def is_told(self) -> bool:
        return self._is_told

    def pause(self, seconds: int) -> None:
        """Wait so long, or until a second after it is told."""
        until = time.monotonic() + seconds
        while not self._is_told and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1))


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
        with Ending() as ending:
            if every is not None:
                self._sync_for_ever(every, ending)
            elif self._sweep(ending, is_quiet=False) and not ending.is_told():
                raise CommandError("Stripe could not be asked about all of them.")

    def _sync_one(self, organization_id: int) -> None:
        try:
            organization = Organization.objects.get(pk=organization_id)
            outcome = services.sync_organization(organization)
        except Organization.DoesNotExist as error:
            raise CommandError(f"There is no organization {organization_id}.") from error
        except BillingUnavailable as error:
            raise CommandError(f"Stripe could not be asked: {error}") from error
        self.stdout.write(f"{organization}: {outcome.value}.")

    def _sync_for_ever(self, every: int, ending: Ending) -> None:
        while not ending.is_told():
            close_old_connections()
            try:
                self._sweep(ending, is_quiet=True)
            except (OperationalError, InterfaceError) as error:
                # Restarted, out of reach or full: what is marked waits for the next round.
                logger.warning("The database does not answer: %s", type(error).__name__)
            ending.pause(every)

    def _sweep(self, ending: Ending, *, is_quiet: bool) -> int:
        """Sync, then send the mails that wait; return how many organizations are left."""
        synced, left = services.sync_due(now=clock.now(), is_told_to_end=ending.is_told)
        sent = services.send_payer_mails(now=clock.now(), is_told_to_end=ending.is_told)
        if synced or left or not is_quiet:
            self.stdout.write(f"{synced} synced, {left} left for the next time.")
        if sent:
            self.stdout.write(f"{sent} mails sent.")
        return left
