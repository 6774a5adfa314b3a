"""What waits to be synced: marks in the database, and the wake-up calls that follow them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django_tasks import task

from billing.gateway import BillingUnavailable
from billing.models import Standing
from billing.models.standing import StandingQuerySet
from billing.services import projection
from billing.services.sync import sync_organization
from orgs import clock
from orgs.models import Organization

logger = logging.getLogger(__name__)

# So many outages one after the other end a round of the sweep.
MOST_OUTAGES = 3
# So many that nothing was heard of are looked at in one sweep.
MOST_STALE = 100
# How many begun locks are logged in one transaction.
BATCH = 500


@task()
def sync_if_marked(organization_id: int) -> None:
    """Sync an organization that is marked. The mark stays when Stripe cannot be asked."""
    organization = Organization.objects.filter(
        pk=organization_id, standing__sync_requested_at__isnull=False
    ).first()
    if organization is None:
        return
    try:
        sync_organization(organization)
    except BillingUnavailable as error:
        logger.warning(
            "Organization %s is not synced yet: %s",
            organization_id,
            error,
            extra={"organization_id": organization_id},
        )


@transaction.atomic
def open_standing(*, organization: Organization) -> Standing:
    """Give a new organization its standing: free, and marked so that its customer is made."""
    standing = Standing.objects.create(organization=organization)
    request_sync(organization_ids=[organization.pk], now=clock.now())
    return standing


def request_sync(*, organization_ids: list[int], now: datetime) -> None:
    """Mark organizations and, once that is committed, wake somebody to sync them.

    The mark is what counts: a wake-up call that is lost costs time, not truth. Who holds a lease
    needs none: they meet the mark, and look again.
    """
    _mark(Standing.objects.filter(organization__in=organization_ids), now)


def request_sync_of_customer(*, customer_id: str, now: datetime) -> bool:
    """Do the same for the organization of a Stripe customer; return whether there is one."""
    return _mark(Standing.objects.of_customer(customer_id), now) > 0


# Every event comes this way: a savepoint would be two statements more.
@transaction.atomic(savepoint=False)
def _mark(standings: StandingQuerySet, now: datetime) -> int:
    marked = standings.update(sync_requested_at=now)
    if marked:
        # Read after the update, which waits for a sync that is giving its lease back now.
        idle = standings.idle(now).values_list("organization", flat=True)
        for organization_id in idle:
            transaction.on_commit(_waker(organization_id), robust=True)
    return marked


def _waker(organization_id: int) -> Callable[[], None]:
    return lambda: (sync_if_marked.enqueue(organization_id), None)[1]


def sync_due(
    *, now: datetime, is_told_to_end: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Sync what is marked and nobody is at; return how many were synced and how many are left.

    First logs the locks that the clock began, marks those that begin within a day or whose
    exemption is over and, while nothing else waits, some whose events may have been lost. One
    organization that cannot be synced keeps no other from its turn; several outages in a row end
    the round, because asking about the rest would only wait for as many time-outs. Whoever is told
    to end does so after the organization in hand.
    """
    log_begun_locks(now=now)
    Standing.objects.exemption_over(now).update(sync_requested_at=now)
    Standing.objects.about_to_lock(now).update(sync_requested_at=now)
    _mark_stale(now)
    due = Standing.objects.due(now).select_related("organization")
    synced = outages = 0
    left = due.count()
    for standing in due.iterator():
        if outages == MOST_OUTAGES or is_told_to_end():
            break
        try:
            sync_organization(standing.organization)
        except BillingUnavailable as error:
            words = "Organization %s is not synced: %s"
            logger.warning(words, standing.organization_id, error, extra=_about(standing))
            outages = outages + 1 if error.is_outage else 0
        except Exception:
            # What Stripe said of this one cannot be understood; that is no reason to let
            # the others wait. It keeps its mark.
            words = "Organization %s is not synced"
            logger.exception(words, standing.organization_id, extra=_about(standing))
        else:
            outages = 0
            synced += 1
            left -= 1
    return synced, left


def _about(standing: Standing) -> dict[str, int]:
    """What a line of the log says in a field of its own."""
    return {"organization_id": standing.organization_id}


def _mark_stale(now: datetime) -> None:
    if Standing.objects.marked().exists():
        return
    stale = list(Standing.objects.stale(now).values_list("pk", flat=True)[:MOST_STALE])
    Standing.objects.filter(pk__in=stale).update(sync_requested_at=now)


def log_begun_locks(*, now: datetime) -> int:
    """Write the lines of the locks that the clock began since the last time; return how many."""
    logged = 0
    while batch := _log_begun_batch(now):
        logged += batch
    return logged


@transaction.atomic
def _log_begun_batch(now: datetime) -> int:
    rows = Standing.objects.lock_begun(now).select_for_update(skip_locked=True)[:BATCH]
    for standing in rows:
        projection.log_begun_lock(standing, now)
        # So that the owner is told, unless it was paid meanwhile and no event said so.
        standing.sync_requested_at = standing.sync_requested_at or now
        standing.save(update_fields=["locks_at", "sync_requested_at"])
    return len(rows)
