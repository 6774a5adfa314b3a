"""Walking through Stripe by its lists, and syncing those alone who differ.

A full walk takes one call for each hundred customers, which carry their living subscriptions, and
one for each hundred open invoices and ended subscriptions; what differs is asked for once more by
itself, so that what happened meanwhile is no finding.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from billing import gateway
from billing.models import ReconcileRun
from billing.services.setup_endpoint import EVENTS
from billing.services.walk import Walk, asked, pages
from billing.services.webhooks import customer_of
from orgs import clock
from orgs.models import Organization

Progress = Callable[[int], None]

# A run that was broken off is gone on with for so long; later, a new one begins.
RESUME_WITHIN = timedelta(days=1)
# So long after its last sign a run of another machine is taken for dead.
DEAD_AFTER = timedelta(minutes=5)


class AlreadyReconciling(Exception):
    """Another process is at it."""


def begin_run(*, is_dry_run: bool) -> ReconcileRun:
    """Return the run to go on with: one that was broken off, or a new one.

    Raises AlreadyReconciling while another process is at it.
    """
    now = clock.now()
    open_runs = ReconcileRun.objects.filter(
        is_full=True, finished_at=None, started_at__gte=now - RESUME_WITHIN
    )
    run = open_runs.filter(is_dry_run=is_dry_run).order_by("-pk").first()
    if run is None:
        return ReconcileRun.objects.create(
            started_at=now, is_dry_run=is_dry_run, worker=_worker(), touched_at=now
        )
    if _is_alive(run, now):
        raise AlreadyReconciling
    run.worker, run.touched_at = _worker(), now
    run.save(update_fields=["worker", "touched_at"])
    return run


def reconcile(run: ReconcileRun, *, on_progress: Progress = lambda count: None) -> None:
    """Walk to the end of Stripe's lists from where the run is, and mend what differs by syncs.

    `on_progress` is told how many customers were looked at. Raises BillingUnavailable when Stripe
    stays out of reach, and WrongAccount; then the run can be gone on with.
    """
    walk = Walk(run)
    walk.read_lists()
    after = run.cursor or None
    while True:
        page = asked(partial(gateway.customers_page, after))
        walk.look_at(page.objects)
        if page.objects:
            run.cursor = after = str(page.objects[-1]["id"])
        run.looked_at += len(page.objects)
        run.touched_at = clock.now()
        run.save(update_fields=["cursor", "looked_at", "touched_at"])
        on_progress(run.looked_at)
        if not page.has_more:
            break
    walk.look_for_missing()
    run.finished_at = clock.now()
    run.save(update_fields=["finished_at"])


def reconcile_one(run: ReconcileRun, *, organization: Organization) -> None:
    """Compare one organization, and sync it if it differs. Raises BillingUnavailable."""
    Walk(run).look_closely(organization)
    _finish(run)


def reconcile_since(
    run: ReconcileRun, *, since: datetime, on_progress: Progress = lambda count: None
) -> None:
    """Compare those to whom something happened at Stripe since a moment, of the last 30 days: as
    after days in which no event arrived. Raises BillingUnavailable."""
    walk = Walk(run)
    heard = pages(lambda after: gateway.events_page(after, since=since, types=EVENTS))
    customers = dict.fromkeys(
        id for page in heard for event in page.objects if (id := customer_of(event))
    )
    for id in customers:
        organization = Organization.objects.filter(stripe_customer=id).first()
        if organization is not None:
            walk.look_closely(organization)
        run.looked_at += 1
        on_progress(run.looked_at)
    _finish(run)


def begin_partial_run(*, is_dry_run: bool) -> ReconcileRun:
    """Return a run that looks at some only, and is never gone on with."""
    now = clock.now()
    return ReconcileRun.objects.create(
        started_at=now, is_dry_run=is_dry_run, is_full=False, worker=_worker(), touched_at=now
    )


def _finish(run: ReconcileRun) -> None:
    run.finished_at = clock.now()
    run.save()


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_alive(run: ReconcileRun, now: datetime) -> bool:
    """Say whether the process of a run still works: of this machine we know, of others we guess."""
    host, _colon, pid = run.worker.rpartition(":")
    if host != socket.gethostname():
        return run.touched_at > now - DEAD_AFTER
    if int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
