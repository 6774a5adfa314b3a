from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from billing import services
from billing.comparing import FOR_STAFF, Finding
from billing.gateway import BillingUnavailable
from billing.models import ReconcileFinding, ReconcileRun
from orgs import clock
from orgs.models import Organization

BAR = 30
# Where nobody watches, a line each so many customers.
TOLD_EVERY = 1000


class Progress:
    """A bar for somebody who watches, and a line now and then for a file."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self.stream, self.total = stream, total
        self.is_watched = stream.isatty()
        self.told = 0

    def __call__(self, count: int) -> None:
        part = min(count / self.total, 1) if self.total else 1
        if self.is_watched:
            bar = ("#" * round(part * BAR)).ljust(BAR)
            self.stream.write(f"\r[{bar}] {count:,} of about {self.total:,}")
        elif count - self.told >= TOLD_EVERY:
            self.told = count
            self.stream.write(f"{count:,} of about {self.total:,}\n")
        self.stream.flush()

    def end(self) -> None:
        if self.is_watched:
            self.stream.write("\n")


class Command(BaseCommand):
    help = (
        "Compare everything at Stripe with what is kept, and sync what differs. One that was "
        "broken off is gone on with. Exits with 1 when something is left that was not mended."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="look only, and change nothing")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--organization", metavar="ID|SLUG", help="this one alone")
        which.add_argument(
            "--since",
            type=_moment,
            metavar="YYYY-MM-DD[THH:MM]",
            help="those to whom something happened at Stripe since then (UTC; at most 30 days ago)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = self._reconcile(options)
        except services.AlreadyReconciling as error:
            raise CommandError("Another process is reconciling: wait for it to end.") from error
        except services.WrongAccount as error:
            raise CommandError(
                "Stripe knows none of our customers: is STRIPE_SECRET_KEY of another account?"
            ) from error
        except BillingUnavailable as error:
            raise CommandError(
                f"Stripe could not be asked: {error}. Run it again to go on from here."
            ) from error
        self._report(run)
        if run.findings.filter(repaired_at=None).exists():
            sys.exit(1)

    def _reconcile(self, options: dict[str, Any]) -> ReconcileRun:
        is_dry_run: bool = options["dry_run"]
        if options["organization"]:
            run = services.begin_partial_run(is_dry_run=is_dry_run)
            services.reconcile_one(run, organization=_organization(options["organization"]))
            return run
        if options["since"]:
            run = services.begin_partial_run(is_dry_run=is_dry_run)
            services.reconcile_since(run, since=options["since"])
            return run
        run = services.begin_run(is_dry_run=is_dry_run)
        if run.looked_at:
            self.stderr.write(f"Going on after {run.looked_at:,} customers.")
        progress = Progress(sys.stderr, Organization.objects.count())
        services.reconcile(run, on_progress=progress)
        progress.end()
        return run

    def _report(self, run: ReconcileRun) -> None:
        findings = _findings(run)
        for finding in findings:
            self.stdout.write(_line(finding, is_dry_run=run.is_dry_run))
        organizations = {finding.organization_id or finding.customer for finding in findings}
        counts = Counter(bool(finding.repaired_at) for finding in findings)
        self.stdout.write(
            f"{run.looked_at:,} customers looked at; {len(organizations):,} differed; "
            f"{counts[True]:,} findings mended, {counts[False]:,} left."
        )


def _findings(run: ReconcileRun) -> list[ReconcileFinding]:
    return list(run.findings.select_related("organization").order_by("pk"))


def _line(finding: ReconcileFinding, *, is_dry_run: bool) -> str:
    who = finding.customer
    if finding.organization is not None:
        who = f"{finding.organization.slug} ({finding.organization_id})"
    words = f"{who}: {finding.get_finding_display()}"
    if finding.what:
        words += f": {finding.what}"
    kind = Finding(finding.finding)
    if finding.repaired_at:
        return f"{words}. Mended."
    if kind in FOR_STAFF:
        return f"{words}. {FOR_STAFF[kind]}"
    return f"{words}. {'A sync would mend it' if is_dry_run else 'Not mended'}."


def _organization(given: str) -> Organization:
    which = {"pk": given} if given.isdigit() else {"slug": given}
    organization = Organization.objects.filter(**which).first()
    if organization is None:
        raise CommandError(f"There is no organization {given}.")
    return organization


def _moment(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{given} is no date: write 2026-11-26") from error
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if moment > clock.now():
        raise argparse.ArgumentTypeError(f"{given} lies ahead")
    return moment
