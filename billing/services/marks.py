"""What waits to be synced: marks in the database, and the wake-up calls that follow them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from billing.gateway import BillingUnavailable
from billing.models import Standing
from billing.services.sync import Outcome, sync_organization
from orgs.models import Organization

logger = logging.getLogger(__name__)


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
        logger.warning("Organization %s is not synced yet: %s", organization_id, error)


@transaction.atomic
def open_standing(*, organization: Organization) -> Standing:
    """Give a new organization its standing: free, and marked so that its customer is made."""
    standing = Standing.objects.create(organization=organization)
    request_sync(organization_ids=[organization.pk], now=timezone.now())
    return standing


@transaction.atomic
def request_sync(*, organization_ids: list[int], now: datetime) -> None:
    """Mark organizations and, once that is committed, wake somebody to sync them.

    The mark is what counts: a wake-up call that is lost costs time, not truth.
    """
    Standing.objects.filter(organization__in=organization_ids).update(sync_requested_at=now)
    for organization_id in organization_ids:
        transaction.on_commit(_waker(organization_id), robust=True)


def _waker(organization_id: int) -> Callable[[], None]:
    return lambda: (sync_if_marked.enqueue(organization_id), None)[1]


def sync_due(*, now: datetime) -> tuple[int, int]:
    """Sync what is marked and nobody is at; return how many were synced and how many are left.

    An outage ends the round: asking about the others would only wait for as many time-outs.
    """
    due = Standing.objects.due(now).select_related("organization")
    synced = 0
    left = due.count()
    for standing in due.iterator():
        try:
            sync_organization(standing.organization)
        except BillingUnavailable as error:
            logger.warning("Organization %s is not synced: %s", standing.organization_id, error)
            if error.is_outage:
                break
        else:
            synced += 1
            left -= 1
    return synced, left


def sync_now(*, organization: Organization, patience: timedelta) -> bool:
    """Sync for somebody who waits; say whether what they did at Stripe is known by now.

    When another process is at it already, wait for it, for as long as `patience`.
    """
    started_at = timezone.now()
    deadline = started_at + patience
    while sync_organization(organization) is Outcome.BUSY:
        time.sleep(0.2)
        if Standing.objects.filter(
            organization=organization, synced_at__gt=started_at, sync_requested_at__isnull=True
        ).exists():
            return True
        if timezone.now() > deadline:
            return False
    return True
